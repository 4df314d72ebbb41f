"""Texts a paper had before, and those of versions that came too late to be its text."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, literal, select

from paperround.domain.papers import PaperId, PaperText
from paperround.store import schema as db
from paperround.store.bulk import insert_many
from paperround.store.dialect import among, insert_row
from paperround.store.values import columns_of

_TEXTS = ("title", "abstract", "raw_title", "raw_abstract", "version")


def keep_texts(
    connection: Connection,
    papers: Collection[PaperId],
    now: datetime,
    *,
    under: PaperId | None = None,
) -> None:
    """Keep the texts of `papers` as they stand as versions, of each or of the paper `under`."""
    texts = [db.papers.c[name] for name in _TEXTS]
    whose = db.papers.c.id if under is None else literal(under, db.papers.c.id.type)
    replaced = select(whose, *texts, literal(now, db.paper_versions.c.replaced_at.type)).where(
        among(connection, db.papers.c.id, papers)
    )
    names = ["paper_id", *_TEXTS, "replaced_at"]
    connection.execute(insert(db.paper_versions).from_select(names, replaced))


def keep_earlier(connection: Connection, texts: Sequence[PaperText], now: datetime) -> None:
    """Keep texts of versions that their papers neither are at nor have: of each the first."""
    there = _known(connection, {one.paper_id for one in texts})
    missing = {(one.paper_id, one.version): one for one in reversed(texts)}
    rows = [
        columns_of(one) | {"replaced_at": now}
        for key, one in reversed(missing.items())
        if key not in there
    ]
    insert_many(connection, insert_row(db.paper_versions), rows)


def _known(connection: Connection, papers: Collection[PaperId]) -> set[tuple[int, int | None]]:
    """(paper, version) of every text there is of the papers."""
    own, kept = db.papers.c, db.paper_versions.c
    sources = ((own.id, own.version), (kept.paper_id, kept.version))
    return {
        (paper, number)
        for id_, version in sources
        for paper, number in connection.execute(
            select(id_, version).where(among(connection, id_, papers))
        )
    }
