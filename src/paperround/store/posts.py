"""Posts: the rows of the ledger that go to channels, which no sender of mails takes up.

A channel is a line of its own, so that one that has to wait holds up no other. They are looked for
from the channels on: there are few of them, however many mails wait in the same table.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, literal, select, update

from paperround.domain.deliveries import DeliveryId, Lease
from paperround.domain.digests import DigestKind, SkipReason
from paperround.domain.editions import EditionState
from paperround.domain.papers import PaperId
from paperround.domain.posts import ClaimedPost
from paperround.domain.subscribers import SubscriberState
from paperround.store import schema as db
from paperround.store.channel_rows import CHANNEL_COLUMNS, channel_of
from paperround.store.claim_statements import waiting
from paperround.store.claims import Book, Claims
from paperround.store.delivery_rows import claimed_of, may_go, release_papers
from paperround.store.dialect import among, upsert
from paperround.store.pacing import Gate
from paperround.store.sealing import Seal

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
    .where(waiting(db.deliveries), db.lists.c.paused_at.is_(None))
)

_IN_LINE = db.deliveries.c.subscriber_id == bindparam("b_line")
_MAY_GO = may_go(
    db.channels.c.subscriber_id == db.deliveries.c.subscriber_id, db.channels.c.paused_at.is_(None)
)


def _lines(connection: Connection, now: datetime) -> list[int]:
    heads = [(head, id_) for id_, head in connection.execute(_HEADS) if head is not None]
    return [id_ for head, id_ in sorted(heads) if head <= now]


def _why_not(row: Row[Any]) -> SkipReason | None:
    if row.edition_state == EditionState.CANCELLED and row.kind != DigestKind.REPLACEMENT:
        return SkipReason.CANCELLED
    active = row.person_state == row.subscription_state == SubscriberState.ACTIVE
    return None if active else SkipReason.UNSUBSCRIBED


def _claimed(seal: Seal, row: Row[Any], lease: Lease) -> ClaimedPost:
    return ClaimedPost(row=claimed_of(row, lease), channel=channel_of(row, seal))


def _book(seal: Seal) -> Book[ClaimedPost]:
    """The book of posts. Rows of a paused list or channel wait."""
    return Book(
        table=db.deliveries,
        due=_DUE,
        lines=_lines,
        in_line=_IN_LINE,
        why_not=_why_not,
        may_go=_MAY_GO,
        claimed=partial(_claimed, seal),
        unsent=release_papers,
    )


class PostLedger(Claims[ClaimedPost]):
    """The rows of the ledger that are posts. The rules are those of mail; rows of a paused
    channel wait."""

    def __init__(self, connection: Connection, seal: Seal) -> None:
        super().__init__(connection, _book(seal))

    def claim(
        self,
        lease: Lease,
        *,
        limit: int,
        now: datetime,
        without: Collection[DeliveryId] = (),
        gate: Gate | None = None,
    ) -> list[ClaimedPost]:
        """As every book. How far a post has got is read once it is ours: beside the row that was
        waited for it may stand as it was before another process moved it."""
        claimed = super().claim(lease, limit=limit, now=now, without=without, gate=gate)
        taken = self._taken([one.row.id for one in claimed])
        return [replace(one, taken=taken.get(one.row.id, 0)) for one in claimed]

    def _taken(self, posts: Collection[DeliveryId]) -> dict[DeliveryId, int]:
        c = db.post_progress.c
        found = select(c.delivery_id, c.taken).where(among(self._connection, c.delivery_id, posts))
        return {DeliveryId(post): taken for post, taken in self._connection.execute(found)}

    def note_taken(self, post: DeliveryId, messages: int, shown: Collection[PaperId]) -> None:
        """So many messages of the post were taken so far, and showed these papers. They stay in the
        channel's memory whatever becomes of the rest."""
        noting = upsert(self._connection, db.post_progress, ("delivery_id",), ("taken",))
        self._connection.execute(noting, {"delivery_id": post, "taken": messages})
        c = db.sent_papers.c
        self._connection.execute(
            update(db.sent_papers)
            .where(c.delivery_id == post, among(self._connection, c.paper_id, shown))
            .values(delivery_id=None)
        )
