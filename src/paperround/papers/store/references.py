"""Store the works that recent papers cite."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import and_, delete, func, select

from paperround.db.dialect import column_in, insert_new
from paperround.db.driver import insert_many
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.papers.model import PaperId
from paperround.papers.references import CitedName, Reference


class ReferenceStore(Store):
    """The works that papers cite, by all their names."""

    def add(self, cited: Iterable[tuple[PaperId, CitedName]], *, since: datetime) -> None:
        """Store references, but only of papers that count from `since` or later; known ones
        stay."""
        each = sorted(set(cited))
        if not each:
            return
        these = column_in(self._connection, db.papers.c.id, {paper for paper, _ in each})
        late = select(db.papers.c.id).where(these, db.papers.c.counts_from >= since)
        kept = frozenset(self._connection.execute(late).scalars())
        rows = [
            {"paper_id": paper, "kind": kind, "value": value}
            for paper, (kind, value) in each
            if paper in kept
        ]
        insert_many(self._connection, insert_new(self._connection, db.paper_references), rows)

    def also_known_as(self, named: Iterable[tuple[PaperId, CitedName]]) -> None:
        """Add names by which other papers cite these; a name that another paper already has is not
        moved."""
        rows = [
            {"kind": kind, "value": value, "paper_id": paper}
            for (kind, value), paper in sorted({name: paper for paper, name in named}.items())
        ]
        insert_many(self._connection, insert_new(self._connection, db.identifiers), rows)

    def of(self, papers: Collection[PaperId]) -> list[Reference]:
        """The references of `papers`."""
        cites, known = db.paper_references.c, db.identifiers.c
        found = self._connection.execute(
            select(cites.paper_id, cites.kind, cites.value, known.paper_id)
            .outerjoin_from(
                db.paper_references,
                db.identifiers,
                and_(known.kind == cites.kind, known.value == cites.value),
            )
            .where(column_in(self._connection, cites.paper_id, papers))
        )
        return [
            (PaperId(paper), (kind, value), None if it is None else PaperId(it))
            for paper, kind, value, it in found
        ]

    def forget(self, *, before: datetime) -> int:
        """Delete what papers that count from before `before` cite; return how many rows."""
        cites = db.paper_references.c
        first = select(func.min(cites.paper_id)).scalar_subquery()
        old = select(db.papers.c.id).where(
            db.papers.c.counts_from < before, db.papers.c.id >= first
        )
        return self._connection.execute(
            delete(db.paper_references).where(cites.paper_id.in_(old))
        ).rowcount
