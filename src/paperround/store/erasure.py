"""Everything about one person: handing it out, and forgetting it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    delete,
    literal,
    select,
    true,
    tuple_,
    update,
)

from paperround.domain.deliveries import DeliveryState
from paperround.domain.digests import SkipReason
from paperround.domain.readers import ExportPage, ExportPlace
from paperround.domain.subscribers import Preferences, SubscriberId, SubscriberState
from paperround.domain.times import format_instant
from paperround.store import schema as db
from paperround.store.claim_statements import waiting
from paperround.store.dialect import among
from paperround.store.subscriber_rows import preference_columns

_MACHINERY = frozenset(
    {"lease_until", "host", "pid", "started", "token", "key_id", "breakdowns", "next_at"}
)
"""How a mail is kept from leaving twice. It says nothing of the person, but much of the machine."""

WITHHELD: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "subscribers": frozenset({"nonce"}),
        "deliveries": _MACHINERY | {"nonce"},
        "notices": _MACHINERY | {"nonce"},
    }
)
"""Columns an export leaves out, by table. A nonce is what makes a person's links hard to forge."""

_OF_A_PERSON = (
    db.subscribers,
    db.subscriptions,
    db.interests,
    db.feedback,
    db.sent_papers,
    db.told_withdrawals,
    db.deliveries,
    db.notices,
    db.returned,
    db.standings,
    db.quarantine,
)

_QUARANTINED_AT_ONCE = 50
"""Mails in memory while they are searched, of up to 64 KiB."""

_MAILS = (db.deliveries, db.notices)

_FORGOTTEN = (
    db.interests,
    db.feedback,
    db.sent_papers,
    db.told_withdrawals,
    db.standings,
    db.quarantine,
)


class Erasure:
    """Taking people out, whole, in one transaction."""

    _connection: Connection

    def kept_about(self, subscriber: SubscriberId, place: ExportPlace, *, limit: int) -> ExportPage:
        """Rows of what is kept about a person from `place` on, `limit` at most and of one table."""
        table = _OF_A_PERSON[place.table]
        columns = [one for one in table.c if one.name not in WITHHELD.get(table.name, ())]
        keys = [one.label(f"place_{number}") for number, one in enumerate(table.primary_key)]
        found = self._connection.execute(
            select(*columns, *keys)
            .where(_owner(table) == subscriber, _is_behind(table, place.key))
            .order_by(*table.primary_key)
            .limit(limit)
        ).all()
        names = [one.name for one in columns]
        after = tuple(found[-1])[len(names) :] if len(found) == limit else None
        return ExportPage(
            table=table.name,
            rows=tuple(dict(zip(names, map(_plain, row), strict=False)) for row in found),
            next=_next_place(place.table, after),
        )

    def message_ids_of(self, subscriber: SubscriberId) -> list[str]:
        """The Message-ID of every mail that was written for a person: the names of its files."""
        return [
            message_id
            for table in _MAILS
            for message_id in self._connection.execute(
                select(table.c.message_id)
                .where(table.c.subscriber_id == subscriber)
                .order_by(table.c.id)
            ).scalars()
        ]

    def erase(self, subscriber: SubscriberId, *, now: datetime) -> None:
        """Forget the person: address, choices, feedback, memory, replies, notices and mails that
        came back and hold the address. Ledger rows stay, nameless; what waits in it is skipped."""
        self._forget_mails_that_name(subscriber)
        self._connection.execute(
            update(db.subscribers)
            .where(db.subscribers.c.id == subscriber)
            .values(**_NOBODY, erased_at=now, changed_at=now)
        )
        self._connection.execute(
            update(db.subscriptions)
            .where(db.subscriptions.c.subscriber_id == subscriber)
            .values(**_NO_WISH, changed_at=now)
        )
        for table in _FORGOTTEN:
            self._connection.execute(delete(table).where(table.c.subscriber_id == subscriber))
        self._blank(db.deliveries, subscriber, {"reasons": None, "parts": None, "withdrawn": None})
        self._blank(db.notices, subscriber, {"address": None, "payload": {}})
        theirs = update(db.returned).where(db.returned.c.subscriber_id == subscriber)
        self._connection.execute(theirs.values(said=None))

    def _forget_mails_that_name(self, subscriber: SubscriberId) -> None:
        """Mails in quarantine that nobody could tell whose they are, and that hold the address."""
        c = db.subscribers.c
        whose = select(c.address, c.written, c.folded).where(c.id == subscriber)
        person = self._connection.execute(whose).one_or_none()
        names = {name.encode().lower() for name in person or () if name}
        kept = self._connection.execute(select(db.quarantine.c.id, db.quarantine.c.content))
        theirs = [
            id_
            for id_, content in kept.yield_per(_QUARANTINED_AT_ONCE)
            if any(name in bytes(content).lower() for name in names)
        ]
        self._connection.execute(
            delete(db.quarantine).where(among(self._connection, db.quarantine.c.id, theirs))
        )

    def _blank(self, mails: Table, subscriber: SubscriberId, values: Mapping[str, object]) -> None:
        """What a server answered often repeats the address. What waits is not sent."""
        theirs = update(mails).where(mails.c.subscriber_id == subscriber)
        self._connection.execute(theirs.values(**values, reply=None, domain=None))
        self._connection.execute(
            theirs.where(waiting(mails)).values(
                state=DeliveryState.SKIPPED.value, reason=SkipReason.UNSUBSCRIBED.value
            )
        )


_NOBODY: Mapping[str, object] = {
    "address": None,
    "written": None,
    "folded": None,
    "domain": None,
    "state": SubscriberState.UNSUBSCRIBED.value,
    "nonce": "",
    "consent_at": None,
    "consent_source": None,
    "language": None,
}

_NO_WISH: Mapping[str, object] = preference_columns(Preferences()) | {
    "state": SubscriberState.UNSUBSCRIBED.value,
    "due_at": None,
}


def _owner(table: Table) -> Column[Any]:
    return table.c.id if table is db.subscribers else table.c.subscriber_id


def _is_behind(table: Table, key: Sequence[Any]) -> ColumnElement[bool]:
    """Whether a row comes behind the one with this primary key; true of all without one."""
    if not key:
        return true()
    known = [literal(it, one.type) for it, one in zip(key, table.primary_key, strict=True)]
    return tuple_(*table.primary_key) > tuple_(*known)


def _next_place(table: int, after: tuple[object, ...] | None) -> ExportPlace | None:
    """In the same table, behind a row; else at the beginning of the next."""
    if after is not None:
        return ExportPlace(table, after)
    return ExportPlace(table + 1) if table + 1 < len(_OF_A_PERSON) else None


def _plain(value: object) -> object:
    match value:
        case datetime():
            return format_instant(value)
        case date():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8", "replace")
        case _:
            return value
