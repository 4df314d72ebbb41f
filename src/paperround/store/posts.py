"""Posts: the rows of the ledger that go to channels, which no sender of mails takes up.

A channel is a line of its own, so that one that has to wait holds up no other. They are looked for
from the channels on: there are few of them, however many mails wait in the same table.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, literal, or_, select

from paperround.domain.deliveries import DeliveryId, Lease
from paperround.domain.digests import DigestKind, SkipReason
from paperround.domain.editions import EditionState
from paperround.domain.posts import ClaimedPost
from paperround.domain.subscribers import SubscriberState
from paperround.store import schema as db
from paperround.store.channel_rows import CHANNEL_COLUMNS, channel_of
from paperround.store.claim_statements import waiting
from paperround.store.claims import Book, Claims
from paperround.store.delivery_rows import claimed_of, release_papers
from paperround.store.dialect import upsert

_HEAD = (
    select(func.min(db.deliveries.c.next_at))
    .where(waiting(db.deliveries), db.deliveries.c.subscriber_id == db.channels.c.subscriber_id)
    .correlate(db.channels)
    .scalar_subquery()
)
_HEADS = select(db.channels.c.subscriber_id, _HEAD.label("head")).where(
    db.channels.c.paused_at.is_(None)
)
"""When the first post that waits for each channel that is not paused may go."""

_DUE: Select[Any] = (
    select(
        *db.deliveries.c,
        *CHANNEL_COLUMNS,
        db.deliveries.c.subscription_id.label("channel_subscription"),
        literal("").label("address"),
        func.coalesce(db.post_progress.c.taken, 0).label("taken"),
        db.subscribers.c.state.label("person_state"),
        db.subscriptions.c.state.label("subscription_state"),
        db.editions.c.state.label("edition_state"),
    )
    .select_from(db.deliveries)
    .join(db.channels, db.deliveries.c.subscriber_id == db.channels.c.subscriber_id)
    .join(db.subscribers, db.deliveries.c.subscriber_id == db.subscribers.c.id)
    .join(db.editions, db.deliveries.c.edition_id == db.editions.c.id)
    .join(db.lists, db.deliveries.c.list_id == db.lists.c.id)
    .outerjoin(db.subscriptions, db.deliveries.c.subscription_id == db.subscriptions.c.id)
    .outerjoin(db.post_progress, db.deliveries.c.id == db.post_progress.c.delivery_id)
    .where(waiting(db.deliveries), db.lists.c.paused_at.is_(None))
)

_MAY_GO = (
    select(literal(1))
    .where(
        db.lists.c.id == db.deliveries.c.list_id,
        db.lists.c.paused_at.is_(None),
        db.editions.c.id == db.deliveries.c.edition_id,
        or_(
            db.editions.c.state != EditionState.CANCELLED.value,
            db.deliveries.c.kind == DigestKind.REPLACEMENT.value,  # asked for since
        ),
        db.channels.c.subscriber_id == db.deliveries.c.subscriber_id,
        db.channels.c.paused_at.is_(None),
        db.subscribers.c.id == db.deliveries.c.subscriber_id,
        db.subscribers.c.state == SubscriberState.ACTIVE.value,
        db.subscriptions.c.id == db.deliveries.c.subscription_id,
        db.subscriptions.c.state == SubscriberState.ACTIVE.value,
    )
    .correlate(db.deliveries)
    .exists()
)


def _lines(connection: Connection, now: datetime) -> list[int]:
    heads = [(head, id_) for id_, head in connection.execute(_HEADS) if head is not None]
    return [id_ for head, id_ in sorted(heads) if head <= now]


def _why_not(row: Row[Any]) -> SkipReason | None:
    if row.edition_state == EditionState.CANCELLED and row.kind != DigestKind.REPLACEMENT:
        return SkipReason.CANCELLED
    active = row.person_state == row.subscription_state == SubscriberState.ACTIVE
    return None if active else SkipReason.UNSUBSCRIBED


def _claimed(row: Row[Any], lease: Lease) -> ClaimedPost:
    return ClaimedPost(row=claimed_of(row, lease), channel=channel_of(row), taken=row.taken)


POSTS: Book[ClaimedPost] = Book(
    table=db.deliveries,
    due=_DUE,
    lines=_lines,
    in_line=db.deliveries.c.subscriber_id == bindparam("b_line"),
    why_not=_why_not,
    may_go=_MAY_GO,
    claimed=_claimed,
    unsent=release_papers,
)
"""The book of posts. Rows of a paused list or channel wait."""


class SqlPosts(Claims[ClaimedPost]):
    """The posts of one transaction."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, POSTS)

    def note_taken(self, post: DeliveryId, messages: int) -> None:
        """So many messages of the post were taken so far."""
        noting = upsert(self._connection, db.post_progress, ("delivery_id",), ("taken",))
        self._connection.execute(noting, {"delivery_id": post, "taken": messages})
