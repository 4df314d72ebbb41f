"""Store channels, and the ledger rows that go to them instead of mailboxes.

A channel is a subscriber of another kind, with a hook instead of an address. Its address is empty,
so it can never be mailed by mistake. `domain` contains its kind: the ledger copies it to each post,
and stores replies only if it is set. Hooks and their keys are stored encrypted.

For claims each channel is a queue of its own, so that one that waits does not block the others.
Queries start from the channels table, which is small however many emails wait in the ledger.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Select, bindparam, func, insert, select, update

from paperround.core.errors import AlreadyTaken, Misconfigured, NotFound
from paperround.db.dialect import column_in, insert_new, upsert
from paperround.db.encryption import SecretCipher
from paperround.db.mapping import value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Transaction
from paperround.delivery.ledger_model import Claimed
from paperround.delivery.model import Lease
from paperround.delivery.store.claim_statements import NO_LEASE, waiting
from paperround.delivery.store.claims import Claims
from paperround.delivery.store.erasure import Erasure
from paperround.delivery.store.mapping import DELIVERIES, due_lines, due_rows, sendable_now
from paperround.delivery.store.rates import Gate
from paperround.editions.lists import MailingList
from paperround.editions.model import DeliveryId, DeliveryState, SkipReason
from paperround.papers.model import PaperId
from paperround.plugins.channels.model import Channel, ChannelKind, Hook
from paperround.subscribers.model import Preferences, SubscriberId, SubscriberState
from paperround.subscribers.store.mapping import (
    PREFERENCE_COLUMNS,
    preference_columns,
    preferences_of,
)
from paperround.subscribers.store.preferences import Interests

UNTIL_RESUMED = date.max
"""The end of a pause without an end: each day of it has a skipped row."""

_C = db.channels.c
_CHANNEL = _C.subscriber_id
_SUBSCRIPTION = db.subscriptions.c.subscriber_id
_PERSON = db.subscribers.c.id
"""The columns with the id of a channel in each of its tables."""

_CHANNELS: Select[Any] = (
    select(
        db.channels,
        db.subscribers.c.kind,
        db.lists.c.name.label("list_name"),
        db.subscriptions.c.id.label("subscription_id"),
        db.subscriptions.c.due_at,
        *PREFERENCE_COLUMNS,
    )
    .select_from(db.channels)
    .join(db.subscribers, _C.subscriber_id == db.subscribers.c.id)
    .join(db.subscriptions, db.subscriptions.c.subscriber_id == db.subscribers.c.id)
    .join(db.lists, db.subscriptions.c.list_id == db.lists.c.id)
)


class ChannelStore(Interests):
    """The channels of an installation."""

    def __init__(self, work: Transaction) -> None:
        super().__init__(work)
        self._cipher = work.seal
        self._people = work[Erasure]

    # --- reading -------------------------------------------------------------------------------

    def exist(self) -> bool:
        """Whether there are channels."""
        return self._connection.execute(select(_C.name).limit(1)).first() is not None

    def all(self) -> list[Channel]:
        """Return all channels, by name."""
        return self._read(order=_C.name)

    def page(self, after: SubscriberId, *, limit: int) -> list[Channel]:
        """Return channels with an id above `after`, by id."""
        return self._read(_C.subscriber_id > after, limit=limit)

    def find(self, name: str) -> Channel:
        """Return the channel with this name. Raises NotFound with the existing names."""
        if found := self._read(_C.name == name):
            return found[0]
        names = ", ".join(one.name for one in self.all())
        raise NotFound(f"no channel is called {name!r:.80}; known channels: {names or 'none yet'}")

    def get(self, channel: SubscriberId) -> Channel:
        """Return the channel with this id. Raises NotFound."""
        if found := self._read(_C.subscriber_id == channel):
            return found[0]
        raise NotFound(f"there is no channel {channel}")

    def _read(
        self,
        *which: ColumnElement[bool],
        order: Column[Any] = _C.subscriber_id,
        limit: int | None = None,
    ) -> list[Channel]:
        statement = _CHANNELS.where(*which).order_by(order).limit(limit)
        rows = self._connection.execute(statement).all()
        interests = self.interests_of_all([row.subscriber_id for row in rows])
        return [
            value_of(
                Channel,
                row,
                id=row.subscriber_id,
                hook=_hook_of(row, self._cipher),
                wish=preferences_of(row),
                interests=interests.get(row.subscriber_id, ()),
            )
            for row in rows
        ]

    # --- writing -------------------------------------------------------------------------------

    def add(self, name: str, hook: Hook, mailing_list: MailingList, *, now: datetime) -> Channel:
        """Add an active channel. Raises AlreadyTaken (code `name` or `hook`) when its name, or its
        hook on this list, is taken."""
        person = self._person(hook, mailing_list.name, now)
        row = {
            "subscriber_id": person,
            "name": name,
            **_hook_columns(hook, self._cipher),
            "created_at": now,
            "stopped_why": "",
        }
        added = insert_new(self._connection, db.channels).returning(_C.name)
        if self._connection.execute(added, row).scalar() is None:
            raise _name_taken(name)
        self._connection.execute(
            insert(db.subscriptions),
            {
                **preference_columns(Preferences()),
                "list_id": mailing_list.id,
                "subscriber_id": person,
                "state": SubscriberState.ACTIVE.value,
                "created_at": now,
                "changed_at": now,
            },
        )
        return self.get(person)

    def _person(self, hook: Hook, list_name: str, now: datetime) -> SubscriberId:
        """Add the subscriber of a channel. Its consent is dated now, so a digest due now is planned
        at once, as for a person who has just confirmed."""
        kind = hook.kind.value
        row = {
            "kind": kind,
            "folded": hook.digest(list_name),
            "domain": kind,
            "state": SubscriberState.ACTIVE.value,
            "nonce": "",
            "consent_at": now,
            "consent_source": "operator",
            "created_at": now,
            "changed_at": now,
        }
        adding = insert_new(self._connection, db.subscribers).returning(db.subscribers.c.id)
        person = self._connection.execute(adding, row).scalar()
        if person is None:
            raise _hook_taken(list_name)
        return SubscriberId(person)

    def rename(self, channel: SubscriberId, name: str) -> None:
        """Rename a channel. Raises AlreadyTaken (code `name`)."""
        taken = select(_C.subscriber_id).where(_C.name == name)
        if self._connection.execute(taken).scalar() not in (None, channel):
            raise _name_taken(name)
        self._set(_CHANNEL, channel, name=name)

    def point(self, channel: SubscriberId, hook: Hook) -> None:
        """Change the hook of a channel. Raises AlreadyTaken (code `hook`) when another channel of
        its list has it."""
        list_name = self.get(channel).list_name
        c, folded = db.subscribers.c, hook.digest(list_name)
        taken = select(c.id).where(c.kind == hook.kind.value, c.folded == folded, c.id != channel)
        if self._connection.execute(taken).scalar() is not None:
            raise _hook_taken(list_name)
        self._set(_PERSON, channel, folded=folded)
        self._set(_CHANNEL, channel, **_hook_columns(hook, self._cipher))

    def reencrypt(self) -> int:
        """Encrypt hooks again that were encrypted with an old secret, and return the number of
        channels. What cannot be decrypted stays unchanged."""
        rows = self._connection.execute(_CHANNELS.with_for_update(of=db.channels)).all()
        stale = [row for row in rows if self._cipher.is_stale(row.key)]
        for row in stale:
            hook = _hook_of(row, self._cipher)
            self._set(_CHANNEL, row.subscriber_id, **_hook_columns(hook, self._cipher))
        return len(stale)

    def pause(self, channel: SubscriberId, *, now: datetime) -> bool:
        """Pause a channel until `resume`. Returns False when it is already paused."""
        if self.get(channel).paused_at is not None:
            return False
        self._set(_CHANNEL, channel, paused_at=now)
        self._set(_SUBSCRIPTION, channel, paused_until=UNTIL_RESUMED, changed_at=now)
        return True

    def stop(self, channel: SubscriberId, hook: Hook, why: str, *, now: datetime) -> bool:
        """Stop a channel because `hook` no longer exists. Returns False when the channel was
        already stopped, has another hook by now, or was removed."""
        found = self._read(_C.subscriber_id == channel, _C.stopped_at.is_(None))
        if not found or not found[0].hook.leads_with(hook):
            return False
        self._set(_CHANNEL, channel, stopped_at=now, stopped_why=why)
        self._set(_PERSON, channel, state=SubscriberState.UNSUBSCRIBED.value, changed_at=now)
        return True

    def resume(self, channel: SubscriberId, *, now: datetime) -> bool:
        """End a pause or a stop; after a stop, posts missed meanwhile are not made up for. Returns
        False when the channel is active."""
        known = self.get(channel)
        if known.state == "active":
            return False
        self._set(_CHANNEL, channel, paused_at=None, stopped_at=None, stopped_why="")
        clock: dict[str, Any] = {} if known.stopped_at is None else {"due_at": None}
        self._set(_SUBSCRIPTION, channel, paused_until=None, changed_at=now, **clock)
        self._set(_PERSON, channel, state=SubscriberState.ACTIVE.value, changed_at=now)
        return True

    def remove(self, channel: SubscriberId, *, now: datetime) -> None:
        """Delete a channel with its secrets. Its ledger rows stay. Claimed posts are skipped, so
        that they cannot be marked any more."""
        self._people.erase(self.get(channel).id, now=now)
        d = db.deliveries.c
        in_hand = (d.subscriber_id == channel, d.state == DeliveryState.CLAIMED.value)
        unsubscribed = {
            "state": DeliveryState.SKIPPED.value,
            "reason": SkipReason.UNSUBSCRIBED.value,
            **NO_LEASE,
        }
        self._connection.execute(update(db.deliveries).where(*in_hand).values(**unsubscribed))
        self._connection.execute(db.channels.delete().where(_C.subscriber_id == channel))

    def _set(self, key: Column[Any], channel: SubscriberId, /, **values: Any) -> None:
        self._connection.execute(update(key.table).where(key == channel).values(**values))


def _name_taken(name: str) -> AlreadyTaken:
    return AlreadyTaken(f"a channel is called {name!r} already: choose another name", code="name")


def _hook_taken(list_name: str) -> AlreadyTaken:
    return AlreadyTaken(f"{list_name} already has a channel with that hook", code="hook")


def _hook_columns(hook: Hook, seal: SecretCipher) -> dict[str, str]:
    """Return the encrypted columns of a hook."""
    values = {"hook": hook.url, "chat": hook.chat, "key": hook.key}
    return {name: seal.seal(text) for name, text in values.items()}


def _hook_of(row: Row[Any], seal: SecretCipher) -> Hook:
    """Return the hook of a row. If it cannot be decrypted, `lost` contains the reason."""
    try:
        return Hook(
            kind=ChannelKind(row.kind),
            url=seal.open(row.hook),
            chat=seal.open(row.chat),
            key=seal.open(row.key).partition("\n")[0],  # earlier releases kept old keys below it
        )
    except Misconfigured as error:
        return Hook(kind=ChannelKind(row.kind), url="", lost=str(error))


# --- posts ---------------------------------------------------------------------------------------

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
"""For each channel that is not paused, when its first waiting post may be sent."""


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
