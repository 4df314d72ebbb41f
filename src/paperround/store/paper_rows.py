"""Between a paper and its row."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from paperround.domain.papers import FeedId, Paper, PaperId, PaperWrite, Show
from paperround.store import schema as db

_NOT_READ = {"canonical", "title_key", "raw_title", "raw_abstract", "first_seen_at", "changed_at"}

PAPER_COLUMNS = tuple(column for column in db.papers.c if column.name not in _NOT_READ)
"""What it takes to make a Paper."""


def paper_of(row: Row[Any]) -> Paper:
    """The paper a row of PAPER_COLUMNS holds."""
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
    """The columns a write sets, all but the id and the date it was first seen."""
    paper = write.paper
    return {
        "canonical": write.canonical,
        "identifiers": paper.identifiers,
        "title_key": write.title_key,
        "title": paper.title,
        "abstract": paper.abstract,
        "raw_title": write.raw_title,
        "raw_abstract": write.raw_abstract,
        "authors": paper.authors,
        "categories": paper.categories,
        "keywords": paper.keywords,
        "links": paper.links,
        "counts_from": paper.counts_from,
        "listed_on": paper.listed_on,
        "published_at": paper.published_at,
        "updated_at": paper.updated_at,
        "version": paper.version,
        "withdrawn_at": now if paper.withdrawn else None,
        "withdrawn_by": list(paper.withdrawn_by) or None,
        "comment": paper.comment,
        "licence": paper.licence,
        "organization": paper.organization,
        "submitter": paper.submitter,
        "show": paper.show.value,
        "changed_at": now,
    }
