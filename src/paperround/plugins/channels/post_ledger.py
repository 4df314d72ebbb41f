"""Store channel posts: the ledger rows that go to channels instead of mailboxes.

Each channel is a line of its own, so that one that waits does not hold up others. Queries start
from the channels table, which is small however many emails wait in the ledger.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, func, select, update

from paperround.db.dialect import column_in, upsert
from paperround.db.schema import tables as db
from paperround.db.transactions import Transaction
from paperround.delivery.ledger_model import Claimed
from paperround.delivery.model import Lease
from paperround.delivery.store.claim_statements import waiting
from paperround.delivery.store.claims import Claims
from paperround.delivery.store.mapping import DELIVERIES, due_lines, due_rows, sendable_now
from paperround.delivery.store.rates import Gate
from paperround.editions.model import DeliveryId
from paperround.papers.model import PaperId

_OF_CHANNEL = db.channels.c.subscriber_id == db.deliveries.c.subscriber_id

_FIRST_DUE = (
    select(func.min(db.deliveries.c.next_at))
    .where(waiting(db.deliveries), _OF_CHANNEL)
    .correlate(db.channels)
    .scalar_subquery()
)
_FIRST_DUES = select(db.channels.c.subscriber_id, _FIRST_DUE.label("head")).where(
    db.channels.c.paused_at.is_(None)
)
"""For each channel that is not paused, when its first waiting post may go."""


POSTS = replace(
    DELIVERIES,
    due=due_rows(db.channels.c.name).join(db.channels, _OF_CHANNEL),
    lines=partial(due_lines, _FIRST_DUES),
    in_line=db.deliveries.c.subscriber_id == bindparam("b_line"),
    may_go=sendable_now(_OF_CHANNEL, db.channels.c.paused_at.is_(None)),
)
"""The ledger table of posts. Rows of a paused list or channel wait."""


class PostLedger(Claims[Claimed]):
    """The channel posts in the ledger. They follow the rules of email."""

    def __init__(self, work: Transaction) -> None:
        super().__init__(work, POSTS)

    def claim(
        self,
        lease: Lease,
        *,
        limit: int,
        now: datetime,
        without: Collection[DeliveryId] = (),
        gate: Gate | None = None,
    ) -> list[Claimed]:
        """Lease due posts. Their progress is read after the claim: a join in the locking statement
        could return it as it was before another process changed it."""
        claimed = super().claim(lease, limit=limit, now=now, without=without, gate=gate)
        c, posts = db.post_progress.c, [one.id for one in claimed]
        found = select(c.delivery_id, c.taken).where(
            column_in(self._connection, c.delivery_id, posts)
        )
        taken = dict(self._connection.execute(found).all())
        return [
            replace(one, taken=taken[one.id], attempts=one.attempts - taken[one.id])
            if one.id in taken
            else one
            for one in claimed
        ]

    def note_taken(self, post: DeliveryId, messages: int, shown: Collection[PaperId]) -> None:
        """Store that `messages` messages of the post, with the papers `shown`, were accepted. These
        papers stay recorded as sent even if the rest fails."""
        saving = upsert(self._connection, db.post_progress, ("delivery_id",), ("taken",))
        self._connection.execute(saving, {"delivery_id": post, "taken": messages})
        c = db.sent_papers.c
        self._connection.execute(
            update(db.sent_papers)
            .where(c.delivery_id == post, column_in(self._connection, c.paper_id, shown))
            .values(delivery_id=None)
        )
