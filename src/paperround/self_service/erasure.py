"""Export and erase a person's data."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, groupby
from operator import attrgetter

from paperround.access.model import COMMAND_LINE
from paperround.core.tokens import Purpose
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.store.erasure import Erasure
from paperround.signup.context import SignupContext
from paperround.signup.magic_links import (
    TokenHolder,
    authorized_reader,
    read_system_mail,
    run_as_reader,
)
from paperround.subscribers.audit import READER, audit_person
from paperround.subscribers.imports import suppress as suppress_address
from paperround.subscribers.model import Address, Subscriber, SubscriberId
from paperround.subscribers.readers import ExportPage, ExportPlace
from paperround.subscribers.store.requests import RequestStore
from paperround.subscribers.store.subscribers import SubscriberStore

ROWS_PER_PAGE = 500
"""Rows an export reads at a time."""


def export_person(context: SignupContext, token: str, *, now: datetime) -> Iterator[str]:
    """Yield all data about the holder of a recently mailed link, as pieces of a JSON object of
    tables. Raises LinkExpired, at once.

    Rows are read while they are consumed, a page per transaction: a slow client keeps none open.
    """
    with context.database.reading() as work:
        reader = authorized_reader(work, context.keys, token, now=now)
    return export_of(context.database, reader.person.id)


def export_of(database: Database, person: SubscriberId) -> Iterator[str]:
    """Yield all data about a person, as `export_person` does."""
    return _to_json(_read_pages(database, person))


def _read_pages(database: Database, person: SubscriberId) -> Iterator[ExportPage]:
    place: ExportPlace | None = ExportPlace()
    while place is not None:
        with database.reading() as work:
            page = work[Erasure].kept_about(person, place, limit=ROWS_PER_PAGE)
        yield page
        place = page.next


def _to_json(pages: Iterable[ExportPage]) -> Iterator[str]:
    """Yield `{"table": [row, row], "table": []}`, a row at a time."""
    before = "{"
    for table, parts in groupby(pages, key=attrgetter("table")):
        yield f'{before}\n"{table}": ['
        between = "\n"
        for row in chain.from_iterable(part.rows for part in parts):
            yield between + json.dumps(row, ensure_ascii=False, indent=2, default=str)
            between = ",\n"
        before = "],"
    yield "]\n}\n"


def erase_person(context: SignupContext, token: str, *, now: datetime) -> None:
    """Erase the holder of a recently mailed link. Raises LinkExpired.

    They may sign up again: nothing is kept that would prevent it.
    """

    def erase(work: Transaction, reader: TokenHolder) -> list[str]:
        return _erase(work, reader.person, now, by=READER)

    context.remove_emails(run_as_reader(context, token, erase, now=now))


def was_erased(context: SignupContext, token: str) -> bool:
    """Return whether a mailed link belongs to a person erased since; False if it is forged."""
    with context.database.reading() as work:
        notice = read_system_mail(work, context.keys, token, Purpose.PREFERENCES)
        if notice is None or notice.subscriber_id is None:
            return False
        person = work[SubscriberStore].get(notice.subscriber_id)
    return person is not None and not person.address


def erase_address(
    context: SignupContext,
    address: Address,
    *,
    now: datetime,
    suppress: bool,
    by: str = COMMAND_LINE,
) -> bool:
    """Erase the person at `address`; return whether there was one.

    `suppress` keeps a keyed hash of the address, known or not, so that it is never mailed again,
    whatever is imported or signed up.
    """

    def erase(work: Transaction) -> list[str] | None:
        person = work[SubscriberStore].find(address)
        work[RequestStore].forget(address)
        if suppress:
            suppress_address(work, context.keys, address, reason="erased", now=now)
        return None if person is None else _erase(work, person, now, by=by)

    message_ids = write(context.database, erase)
    if message_ids is None:
        return False
    context.remove_emails(message_ids)
    return True


def _erase(work: Transaction, person: Subscriber, now: datetime, *, by: str) -> list[str]:
    """Erase the person; return the Message-IDs of all messages to them, including those just
    planned."""
    work[Erasure].erase(person.id, now=now)
    audit_person(work, person.id, "erase person", by=by, now=now)
    return work[Erasure].message_ids_of(person.id)
