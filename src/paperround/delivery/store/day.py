"""Query one date of a list: the outcomes of its digests, and when the next are due."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, func, select, true

from paperround.core.times import is_zone, local_date
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.delivery.model import IN_OUTBOX
from paperround.editions.lists import ListId
from paperround.editions.model import DeliveryState, DigestKind
from paperround.subscribers.model import SubscriberId, SubscriberState

_NEAR = timedelta(days=2)
"""More than the local date of a reader can differ from the date of the edition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeTally:
    """How many digests of a date have this state and reason; `first_sent_at` is when the first was
    sent, `next_at` when the first waiting one is tried. `reply` is what the mail server said to the
    newest, and may contain an address. `is_in_outbox`: they were kept in the outbox, because no
    relay was set."""

    state: DeliveryState
    reason: str
    count: int
    first_sent_at: datetime | None
    next_at: datetime | None
    reply: str
    is_in_outbox: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTally:
    """How many readers are due by some instant and not planned, and when the first of them is."""

    count: int
    first_at: datetime | None


def editions_near(list_id: ListId, day: date) -> Select[Any]:
    """Select the ids of the editions that digests for the local date `day` may belong to."""
    e = db.editions.c
    return select(e.id).where(e.list_id == list_id, e.day.between(day - _NEAR, day + _NEAR))


class DayStore(Store):
    """Read-only queries on one date of a list."""

    def outcomes(
        self, list_id: ListId, day: date, person: SubscriberId | None = None
    ) -> list[OutcomeTally]:
        """Return the outcomes of the digests for the local date `day`, of all readers or of one
        person, the most frequent first."""
        c = db.deliveries.c
        kept = case((c.reply == IN_OUTBOX, 1), else_=0).label("kept")
        tallied = (
            select(
                c.state,
                c.reason,
                kept,
                func.count().label("mails"),
                func.min(c.sent_at).label("first_sent_at"),
                func.min(c.next_at).label("next_at"),
                func.max(c.id).label("newest"),
            )
            .where(
                c.edition_id.in_(editions_near(list_id, day)),
                c.list_id == list_id,
                c.local_date == day,
            )
            .group_by(c.state, c.reason, kept.name)
        )
        if person is not None:
            tallied = tallied.where(c.subscriber_id == person)
        found = tallied.subquery()
        replies = select(found, c.reply).join(db.deliveries, c.id == found.c.newest)
        tallies = [
            OutcomeTally(
                state=DeliveryState(row.state),
                reason=row.reason,
                count=row.mails,
                first_sent_at=row.first_sent_at,
                next_at=row.next_at,
                reply=row.reply or "",
                is_in_outbox=bool(row.kept),
            )
            for row in self._connection.execute(replies)
        ]
        return sorted(tallies, key=lambda one: (-one.count, one.state, one.reason))

    def due(
        self, list_id: ListId, *, zone: str, after: datetime | None, until: datetime
    ) -> DueTally:
        """Return how many active readers are due by `until`, and after `after` if given, without
        those whose date then has a row already, as after an edition was sent by hand. `zone` is
        that of readers without one."""
        c, p, d = db.subscriptions.c, db.subscribers.c, db.deliveries.c
        taken = (
            select(func.max(d.local_date))
            .where(
                d.list_id == c.list_id,
                d.subscriber_id == c.subscriber_id,
                d.kind == DigestKind.DIGEST.value,
            )
            .correlate(db.subscriptions)
            .scalar_subquery()
        )
        due = (
            select(c.due_at, c.timezone, taken.label("taken"))
            .join_from(db.subscriptions, db.subscribers)
            .where(
                c.list_id == list_id,
                c.state == SubscriberState.ACTIVE.value,
                p.state == SubscriberState.ACTIVE.value,
                c.due_at <= until,
                true() if after is None else c.due_at > after,
            )
            .subquery()
        )
        key = (due.c.due_at, due.c.timezone, due.c.taken)
        count, first = 0, None
        for due_at, own, day, people in self._connection.execute(
            select(*key, func.count()).group_by(*key).order_by(due.c.due_at)
        ):
            if day is None or local_date(due_at, own if is_zone(own) else zone) > day:
                count, first = count + people, first or due_at
        return DueTally(count=count, first_at=first)
