"""Store the ledger: plan, cancel, read and count deliveries."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, text, union_all, update

from paperround.core.errors import Conflict, EditionCancelled
from paperround.core.jobs import DELIVER
from paperround.db.dialect import column_in, insert_new, next_ids
from paperround.db.driver import Columns, insert_many
from paperround.db.engine import enlarged_page_cache
from paperround.db.schema import tables as db
from paperround.db.transactions import Transaction
from paperround.delivery.ledger_model import (
    Backlog,
    Claimed,
    DeliveryContent,
    DueDelivery,
    LedgerTotals,
    NewDelivery,
    Planned,
    Shard,
    Undelivered,
)
from paperround.delivery.replies import HOLDING
from paperround.delivery.store.claim_statements import NO_LEASE, waiting
from paperround.delivery.store.claims import RELEASED, Claims
from paperround.delivery.store.day import editions_near
from paperround.delivery.store.history import record_sent, record_sent_again
from paperround.delivery.store.mapping import DELIVERIES, content_of_row, delivery_columns
from paperround.editions.lists import ListId
from paperround.editions.model import (
    DeliveryId,
    DeliveryState,
    DigestKind,
    EditionId,
    EditionState,
    SkipReason,
)
from paperround.editions.store.mapping import paper_columns
from paperround.subscribers.model import SubscriberId, SubscriberState
from paperround.subscribers.store.mapping import SUBSCRIPTION_COLUMNS, subscription_of

RECENT_EDITIONS = 8
"""How many editions of a list to search for its last email: two days of four cuts."""

# As text, because SQLite uses a partial index only if its condition occurs literally.
_MISSED = text("deliveries.state = 'expired' AND deliveries.reason = 'missed'")
_UNDELIVERED = text(
    "(deliveries.state IN ('failed', 'unknown', 'expired') OR deliveries.reason = 'cancelled')"
)

_AGAIN = db.deliveries.alias("again")
IS_REPLACED = exists().where(
    _AGAIN.c.list_id == db.deliveries.c.list_id,
    _AGAIN.c.subscriber_id == db.deliveries.c.subscriber_id,
    _AGAIN.c.kind == DigestKind.REPLACEMENT.value,
    _AGAIN.c.local_date == db.deliveries.c.local_date,
)
"""Whether the reader of this delivery has a replacement of that date; also true of a replacement
itself."""

_STOPPABLE = (
    DeliveryState.QUEUED.value,
    DeliveryState.DEFERRED.value,
    DeliveryState.CLAIMED.value,
)
"""States of an email whose final dot was not written."""


_Offer = tuple[EditionId, NewDelivery]


class Ledger(Claims[Claimed]):
    """The deliveries. A row without a final state is never deleted, a sent one never resent."""

    def __init__(self, work: Transaction) -> None:
        super().__init__(work, DELIVERIES)
        self._jobs = work.asks

    # --- planning ------------------------------------------------------------------------------

    def plan(
        self,
        edition: EditionId,
        list_id: ListId,
        rows: Sequence[NewDelivery],
        shard: Shard,
        *,
        now: datetime,
    ) -> int:
        """Insert the rows that are new by (list, subscriber, kind, local date) and whose reader
        still subscribes, record their papers as sent, and mark the shard as planned.

        Returns the number of rows inserted. Raises Conflict when another list has planned one of
        the papers meanwhile, and EditionCancelled.
        """
        offers = self._still_reading([(edition, row) for row in rows])
        added = self._add(offers, {edition: list_id}, now)
        mark = {
            "edition_id": edition,
            "number": shard.number,
            "after_id": shard.after,
            "through_id": shard.through,
            "rows": added,
            "planned_at": now,
        }  # a later planning of the shard only fills gaps and keeps this row
        self._connection.execute(insert_new(self._connection, db.shards), mark)
        return added

    def plan_due(self, due: Sequence[DueDelivery], *, now: datetime) -> int:
        """Insert the rows of subscriptions that are still due at their `due_at`, unless that local
        date has one, record their papers as sent, and set the next due time.

        Returns the number of rows inserted. Raises Conflict when another list has planned one of
        the papers meanwhile, and EditionCancelled.
        """
        still_due = self._still_due(due)
        if not still_due:
            return 0
        self._set_due_times(still_due)
        c, editions = db.editions.c, {one.edition_id for one in still_due}
        found = select(c.id, c.list_id).where(column_in(self._connection, c.id, editions))
        lists = {EditionId(id_): ListId(list_) for id_, list_ in self._connection.execute(found)}
        return self._add([(one.edition_id, one.row) for one in still_due], lists, now)

    def plan_again(
        self, list_id: ListId, rows: Sequence[tuple[EditionId, NewDelivery]], *, now: datetime
    ) -> int:
        """Insert missing replacements for readers who still subscribe, even of a cancelled edition,
        because an operator requested them. Returns the number of rows inserted."""
        offers = self._still_reading(rows)
        return self._add(offers, {edition: list_id for edition, _ in offers}, now)

    def _still_reading(self, offers: Sequence[_Offer]) -> list[_Offer]:
        """Return the offers whose subscription is still active, and lock the subscriptions: an
        erasure waits for this transaction and then sees its rows."""
        subscriptions = [row.subscription_id for _, row in offers]
        c = db.subscriptions.c
        found = self._connection.execute(
            select(c.id)
            .join_from(db.subscriptions, db.subscribers)
            .where(
                column_in(self._connection, c.id, subscriptions),
                c.state == SubscriberState.ACTIVE,
                db.subscribers.c.state == SubscriberState.ACTIVE,
            )
            .order_by(c.id)
            .with_for_update(read=True, of=db.subscriptions)
        )
        reading = set(found.scalars())
        return [(edition, row) for edition, row in offers if row.subscription_id in reading]

    def _still_due(self, due: Sequence[DueDelivery]) -> list[DueDelivery]:
        """Return those still due at the same time, and lock their subscriptions."""
        c, ids = db.subscriptions.c, [one.row.subscription_id for one in due]
        locked = self._connection.execute(
            select(c.id, c.due_at)
            .where(column_in(self._connection, c.id, ids))
            .order_by(c.id)
            .with_for_update()
        )
        due_at = dict(locked.all())
        return [one for one in due if due_at.get(one.row.subscription_id) == one.due_at]

    def _set_due_times(self, still_due: Sequence[DueDelivery]) -> None:
        """Set the next due times, with one update for all subscriptions that share one."""
        together: dict[datetime, list[int]] = {}
        for one in still_due:
            together.setdefault(one.next_due_at, []).append(one.row.subscription_id)
        c = db.subscriptions.c
        for due_at, people in together.items():
            self._connection.execute(
                update(db.subscriptions)
                .where(column_in(self._connection, c.id, people))
                .values(due_at=due_at)
            )

    def _add(
        self, offers: Sequence[_Offer], lists: Mapping[EditionId, ListId], now: datetime
    ) -> int:
        """Insert new rows with their papers, extend the life of their editions, and return the
        number of rows."""
        if not offers:
            return 0
        with enlarged_page_cache(self._connection):
            added = self._insert_rows(offers, lists, now)
            self._freeze_behind(added.values())
            record_sent(self._connection, [(id_, row) for id_, (_, row) in added.items()])
        self._require_not_cancelled(added.values())
        ends: dict[EditionId, datetime] = {}  # an edition lives until its last row expires
        for edition, row in added.values():
            ends[edition] = max(row.expires_at, ends.get(edition, row.expires_at))
        c = db.editions.c
        for edition, until in sorted(ends.items()):
            self._connection.execute(
                update(db.editions)
                .where(c.id == edition, or_(c.live_until.is_(None), c.live_until < until))
                .values(live_until=until)
            )
        return len(added)

    def _require_not_cancelled(self, added: Collection[_Offer]) -> None:
        """Raise EditionCancelled when one of the editions was cancelled, and lock them: a
        cancellation waits for this transaction and then sees its rows."""
        planned = {edition for edition, row in added if row.kind is not DigestKind.REPLACEMENT}
        if not planned:
            return
        c = db.editions.c
        states = self._connection.execute(
            select(c.state)
            .where(column_in(self._connection, c.id, planned))
            .order_by(c.id)
            .with_for_update(key_share=True)
        )
        if EditionState.CANCELLED in states.scalars().all():
            raise EditionCancelled("the edition was cancelled meanwhile: nothing more is planned")

    def _insert_rows(
        self, offers: Sequence[_Offer], lists: Mapping[EditionId, ListId], now: datetime
    ) -> Mapping[DeliveryId, _Offer]:
        """Insert the new rows and return them by id."""
        self._jobs[DELIVER.task] = DELIVER
        ids = next_ids(self._connection, db.deliveries, len(offers))
        offered = dict(zip(map(DeliveryId, ids), offers, strict=True))
        c, people = db.subscribers.c, [row.subscriber_id for _, row in offers]
        found = select(c.id, c.domain).where(column_in(self._connection, c.id, people))
        domains = dict(self._connection.execute(found).all())
        columns = delivery_columns([row for _, row in offers]) | {
            "id": ids,
            "edition_id": [edition for edition, _ in offers],
            "list_id": [lists[edition] for edition, _ in offers],
            "domain": [domains.get(row.subscriber_id) for _, row in offers],
            "created_at": [now] * len(offers),
        }
        inserting = insert_new(self._connection, db.deliveries)
        if insert_many(self._connection, inserting, Columns(columns)) == len(offers):
            return offered
        stored = self._connection.execute(
            select(db.deliveries.c.id).where(column_in(self._connection, db.deliveries.c.id, ids))
        )
        return {DeliveryId(id_): offered[DeliveryId(id_)] for id_ in stored.scalars()}

    def _freeze_behind(self, added: Collection[_Offer]) -> None:
        """Store the papers of these rows that their editions do not show. The first row with a
        paper determines how it looks."""
        each = {(edition, id(row.behind)): row.behind for edition, row in added}  # many share one
        behind = {
            (edition, paper.position): paper
            for (edition, _), papers in each.items()
            for paper in papers
        }
        rows = [paper_columns(edition, paper) for (edition, _), paper in behind.items()]
        insert_many(self._connection, insert_new(self._connection, db.behind_papers), rows)

    # --- cancelling and sending again ----------------------------------------------------------

    def cancel(self, edition: EditionId) -> int:
        """Skip every delivery of the edition before its final dot, and release the papers. A
        process that has claimed one cannot mark it. Returns the number skipped."""
        return self._move(
            db.deliveries.c.edition_id == edition,
            db.deliveries.c.state.in_(_STOPPABLE),
            state=DeliveryState.SKIPPED,
            reason=SkipReason.CANCELLED.value,
            token=SkipReason.CANCELLED.value,  # no claim has it; null would mean planned as skipped
            **NO_LEASE,
        )

    def count_stopped(self, edition: EditionId) -> int:
        """Return how many deliveries were skipped when the edition was cancelled."""
        c = db.deliveries.c
        stopped = (c.edition_id == edition, c.reason == SkipReason.CANCELLED.value)
        counting = select(func.count()).select_from(db.deliveries).where(*stopped)
        return self._connection.execute(counting).scalar_one()

    def queue_again(self, edition: EditionId, *, since: datetime) -> int:
        """Queue the deliveries again that were skipped when the edition was cancelled at `since`,
        with their papers. Raises Conflict when another delivery was planned for one of the readers
        since then. Returns the number queued."""
        c = db.deliveries.c
        stopped = (c.edition_id == edition, c.reason == SkipReason.CANCELLED.value)
        planned_since = exists().where(
            _AGAIN.c.subscriber_id == c.subscriber_id,
            _AGAIN.c.created_at >= since,
            _AGAIN.c.id != c.id,
        )
        rows = self._connection.execute(
            select(db.deliveries, db.subscribers.c.address, planned_since.label("planned_since"))
            .join_from(db.deliveries, db.subscribers)
            .where(*stopped)
        ).all()
        if any(row.planned_since for row in rows):
            raise Conflict("readers of this edition have other digests planned since")
        waits = {"state": DeliveryState.QUEUED.value, "reason": "", "token": None}
        self._connection.execute(update(db.deliveries).where(*stopped).values(waits))
        again = [(SubscriberId(row.subscriber_id), content_of_row(row)) for row in rows]
        record_sent_again(self._connection, edition, again)
        self._jobs[DELIVER.task] = DELIVER
        return len(rows)

    def undelivered(
        self, list_id: ListId, local_date: date, *, after: DeliveryId, limit: int
    ) -> list[Undelivered]:
        """Return the digests of that date that failed, expired, were cancelled, are unknown or were
        due before a restore, with an id above `after`, by id."""
        c = db.deliveries.c
        of_day = (c.list_id == list_id, c.local_date == local_date, c.id > after)
        before_restore = (
            c.edition_id.in_(editions_near(list_id, local_date)),
            c.state == DeliveryState.SKIPPED.value,
            c.reason == SkipReason.RESTORED.value,
        )
        # two statements, because SQLite uses no partial index for a part of an OR
        chosen = union_all(
            select(c.id).where(_UNDELIVERED, *of_day), select(c.id).where(*before_restore, *of_day)
        )
        rows = self._connection.execute(
            select(db.deliveries, db.subscribers.c.address, IS_REPLACED.label("replaced"))
            .join_from(db.deliveries, db.subscribers)
            .where(c.id.in_(chosen), c.kind == DigestKind.DIGEST.value)
            .order_by(c.id)
            .limit(limit)
        ).all()
        ids = [row.subscription_id for row in rows if row.subscription_id]
        found = self._connection.execute(
            select(*SUBSCRIPTION_COLUMNS)
            .join_from(db.subscriptions, db.subscribers)
            .where(column_in(self._connection, db.subscriptions.c.id, ids))
        )
        subscriptions = {row.id: subscription_of(row) for row in found}
        return [
            Undelivered(
                content=content_of_row(row),
                state=DeliveryState(row.state),
                reason=row.reason,
                subscription=subscriptions.get(row.subscription_id),
                replaced=bool(row.replaced),
            )
            for row in rows
        ]

    # --- reading and counting ------------------------------------------------------------------

    def planned_subscribers(
        self,
        list_id: ListId,
        subscribers: Collection[SubscriberId],
        kind: DigestKind,
        local_date: date,
    ) -> frozenset[SubscriberId]:
        """Return those of `subscribers` that have a row of this kind and date."""
        found = self._connection.execute(
            select(db.deliveries.c.subscriber_id).where(
                db.deliveries.c.list_id == list_id,
                db.deliveries.c.kind == kind.value,
                db.deliveries.c.local_date == local_date,
                column_in(self._connection, db.deliveries.c.subscriber_id, subscribers),
            )
        )
        return frozenset(SubscriberId(person) for person in found.scalars())

    def find(
        self, list_id: ListId, subscriber: SubscriberId, kind: DigestKind, local_date: date
    ) -> DeliveryContent | None:
        """Return the content of a delivery, None if there is no such row."""
        return self._content(
            db.deliveries.c.list_id == list_id,
            db.deliveries.c.subscriber_id == subscriber,
            db.deliveries.c.kind == kind.value,
            db.deliveries.c.local_date == local_date,
        )

    def get(self, delivery: DeliveryId) -> DeliveryContent | None:
        """Return the content of the delivery with this id, None if there is no such row."""
        return self._content(db.deliveries.c.id == delivery)

    def _content(self, *which: ColumnElement[bool]) -> DeliveryContent | None:
        row = self._connection.execute(
            select(db.deliveries, db.subscribers.c.address)
            .join_from(db.deliveries, db.subscribers)
            .where(*which)
        ).one_or_none()
        return None if row is None else content_of_row(row)

    def last_digests(
        self,
        list_id: ListId,
        subscribers: Collection[SubscriberId],
        *,
        since: date,
        before: date,
    ) -> dict[SubscriberId, tuple[date, datetime]]:
        """Return the date of each person's last digest from `since` until before `before`, and when
        its edition was ranked; without those whose digests did not reach them."""
        c = db.deliveries.c
        rows = self._connection.execute(
            select(c.subscriber_id, func.max(c.local_date), func.max(db.editions.c.as_of))
            .join_from(db.deliveries, db.editions)
            .where(
                c.list_id == list_id,
                column_in(self._connection, c.subscriber_id, subscribers),
                c.kind == DigestKind.DIGEST.value,
                c.local_date >= since,
                c.local_date < before,
                c.state.not_in(RELEASED),
            )
            .group_by(c.subscriber_id)
        )
        return {SubscriberId(person): (day, as_of) for person, day, as_of in rows}

    def planned(self, edition: EditionId) -> Planned:
        """Return how many rows the edition has, and how many were planned as skipped, by reason.

        Only the skipped ones are grouped: SQLite sorts them for that, in 2 MB if they are many.
        """
        c = db.deliveries.c
        rows = select(func.count()).where(c.edition_id == edition)
        skipped = self._connection.execute(
            select(c.reason, func.count())
            .where(
                c.edition_id == edition,
                c.state == DeliveryState.SKIPPED.value,
                c.token.is_(None),  # it was never claimed
            )
            .group_by(c.reason)
        )
        count = self._connection.execute(rows).scalar_one()
        return Planned(rows=count, skipped=dict(skipped.all()))

    def backlog(self, list_id: ListId, *, now: datetime) -> Backlog:
        """Return the rows of the list's living editions by state, and when the oldest waiting email
        was due, of all and of those not held back by their recipient."""
        c = db.deliveries.c
        alive = select(db.editions.c.id).where(
            db.editions.c.list_id == list_id, db.editions.c.live_until > now
        )
        unanswered = and_(c.code.is_(None), c.breakdowns == 0)
        refused = or_(*(c.reason.startswith(f"{word}: ", autoescape=True) for word in HOLDING))
        return Backlog(
            by_state=self._by_state(c.edition_id.in_(alive)),
            oldest_due=self._oldest(list_id),
            oldest_held_due=self._oldest(list_id, or_(unanswered, refused)),
        )

    def _oldest(self, list_id: ListId, *which: ColumnElement[bool]) -> datetime | None:
        oldest = select(func.min(db.deliveries.c.due_at)).where(
            waiting(db.deliveries), db.deliveries.c.list_id == list_id, *which
        )
        found: datetime | None = self._connection.execute(oldest).scalar_one()
        return found

    def last_sent(self, list_id: ListId) -> datetime | None:
        """Return when an email of the list's latest editions was last sent, None if none was. This
        reads every delivery of those editions, so do not call it often."""
        c = db.deliveries.c
        sent = c.state == DeliveryState.SENT.value
        latest = (
            select(db.editions.c.id)
            .where(
                db.editions.c.list_id == list_id,
                exists().where(c.edition_id == db.editions.c.id, sent),
            )
            .order_by(db.editions.c.cut_at.desc())
            .limit(RECENT_EDITIONS)
        )
        last = select(func.max(c.sent_at)).where(c.edition_id.in_(latest), sent)
        found: datetime | None = self._connection.execute(last).scalar_one()
        return found

    def missed(self, list_id: ListId, *, since: date) -> Mapping[date, int]:
        """Return how many digests of the list were missed since `since`, by local date."""
        c = db.deliveries.c
        counted = self._connection.execute(
            select(c.local_date, func.count())
            .where(_MISSED, c.list_id == list_id, c.local_date >= since)
            .group_by(c.local_date)
            .order_by(c.local_date)
        )
        return dict(counted.all())

    def totals(self, *, now: datetime) -> LedgerTotals:
        """Return the totals of the living editions."""
        live = select(db.editions.c.id).where(db.editions.c.live_until > now)
        return self._totals(db.deliveries.c.edition_id.in_(live))
