"""Export and erase personal data."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    Text,
    cast,
    delete,
    literal,
    or_,
    select,
    true,
    tuple_,
    update,
)

from paperround.core.times import format_instant
from paperround.db.dialect import column_in, write_json
from paperround.db.schema import tables as db
from paperround.db.transactions import Store, Transaction
from paperround.delivery.store.claim_statements import waiting
from paperround.delivery.store.past import PastStore
from paperround.delivery.store.system_mail import OWN_ADDRESS
from paperround.editions.model import DeliveryState, SkipReason
from paperround.papers.model import PaperId
from paperround.subscribers.audit import person_target
from paperround.subscribers.model import Preferences, SubscriberId, SubscriberState
from paperround.subscribers.readers import ExportPage, ExportPlace
from paperround.subscribers.store.mapping import preference_columns
from paperround.subscribers.store.subscribers import SubscriberStore

_SENDING_COLUMNS = frozenset(
    {"lease_until", "host", "pid", "started", "token", "key_id", "breakdowns", "next_at"}
)
"""Columns that keep an email from being sent twice. They describe the machine, not the person."""

WITHHELD: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "subscribers": frozenset({"nonce"}),
        "deliveries": _SENDING_COLUMNS | {"nonce"},
        "notices": _SENDING_COLUMNS | {"nonce"},
        "signup_requests": frozenset({"subscriber_id"}),
        "audit": frozenset({"actor"}),
    }
)
"""Columns omitted from an export, by table. A nonce protects a person's links from forgery, and a
request to move to an address may come from another person. The actor is somebody else."""

_PERSONAL_TABLES = (
    db.subscribers,
    db.subscriptions,
    db.interests,
    db.feedback,
    db.sent_papers,
    db.told_withdrawals,
    db.deliveries,
    db.notices,
    db.signup_requests,
    db.returned,
    db.standings,
    db.quarantine,
    db.audit,
)

_QUARANTINED_AT_ONCE = 50
"""How many quarantined emails, of up to 64 KiB each, to load at once for searching."""

_MAIL_TABLES = (db.deliveries, db.notices)

_DELETED_TABLES = (
    db.interests,
    db.feedback,
    db.sent_papers,
    db.told_withdrawals,
    db.signup_requests,
    db.standings,
    db.quarantine,
)


class Erasure(Store):
    """Export and erase the data of a person, in one transaction."""

    def __init__(self, work: Transaction) -> None:
        super().__init__(work)
        self._people = work[SubscriberStore]
        self._past = work[PastStore]

    def kept_about(self, subscriber: SubscriberId, place: ExportPlace, *, limit: int) -> ExportPage:
        """Return up to `limit` rows of one table about a person, starting after `place`."""
        if place.table == len(_PERSONAL_TABLES):
            return self._past_papers(subscriber, place, limit=limit)
        table = _PERSONAL_TABLES[place.table]
        columns = [one for one in table.c if one.name not in WITHHELD.get(table.name, ())]
        keys = [one.label(f"place_{number}") for number, one in enumerate(table.primary_key)]
        is_after: ColumnElement[bool] = true()
        if place.key:
            pairs = zip(place.key, table.primary_key, strict=True)
            last = [literal(value, column.type) for value, column in pairs]
            is_after = tuple_(*table.primary_key) > tuple_(*last)
        found = self._connection.execute(
            select(*columns, *keys)
            .where(_is_about(table, subscriber), is_after)
            .order_by(*table.primary_key)
            .limit(limit)
        ).all()
        names = [one.name for one in columns]
        following = None
        if len(found) == limit:  # in the same table, after the last row
            following = ExportPlace(place.table, tuple(found[-1])[len(names) :])
        else:
            following = ExportPlace(place.table + 1)
        return ExportPage(
            table=table.name,
            rows=tuple(dict(zip(names, map(_to_json, row), strict=False)) for row in found),
            next=following,
        )

    def _past_papers(
        self, subscriber: SubscriberId, place: ExportPlace, *, limit: int
    ) -> ExportPage:
        """Return those of up to `limit` papers that the person was sent long ago."""
        (last,) = place.key or (0,)
        page = self._past.page(after=PaperId(int(str(last))), limit=limit)
        following = ExportPlace(place.table, (max(page),)) if len(page) == limit else None
        theirs = [paper for paper, people in page.items() if subscriber in people]
        return ExportPage(
            table=db.past_papers.name,
            rows=tuple({"paper_id": paper} for paper in sorted(theirs)),
            next=following,
        )

    def message_ids_of(self, subscriber: SubscriberId) -> list[str]:
        """Return the Message-IDs of all emails to a person, which name their outbox files."""
        return [
            message_id
            for table in _MAIL_TABLES
            for message_id in self._connection.execute(
                select(table.c.message_id)
                .where(table.c.subscriber_id == subscriber)
                .order_by(table.c.id)
            ).scalars()
        ]

    def erase(self, subscriber: SubscriberId, *, now: datetime) -> None:
        """Erase the person: address, preferences, feedback, history, server replies, system email
        and bounces that contain the address. Ledger rows stay anonymously; waiting ones are
        skipped."""
        self._people.lock(subscriber)
        self._connection.execute(delete(db.signup_requests).where(_is_addressed(subscriber)))
        self._delete_quarantined(subscriber)
        self._erase_rows(lambda table: table.c.subscriber_id == subscriber, now)
        self._connection.execute(
            update(db.subscribers)
            .where(db.subscribers.c.id == subscriber)
            .values(**_ERASED, erased_at=now, changed_at=now)
        )

    def forget_orphans(self, *, now: datetime) -> int:
        """Erase data stored about people after they were erased, and system email of deleted
        people (foreign keys prevent this in other tables). Returns the number of rows changed."""
        c = db.subscribers.c
        erased = select(c.id).where(c.erased_at.is_not(None))
        kind, person = db.notices.c.kind, db.notices.c.subscriber_id
        of_deleted = person.is_(None) & kind.not_in([one.value for one in OWN_ADDRESS])

        def orphaned(table: Table) -> ColumnElement[bool]:
            of_erased = table.c.subscriber_id.in_(erased)
            return of_erased | of_deleted if table is db.notices else of_erased

        return self._erase_rows(orphaned, now)

    def _erase_rows(self, which: Callable[[Table], ColumnElement[bool]], now: datetime) -> int:
        """Delete or blank the rows, and skip waiting emails. Returns the number of rows changed."""
        for table in _MAIL_TABLES:
            skipping = update(table).where(which(table), waiting(table))
            self._connection.execute(skipping.values(_NOT_SENT))
        blanked = (
            update(table)
            .where(which(table), or_(*(_differs(table.c[name], blank[name]) for name in blank)))
            .values({**blank, **({"changed_at": now} if "changed_at" in table.c else {})})
            for table, blank in _BLANK
        )
        deleted = (delete(table).where(which(table)) for table in _DELETED_TABLES)
        return sum(self._connection.execute(one).rowcount for one in (*blanked, *deleted))

    def _delete_quarantined(self, subscriber: SubscriberId) -> None:
        """Delete quarantined emails that contain the address, assigned to the person or not."""
        c = db.subscribers.c
        query = select(c.address, c.written, c.folded).where(c.id == subscriber)
        person = self._connection.execute(query).one_or_none()
        addresses = {address.encode().lower() for address in person or () if address}
        rows = self._connection.execute(select(db.quarantine.c.id, db.quarantine.c.content))
        ids = [
            id_
            for id_, content in rows.yield_per(_QUARANTINED_AT_ONCE)
            if any(address in bytes(content).lower() for address in addresses)
        ]
        self._connection.execute(
            delete(db.quarantine).where(column_in(self._connection, db.quarantine.c.id, ids))
        )


_ERASED: Mapping[str, object] = {
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

_UNSUBSCRIBED: Mapping[str, object] = preference_columns(Preferences()) | {
    "state": SubscriberState.UNSUBSCRIBED.value,
    "due_at": None,
}

_NOT_SENT: Mapping[str, object] = {
    "state": DeliveryState.SKIPPED.value,
    "reason": SkipReason.UNSUBSCRIBED.value,
}

_NO_REPLY: Mapping[str, object] = {"reply": None, "domain": None}
"""A server's reply often repeats the address."""

