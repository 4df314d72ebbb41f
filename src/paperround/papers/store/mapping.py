"""Convert papers to rows and back."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from paperround.db.mapping import columns_of
from paperround.db.schema import tables as db
from paperround.papers.model import FeedId, Paper, PaperId, PaperWrite, Show

_NOT_READ = {"canonical", "title_key", "raw_title", "raw_abstract", "first_seen_at", "changed_at"}

PAPER_COLUMNS = tuple(column for column in db.papers.c if column.name not in _NOT_READ)
"""The columns of a Paper."""


def paper_of(row: Row[Any]) -> Paper:
    """The paper of a row of PAPER_COLUMNS."""
    return Paper(
        id=PaperId(row.id),
        identifiers=row.identifiers,
        title=row.title,
        abstract=row.abstract,
        authors=tuple(row.authors),
        categories=tuple(row.categories),
        keywords=tuple(row.keywords),
        links=row.links,
        counts_from=row.counts_from,
        listed_on=row.listed_on,
        published_at=row.published_at,
        updated_at=row.updated_at,
        version=row.version,
        withdrawn=row.withdrawn_at is not None,
        withdrawn_by=tuple(FeedId(feed) for feed in row.withdrawn_by or ()),
        comment=row.comment,
        licence=row.licence,
        organization=row.organization,
        submitter=row.submitter,
        show=Show(row.show),
    )


def row_of(write: PaperWrite, now: datetime) -> dict[str, Any]:
    """The columns that a write sets: all but `id` and `first_seen_at`."""
    paper = write.paper
    columns = columns_of(paper) | {
        "canonical": write.canonical,
        "title_key": write.title_key,
        "raw_title": write.raw_title,
        "raw_abstract": write.raw_abstract,
        "withdrawn_at": now if paper.withdrawn else None,
        "withdrawn_by": list(paper.withdrawn_by) or None,
        "show": paper.show.value,
        "changed_at": now,
    }
    del columns["id"], columns["withdrawn"]
    return columns
