"""For which paper which service was asked, and when it is asked again."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, or_, select, true

from paperround.db.bulk import insert_many
from paperround.db.dialect import among, upsert
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.papers.model import PaperId
from paperround.papers.store.duplicates import STANDS

_KEY = ("paper_id", "enricher")


class EnrichmentStore(Store):
    """Which service was asked for which paper, and when it is asked again."""

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
        """Papers that are due. They count from after `since` and have an identifier of `kinds`
        (of any kind, when `kinds` is empty). Those never asked for come first, the newest of
        them first, then those due longest. They are put off to `until`; taking a paper does not
        count as asking for it. Two processes that take at once may take the same papers: that
        costs a request and changes nothing."""
        turn = db.enrichments
        joined = db.papers.outerjoin(
            turn, and_(turn.c.paper_id == db.papers.c.id, turn.c.enricher == enricher)
        )
        named = select(db.identifiers.c.paper_id).where(
            db.identifiers.c.paper_id == db.papers.c.id,
            among(self._connection, db.identifiers.c.kind, kinds),
        )
        is_due = or_(turn.c.paper_id.is_(None), turn.c.next_at <= now)
        wanted = (
            select(db.papers.c.id)
            .select_from(joined)
            .where(
                db.papers.c.counts_from > since,
                db.papers.c.counts_from <= now,
                STANDS,
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
        self._turn(enricher, dict.fromkeys(due, until), ("next_at",), asked_at=None)
        return due

    def asked(
        self, enricher: str, papers: Mapping[PaperId, datetime | None], *, now: datetime
    ) -> None:
        """Note when the service is asked again for each paper; None: never."""
        self._turn(enricher, papers, ("asked_at", "next_at"), asked_at=now)

    def _turn(
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