_BLANK: tuple[tuple[Table, Mapping[str, object]], ...] = (
    (db.subscriptions, _UNSUBSCRIBED),
    (
        db.deliveries,
        {
            "reasons": None,
            "reason_codes": None,
            "parts": None,
            "withdrawn": None,
            "club": None,
            "new_papers": None,
            "risen": None,
            "next_papers": None,
            **_NO_REPLY,
        },
    ),
    (db.notices, {"address": None, "payload": {}, **_NO_REPLY}),
    (db.returned, {"said": None}),
)
"""The tables whose rows stay, and the columns to blank."""


def _differs(column: Column[Any], blank: object) -> ColumnElement[bool]:
    """Whether a column differs from its blank. Compares as text: PostgreSQL's JSON has no `=`."""
    if blank is None:
        return column.is_not(None)
    return cast(column, Text) != (blank if isinstance(blank, str) else write_json(blank))


def _is_about(table: Table, subscriber: SubscriberId) -> ColumnElement[bool]:
    """Whether a row is about a person. A request also is if it has the person's address."""
    if table is db.subscribers:
        return table.c.id == subscriber
    if table is db.audit:
        return table.c.target == person_target(subscriber)
    own = table.c.subscriber_id == subscriber
    return or_(own, _is_addressed(subscriber)) if table is db.signup_requests else own


def _is_addressed(subscriber: SubscriberId) -> ColumnElement[bool]:
    c = db.subscribers.c
    theirs = select(c.folded).where(c.id == subscriber).scalar_subquery()
    return db.signup_requests.c.folded == theirs


def _to_json(value: object) -> object:
    match value:
        case datetime():
            return format_instant(value)
        case date():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8", "replace")
        case _:
            return value
