"""How far digests are, and which came late: counted over the ledger, for a person who asks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, select

from paperround.domain.deliveries import DeliveryState
from paperround.domain.lists import ListId
from paperround.store import schema as db
from paperround.store.claim_statements import waiting

MOST_HOURS = 200
"""How many due instants of a day are looked at: the hours of readers, and a few of newcomers."""

Late = tuple[datetime, int, datetime, datetime]
"""A due instant, how many left late, and when the first and the last of them left."""


def waiting_now(connection: Connection, list_id: ListId, *, until: datetime) -> int:
    """How many mails of the list may leave by then and have not."""
    c = db.deliveries.c
    counting = select(func.count()).where(
        waiting(db.deliveries), c.list_id == list_id, c.next_at <= until
    )
    return connection.execute(counting).scalar_one()


def left_since(
    connection: Connection, list_id: ListId, *, since: datetime, now: datetime
) -> tuple[int, datetime | None]:
    """How many mails of the list left since then, and when the first of them did."""
    c = db.deliveries.c
    counted = connection.execute(
        select(func.count(), func.min(c.sent_at)).where(
            c.edition_id.in_(_living(list_id, now)),
            c.state == DeliveryState.SENT.value,
            c.sent_at >= since,
        )
    ).one()
    return counted[0], counted[1]


def late(
    connection: Connection, list_id: ListId, *, since: datetime, by: timedelta, now: datetime
) -> list[Late]:
    """Mails due since then that left at the first try and later than `by` after they were due."""
    c = db.deliveries.c
    sent_at_once = (
        c.edition_id.in_(_living(list_id, now)),
        c.state == DeliveryState.SENT.value,
        c.attempts == 1,
        c.due_at >= since,
    )
    hours: Sequence[Any] = connection.execute(
        select(c.due_at, func.max(c.sent_at))
        .where(*sent_at_once)
        .group_by(c.due_at)
        .order_by(c.due_at)
        .limit(MOST_HOURS)
    ).all()
    found = []
    for due_at, last in hours:
        if last - due_at >= by:
            counted = connection.execute(
                select(func.count(), func.min(c.sent_at), func.max(c.sent_at)).where(
                    *sent_at_once, c.due_at == due_at, c.sent_at >= due_at + by
                )
            ).one()
            found.append((due_at, *counted))
    return found


def _living(list_id: ListId, now: datetime) -> Select[Any]:
    return select(db.editions.c.id).where(
        db.editions.c.list_id == list_id, db.editions.c.live_until > now
    )
