"""Store which papers were enriched by which service, and when they are due again."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, or_, select, true

from paperround.db.dialect import column_in, upsert
from paperround.db.driver import insert_many
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.papers.model import PaperId
from paperround.papers.store.duplicates import NOT_JOINED

_KEY = ("paper_id", "enricher")


class EnrichmentStore(Store):
    """The enrichments of papers by service, with their next dates."""

    def take_due(
        self,
        enricher: str,
        kinds: Collection[str],
        *,
        since: datetime,
        until: datetime,
        now: datetime,
        limit: int,
    ) -> list[PaperId]:
        """Reserve and return up to `limit` due papers that count from after `since` and have an
        identifier of `kinds` (any kind if empty).

        Papers never enriched come first, newest first, then those due longest. Reserving sets
        their next date to `until` and does not count as a request. Two processes may reserve the
        same papers, which only costs a request."""
        turn = db.enrichments
        joined = db.papers.outerjoin(
            turn, and_(turn.c.paper_id == db.papers.c.id, turn.c.enricher == enricher)
        )
        named = select(db.identifiers.c.paper_id).where(
            db.identifiers.c.paper_id == db.papers.c.id,
            column_in(self._connection, db.identifiers.c.kind, kinds),
        )
        is_due = or_(turn.c.paper_id.is_(None), turn.c.next_at <= now)
        wanted = (
            select(db.papers.c.id)
            .select_from(joined)
            .where(
                db.papers.c.counts_from > since,
                db.papers.c.counts_from <= now,
                NOT_JOINED,
                is_due,
                named.exists() if kinds else true(),
            )
            .order_by(
                turn.c.asked_at.is_not(None),
                case((turn.c.asked_at.is_not(None), turn.c.next_at)),
                db.papers.c.counts_from.desc(),
                db.papers.c.id.desc(),
            )
            .limit(limit)
        )
        due = [PaperId(paper) for paper in self._connection.execute(wanted).scalars()]
        self._save(enricher, dict.fromkeys(due, until), ("next_at",), asked_at=None)
        return due

    def asked(
        self, enricher: str, papers: Mapping[PaperId, datetime | None], *, now: datetime
    ) -> None:
        """Record a request for these papers, each with its next date (None for never)."""
        self._save(enricher, papers, ("asked_at", "next_at"), asked_at=now)

    def _save(
        self,
        enricher: str,
        papers: Mapping[PaperId, datetime | None],
        changed: tuple[str, ...],
        *,
        asked_at: datetime | None,
    ) -> None:
        rows: list[dict[str, Any]] = [
            {"paper_id": paper, "enricher": enricher, "asked_at": asked_at, "next_at": next_at}
            for paper, next_at in sorted(papers.items())
        ]
        statement = upsert(self._connection, db.enrichments, _KEY, changed)
        insert_many(self._connection, statement, rows)
