"""Channels: subscribers of another kind, with a hook where people have an address.

The address of such a subscriber is empty, so nothing that mails people can mistake it for one of
them. `domain` holds its kind: the ledger copies it to each post, and keeps what was answered.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from paperround.domain.channels import Channel, Hook, NewChannel
from paperround.domain.deliveries import DeliveryState
from paperround.domain.digests import SkipReason
from paperround.domain.errors import AlreadyTaken, NotFound
from paperround.domain.lists import ListId
from paperround.domain.subscribers import Preferences, SubscriberId, SubscriberState
from paperround.store import schema as db
from paperround.store.channel_rows import CHANNELS, channel_of, hook_columns
from paperround.store.claim_statements import NO_LEASE
from paperround.store.dialect import among, insert_new
from paperround.store.erasure import Erasure
from paperround.store.sealing import Seal
from paperround.store.subscriber_rows import preference_columns

UNTIL_RESUMED = date.max
"""A pause without an end: each day of it has a row that says so."""


class ChannelStore(Erasure):
    """The channels of an installation."""

    def __init__(self, connection: Connection, seal: Seal) -> None:
        self._connection = connection
        self._seal = seal

    # --- reading -------------------------------------------------------------------------------

    def exist(self) -> bool:
        """Whether there is any."""
        return self._connection.execute(select(db.channels.c.name).limit(1)).first() is not None

    def all(self) -> list[Channel]:
        """Every channel, by name."""
        found = self._connection.execute(CHANNELS.order_by(db.channels.c.name))
        return [channel_of(row, self._seal) for row in found]

    def page(self, after: SubscriberId, *, limit: int) -> list[Channel]:
        """Channels with an id above `after`, by id."""
        ids = db.channels.c.subscriber_id
        found = self._connection.execute(CHANNELS.where(ids > after).order_by(ids).limit(limit))
        return [channel_of(row, self._seal) for row in found]

    def find(self, name: str) -> Channel:
        """The channel called that; raises NotFound with the names there are."""
        row = self._one(db.channels.c.name == name)
        if row is None:
            names = ", ".join(one.name for one in self.all())
            raise NotFound(f"no channel is called {name!r:.80}; there is {names or 'none yet'}")
        return channel_of(row, self._seal)

    def get(self, channel: SubscriberId) -> Channel:
        """The channel with this number; raises NotFound."""
        row = self._one(db.channels.c.subscriber_id == channel)
        if row is None:
            raise NotFound(f"there is no channel {channel}")
        return channel_of(row, self._seal)

    def _one(self, which: ColumnElement[bool]) -> Row[Any] | None:
        return self._connection.execute(CHANNELS.where(which)).one_or_none()

    def due(self, channels: Collection[SubscriberId]) -> Mapping[SubscriberId, datetime | None]:
        """When each is posted to next; None for one whose clock was not started yet."""
        c = db.subscriptions.c
        found = self._connection.execute(
            select(c.subscriber_id, c.due_at).where(
                among(self._connection, c.subscriber_id, channels)
            )
        )
        return {SubscriberId(person): due_at for person, due_at in found}

    # --- writing -------------------------------------------------------------------------------

    def add(
        self, channel: NewChannel, wish: Preferences, *, at_once: bool, now: datetime
    ) -> Channel:
        """Keep it, active; `at_once` has its first post due now. Raises AlreadyTaken (code `name`
        or `hook`) when its name, or its hook on this list, is taken. The list is one there is."""
        list_id = self._list(channel.list_name)
        person = self._person(channel, now)
        row = {
            "subscriber_id": person,
            "name": channel.name,
            **hook_columns(channel.hook, self._seal),
            "created_at": now,
            "stopped_why": "",
        }
        added = insert_new(self._connection, db.channels).returning(db.channels.c.name)
        if self._connection.execute(added, row).scalar() is None:
            raise _name_taken(channel.name)
        self._connection.execute(
            insert(db.subscriptions),
            preference_columns(wish)
            | {
                "list_id": list_id,
                "subscriber_id": person,
                "state": SubscriberState.ACTIVE.value,
                "created_at": now,
                "changed_at": now,
                "due_at": now if at_once else None,
            },
        )
        return self.get(person)

    def _list(self, name: str) -> ListId:
        found = select(db.lists.c.id).where(db.lists.c.name == name)
        return ListId(self._connection.execute(found).scalar_one())

    def _person(self, channel: NewChannel, now: datetime) -> SubscriberId:
        """The subscriber it is. That the operator agreed now has one that is due now be planned at
        once, as a person is who just confirmed."""
        kind = channel.hook.kind.value
        row = {
            "kind": kind,
            "folded": channel.hook.digest(channel.list_name),
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
            raise _hook_taken(channel.list_name)
        return SubscriberId(person)

    def rename(self, channel: SubscriberId, name: str) -> None:
        """Call it otherwise; raises AlreadyTaken (code `name`)."""
        taken = select(db.channels.c.subscriber_id).where(db.channels.c.name == name)
        if self._connection.execute(taken).scalar() not in (None, channel):
            raise _name_taken(name)
        self._set(channel, name=name)

    def point(self, channel: SubscriberId, hook: Hook) -> None:
        """Lead it elsewhere; raises AlreadyTaken (code `hook`) when a channel of its list
        leads there."""
        list_name = self.get(channel).list_name
        c, folded = db.subscribers.c, hook.digest(list_name)
        taken = select(c.id).where(c.kind == hook.kind.value, c.folded == folded, c.id != channel)
        if self._connection.execute(taken).scalar() is not None:
            raise _hook_taken(list_name)
        moved = update(db.subscribers).where(c.id == channel)
        self._connection.execute(moved.values(folded=folded))
        self._set(channel, **hook_columns(hook, self._seal))

    def seal_anew(self) -> int:
        """Seal with the secret that seals now what rests otherwise; returns of how many channels.
        What cannot be opened stays as it is."""
        rows = self._connection.execute(CHANNELS.with_for_update(of=db.channels)).all()
        stale = [row for row in rows if self._seal.is_stale(row.key)]
        for row in stale:
            hook = channel_of(row, self._seal).hook
            self._set(SubscriberId(row.subscriber_id), **hook_columns(hook, self._seal))
        return len(stale)

    def pause(self, channel: SubscriberId, *, now: datetime) -> bool:
        """Post nothing there until `resume`; False when it is paused already."""
        if self.get(channel).paused_at is not None:
            return False
        self._set(channel, paused_at=now)
        self._subscription(channel, now, paused_until=UNTIL_RESUMED)
        return True

    def stop(self, channel: SubscriberId, hook: Hook, why: str, *, now: datetime) -> bool:
        """`hook` is no more: plan and post nothing there. False when it was stopped before, leads
        elsewhere by now, or was removed."""
        row = self._one(db.channels.c.subscriber_id == channel)
        standing = None if row is None else channel_of(row, self._seal)
        if standing is None or standing.stopped_at or not standing.hook.leads_with(hook):
            return False
        self._set(channel, stopped_at=now, stopped_why=why)
        self._move(channel, SubscriberState.UNSUBSCRIBED, now)
        return True

    def resume(self, channel: SubscriberId, *, now: datetime) -> bool:
        """End a pause or a stop. After a stop the next post is the next that is due."""
        standing = self.get(channel)
        if standing.paused_at is None and standing.stopped_at is None:
            return False
        self._set(channel, paused_at=None, stopped_at=None, stopped_why="")
        clock: dict[str, Any] = {} if standing.stopped_at is None else {"due_at": None}
        self._subscription(channel, now, paused_until=None, **clock)
        self._move(channel, SubscriberState.ACTIVE, now)
        return True

    def remove(self, channel: SubscriberId, *, now: datetime) -> None:
        """Forget it with its secrets. What became of its posts stays in the ledger. One that a
        process has in hand gets no mark any more; nobody would look for it later."""
        self.erase(self.get(channel).id, now=now)
        d = db.deliveries.c
        in_hand = (d.subscriber_id == channel, d.state == DeliveryState.CLAIMED.value)
        unsubscribed = {
            "state": DeliveryState.SKIPPED.value,
            "reason": SkipReason.UNSUBSCRIBED.value,
            **NO_LEASE,
        }
        self._connection.execute(update(db.deliveries).where(*in_hand).values(**unsubscribed))
        c = db.channels.c
        self._connection.execute(db.channels.delete().where(c.subscriber_id == channel))

    def _set(self, channel: SubscriberId, **values: Any) -> None:
        changing = update(db.channels).where(db.channels.c.subscriber_id == channel)
        self._connection.execute(changing.values(**values))

    def _subscription(self, channel: SubscriberId, now: datetime, **values: Any) -> None:
        theirs = update(db.subscriptions).where(db.subscriptions.c.subscriber_id == channel)
        self._connection.execute(theirs.values(**values, changed_at=now))

    def _move(self, channel: SubscriberId, state: SubscriberState, now: datetime) -> None:
        moving = update(db.subscribers).where(db.subscribers.c.id == channel)
        self._connection.execute(moving.values(state=state.value, changed_at=now))


def _name_taken(name: str) -> AlreadyTaken:
    return AlreadyTaken(f"a channel is called {name!r} already: choose another name", code="name")


def _hook_taken(list_name: str) -> AlreadyTaken:
    return AlreadyTaken(f"a channel of {list_name} leads there already", code="hook")
