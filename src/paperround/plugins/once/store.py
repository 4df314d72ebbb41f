"""Delete papers that no digest needs any more, so that the state folder does not grow."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, delete, exists, or_, select

from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.editions.store.history import VOTES
from paperround.papers.model import PaperId

_KEPT = (db.sent_papers, db.told_withdrawals, db.feedback)
"""Tables of what the reader got. Their papers are kept: otherwise they could be sent twice."""

_FROZEN = (db.edition_papers, db.behind_papers)


def _is_in(tables: Iterable[Table], paper: Column[Any]) -> ColumnElement[bool]:
    return or_(*(exists().where(table.c.paper_id == paper) for table in tables))


class OldPapers(Store):
    """Old papers that the reader was not sent."""

    def leave_editions(self, *, before: date) -> None:
        """Remove them from the editions of the days before `before`."""
        editions = select(db.editions.c.id).where(db.editions.c.day < before)
        for table in _FROZEN:
            is_kept = _is_in(_KEPT, table.c.paper_id)
            self._connection.execute(
                delete(table).where(table.c.edition_id.in_(editions), ~is_kept)
            )

    def delete(
        self,
        *,
        before: datetime,
        voted_before: datetime,
        limit: int,
        named: Collection[PaperId] = (),
    ) -> int:
        """Delete at most `limit` papers that count from before `before` (with votes, from before
        `voted_before`), are in no edition and are not `named` by the reader; return how many.

        A paper without a date is kept: its feed may still list it, and it would be new again.
        """
        papers, joined, counts = db.papers.c, db.joined_papers.c, db.observations.c
        has_votes = exists().where(counts.paper_id == papers.id, counts.signal == VOTES)
        old = (
            select(papers.id)
            .where(
                papers.counts_from < before,
                or_(papers.listed_on.is_not(None), papers.published_at.is_not(None)),
                or_(papers.counts_from < voted_before, ~has_votes),
                ~_is_in((*_KEPT, *_FROZEN), papers.id),
                papers.id.not_in(named),
                ~exists().where(or_(joined.paper_id == papers.id, joined.into_id == papers.id)),
            )
            .limit(limit)
        )
        return self._connection.execute(delete(db.papers).where(papers.id.in_(old))).rowcount
