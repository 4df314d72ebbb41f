"""The ledger: planning rows, and counting what became of them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.exc import IntegrityError

from paperround.domain.deliveries import DeliveryId, DeliveryState
from paperround.domain.digests import DigestKind
from paperround.domain.editions import EditionId
from paperround.domain.errors import Conflict
from paperround.domain.ledger import LedgerTotals, NewDelivery, Planned, Shard, Slip
from paperround.domain.lists import ListId
from paperround.domain.subscribers import SubscriberId
from paperround.store import schema as db
from paperround.store.bulk import insert_many
from paperround.store.claims import Claims
from paperround.store.dialect import among, insert_new, insert_row, is_duplicate, next_ids

_UNSETTLED = {
    DeliveryState.CLAIMED: DeliveryState.QUEUED,
    DeliveryState.IN_DATA: DeliveryState.QUEUED,
}
"""How states that nobody need know about are counted."""


class SqlLedger(Claims):
    """The ledger of one transaction."""

    def plan(
        self,
        edition: EditionId,
        list_id: ListId,
        rows: Sequence[NewDelivery],
        shard: Shard,
        *,
        now: datetime,
    ) -> int:
        """Insert the rows that (list, subscriber, kind, local date) does not hold yet, the papers
        of the inserted ones into each person's memory, and the shard's mark. Returns how many rows
        went in; raises Conflict when another list took one of the papers meanwhile."""
        added = self._insert_rows(edition, list_id, rows, now)
        self._remember(added)
        self._mark(edition, shard, len(added), now)
        self._keep_live(edition, list(added.values()))
        return len(added)

    def _insert_rows(
        self, edition: EditionId, list_id: ListId, rows: Sequence[NewDelivery], now: datetime
    ) -> Mapping[DeliveryId, NewDelivery]:
        """The rows that went in, under their ids."""
        if not rows:
            return {}
        offered = dict(
            zip(
                map(DeliveryId, next_ids(self._connection, db.deliveries, len(rows))),
                rows,
                strict=True,
            )
        )
        domains = self._domains([row.subscriber_id for row in rows])
        shared = {"edition_id": edition, "list_id": list_id, "created_at": now}
        insert_many(
            self._connection,
            insert_new(self._connection, db.deliveries),
            [
                _row(row) | shared | {"id": id_, "domain": domains.get(row.subscriber_id)}
                for id_, row in offered.items()
            ],
        )
        stored = self._connection.execute(
            select(db.deliveries.c.id).where(among(self._connection, db.deliveries.c.id, offered))
        )
        return {DeliveryId(id_): offered[DeliveryId(id_)] for id_ in stored.scalars()}

    def _domains(self, people: Collection[SubscriberId]) -> dict[int, str]:
        found = self._connection.execute(
            select(db.subscribers.c.id, db.subscribers.c.domain).where(
                among(self._connection, db.subscribers.c.id, people)
            )
        )
        return dict(found.all())

    def _remember(self, added: Mapping[DeliveryId, NewDelivery]) -> None:
        """Into each person's memory: a paper a digest carries must be new to them.

        Round-ups and replacements repeat papers on purpose, so they only add what is missing.
        """
        digests = [one for one in added.items() if one[1].kind is DigestKind.DIGEST]
        others = [one for one in added.items() if one[1].kind is not DigestKind.DIGEST]
        try:
            insert_many(self._connection, insert_row(db.sent_papers), _memories(digests))
        except IntegrityError as error:
            if is_duplicate(error):
                raise Conflict("another list took one of these papers: choose again") from error
            raise
        missing = insert_new(self._connection, db.sent_papers)
        insert_many(self._connection, missing, _memories(others))

    def _mark(self, edition: EditionId, shard: Shard, rows: int, now: datetime) -> None:
        """The first planning of a shard leaves its mark; later ones only fill gaps."""
        mark = {
            "edition_id": edition,
            "number": shard.number,
            "after_id": shard.after,
            "through_id": shard.through,
            "rows": rows,
            "planned_at": now,
        }
        self._connection.execute(insert_new(self._connection, db.shards), mark)

    def _keep_live(self, edition: EditionId, rows: Sequence[NewDelivery]) -> None:
        if not rows:
            return
        until = max(row.expires_at for row in rows)
        self._connection.execute(
            update(db.editions)
            .where(
                db.editions.c.id == edition,
                func.coalesce(db.editions.c.live_until < until, True),
            )
            .values(live_until=until)
        )

    # --- reading and counting ------------------------------------------------------------------

    def planned_subscribers(
        self,
        list_id: ListId,
        subscribers: Collection[SubscriberId],
        kind: DigestKind,
        local_date: date,
    ) -> frozenset[SubscriberId]:
        """Those of `subscribers` that have their row of that day."""
        found = self._connection.execute(
            select(db.deliveries.c.subscriber_id).where(
                db.deliveries.c.list_id == list_id,
                db.deliveries.c.kind == kind.value,
                db.deliveries.c.local_date == local_date,
                among(self._connection, db.deliveries.c.subscriber_id, subscribers),
            )
        )
        return frozenset(SubscriberId(person) for person in found.scalars())

    def find(
        self, list_id: ListId, subscriber: SubscriberId, kind: DigestKind, local_date: date
    ) -> Slip | None:
        """What the mail of that row is made of, None when there is no such row."""
        row = self._connection.execute(
            select(db.deliveries, db.subscribers.c.address)
            .join_from(db.deliveries, db.subscribers)
            .where(
                db.deliveries.c.list_id == list_id,
                db.deliveries.c.subscriber_id == subscriber,
                db.deliveries.c.kind == kind.value,
                db.deliveries.c.local_date == local_date,
            )
        ).one_or_none()
        return None if row is None else _slip(row)

    def planned(self, edition: EditionId) -> Planned:
        """How many rows the edition has, and how many were born skipped, by reason."""
        born_skipped = (db.deliveries.c.state == DeliveryState.SKIPPED.value) & (
            db.deliveries.c.token.is_(None)
        )
        found = self._connection.execute(
            select(born_skipped, db.deliveries.c.reason, func.count())
            .where(db.deliveries.c.edition_id == edition)
            .group_by(born_skipped, db.deliveries.c.reason)
        ).all()
        return Planned(
            rows=sum(count for _, _, count in found),
            skipped={reason: count for skipped, reason, count in found if skipped},
        )

    def totals(self, *, now: datetime) -> LedgerTotals:
        """Over every edition whose digest life has not ended, open or complete."""
        live = select(db.editions.c.id).where(db.editions.c.live_until > now)
        return self._totals(
            select(db.deliveries.c.state, func.count())
            .where(db.deliveries.c.edition_id.in_(live))
            .group_by(db.deliveries.c.state)
        )

    def notice_totals(self, *, now: datetime) -> LedgerTotals:
        """Over every notice whose life has not ended."""
        return self._totals(
            select(db.notices.c.state, func.count())
            .where(db.notices.c.expires_at > now)
            .group_by(db.notices.c.state)
        )

    def _totals(self, counting: Select[Any]) -> LedgerTotals:
        counts = Counter[str]()
        for state, count in self._connection.execute(counting):
            counts[_UNSETTLED.get(state, state)] += count
        return LedgerTotals(**counts)


def _row(row: NewDelivery) -> dict[str, Any]:
    return {
        "subscriber_id": row.subscriber_id,
        "subscription_id": row.subscription_id,
        "kind": row.kind.value,
        "local_date": row.local_date,
        "positions": [position for _, position in row.papers],
        "state": row.state.value,
        "reason": row.reason,
        "due_at": row.due_at,
        "next_at": row.due_at,
        "expires_at": row.expires_at,
        "attempts": 0,
        "breakdowns": 0,
        "message_id": row.message_id,
        "dated": row.dated,
        "key_id": row.key_id,
        "nonce": row.nonce,
    }


def _slip(row: Row[Any]) -> Slip:
    return Slip(
        row=row.id,
        edition_id=EditionId(row.edition_id),
        address=row.address or "",
        positions=tuple(row.positions),
        local_date=row.local_date,
        message_id=row.message_id,
        dated=row.dated,
        key_id=row.key_id,
        nonce=row.nonce,
    )


def _memories(added: Collection[tuple[DeliveryId, NewDelivery]]) -> list[dict[str, int]]:
    return [
        {"subscriber_id": row.subscriber_id, "paper_id": paper, "delivery_id": id_}
        for id_, row in added
        for paper, _ in row.papers
    ]
