"""Actions of an operator for one person: find them, see why they get no email, fix it.

Every function that changes something audits who did it, in the same transaction. A person is looked
up by address once, and identified by number from then on.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from paperround.access.model import AuditedAction
from paperround.access.store import AuditStore
from paperround.core.errors import InvalidInput, NotFound, invalid
from paperround.core.languages import marked
from paperround.core.times import local_date
from paperround.core.tokens import KeyRing
from paperround.db.transactions import Database, Transaction, impatiently, write
from paperround.editions.lists import MailingList
from paperround.editions.store.lists import ListStore
from paperround.personal.reader_preferences import interests_of
from paperround.self_service.change_address import change_unconfirmed, mail_vouched_change
from paperround.self_service.erasure import erase_address, export_of
from paperround.self_service.preferences import replace_choices, unsubscribe
from paperround.signup.context import SignupContext
from paperround.signup.limits import lock_mailbox
from paperround.signup.magic_links import TokenHolder, address_of
from paperround.subscribers.addresses import parse_address
from paperround.subscribers.audit import audit_person
from paperround.subscribers.choices import settled
from paperround.subscribers.imports import suppression_digests
from paperround.subscribers.interests import Interest, validate_interests
from paperround.subscribers.model import (
    Address,
    Preferences,
    Subscriber,
    SubscriberId,
    SubscriberState,
    Subscription,
    parse_frequency,
)
from paperround.subscribers.store.mapping import EMAIL
from paperround.subscribers.store.subscribers import SubscriberStore

ONCE_CONFIRMED = "once confirmed"
"""How an address changes unless an operator vouches for it, in the audit log."""

SHORTEST_PART, MOST_FOUND = 3, 50
"""Characters of an address that a search needs, and the people it returns at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRecord:
    """What is known about a person: their subscriptions by list, their interests, and the reasons
    why their address is suppressed, with their instants."""

    person: Subscriber
    subscriptions: Sequence[tuple[MailingList, Subscription]]
    interests: tuple[Interest, ...]
    suppressions: Mapping[str, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPerson:
    """A person in search results, with their state on each of their lists."""

    id: SubscriberId
    address: str
    state: SubscriberState
    lists: Mapping[str, SubscriberState]


# --- finding -------------------------------------------------------------------------------------


def find_people(
    database: Database, text: str, *, now: datetime, by: str
) -> tuple[list[FoundPerson], bool]:
    """Return the people whose address is or contains `text` (the newest people if it is empty), at
    most MOST_FOUND, and whether there are more. The search is audited without its text. Raises
    InvalidInput (code `email`)."""
    part = text.strip()
    if part and (len(part) < SHORTEST_PART or not part.isprintable()):
        raise invalid(
            "email", "enter an address, or at least %(num)s characters of it", num=SHORTEST_PART
        )
    with suppress(InvalidInput):  # it may be a part of an address
        part = parse_address(part).folded

    def find(work: Transaction) -> list[FoundPerson]:
        people = work[SubscriberStore].search(part, limit=MOST_FOUND + 1)
        lists = work[SubscriberStore].states_on_lists([one.id for one in people])
        details = {"found": min(len(people), MOST_FOUND)}
        note = AuditedAction(actor=by, action="find person", target="people", details=details)
        work[AuditStore].note(note, now=now)
        return [
            FoundPerson(
                id=one.id, address=one.address, state=one.state, lists=lists.get(one.id, {})
            )
            for one in people
        ]

    found = write(database, find)
    return found[:MOST_FOUND], len(found) > MOST_FOUND


def person_number(database: Database, who: str) -> SubscriberId:
    """Return the number of the person with an address or a number as text. Raises NotFound, and
    InvalidInput for text that is neither."""
    if who.isascii() and who.isdecimal() and len(who) < 19:
        return SubscriberId(int(who))
    if "@" not in who:
        raise InvalidInput(
            "write a whole address or a number: `paperround subscribers find` searches for part "
            "of an address"
        )
    address = parse_address(who)
    with database.reading() as work:
        person = work[SubscriberStore].find(address)
    if person is None:
        raise NotFound(f"there is no subscriber {address.written}, or they were erased")
    return person.id


def person_record(database: Database, number: SubscriberId, keys: KeyRing) -> PersonRecord:
    """Return what is known about a person. Raises NotFound."""
    with database.reading() as work:
        person = require_person(work, number)
        digests = suppression_digests(keys, address_of(person))
        return PersonRecord(
            person=person,
            subscriptions=[
                (one.mailing_list, one.subscription) for one in readers_of(work, person, None)
            ],
            interests=interests_of(work, number),
            suppressions=work[SubscriberStore].suppression_reasons(digests),
        )


def note_reading(database: Database, number: SubscriberId, *, by: str, now: datetime) -> None:
    """Audit that `by` read what is known about a person; their timeline does not show it."""
    note = AuditedAction(
        actor=by, action="read person", target="people", details={"subscriber": number}
    )
    with impatiently():  # somebody waits for the page
        write(database, lambda work: work[AuditStore].note(note, now=now))


def require_person(work: Transaction, number: SubscriberId) -> Subscriber:
    """Return a person who was not erased. Raises NotFound."""
    person = work[SubscriberStore].get(number)
    if person is None or person.kind != EMAIL or not person.address:
        raise NotFound(
            marked("there is no subscriber %(num)s, or their data was erased", num=number)
        )
    return person


def lock_person(work: Transaction, number: SubscriberId) -> Subscriber:
    """Lock and return a person who was not erased. Raises NotFound."""
    work[SubscriberStore].lock(number)
    return require_person(work, number)


def readers_of(work: Transaction, person: Subscriber, list_name: str | None) -> list[TokenHolder]:
    """Return the person with each of their subscriptions, or only with that of one list. Raises
    NotFound."""
    lists = {one.id: one for one in work[ListStore].all()}
    readers = [
        TokenHolder(person=person, subscription=one, mailing_list=lists[one.list_id])
        for one in work[SubscriberStore].subscriptions_of(person.id)
    ]
    if list_name is None:
        return readers
    wanted = work[ListStore].get(list_name)
    readers = [one for one in readers if one.mailing_list.id == wanted.id]
    if not readers:
        raise NotFound(f"subscriber {person.id} was never on the list {list_name}")
    return readers


# --- choices -------------------------------------------------------------------------------------


def edit_choices(
    context: SignupContext,
    number: SubscriberId,
    choices: Mapping[str, Any],
    *,
    now: datetime,
    by: str,
    list_name: str | None = None,
) -> bool:
    """Change the given choices of a person, for one list or their only one; return whether anything
    changed.

    `choices` may have `timezone`, `hour`, `frequency` (as `parse_frequency` reads it), `size`,
    `language`, `topics` and `interests`; they pass the checks of the reader's own page. Raises
    InvalidInput; its code is the field.
    """
    _, interests = chosen(Preferences(), choices)
    if interests is not None:
        with context.database.reading() as work:  # searches would keep a write transaction open
            interests = settled(work, interests)

    def edit(work: Transaction) -> bool:
        readers = readers_of(work, lock_person(work, number), list_name)
        [reader] = _only(readers) if choices.keys() - {"interests"} else _first(readers)
        preferences, _ = chosen(reader.subscription.preferences, choices)
        return replace_choices(work, context, reader, preferences, interests, now=now, by=by)

    return write(context.database, edit)


def chosen(
    before: Preferences, choices: Mapping[str, Any]
) -> tuple[Preferences, tuple[Interest, ...] | None]:
    """Return `before` with the given choices, and the interests, None if they are not given."""
    given = {name: one for name, one in choices.items() if name != "interests"}
    if "frequency" in given:
        frequency, weekday = parse_frequency(given["frequency"])
        given |= {"frequency": frequency, "weekday": weekday}
    if "topics" in given:
        given["topics"] = tuple(given["topics"])
    wanted = choices.get("interests")
    return replace(before, **given), None if wanted is None else validate_interests(wanted)


def _only(readers: Sequence[TokenHolder]) -> Sequence[TokenHolder]:
    """Return the one subscription that a change is about. Raises InvalidInput (code `list`)."""
    active = [one for one in readers if one.subscription.state is SubscriberState.ACTIVE]
    if len(active) > 1:
        names = ", ".join(one.mailing_list.name for one in active)
        raise InvalidInput(f"they are on several lists: choose one of {names}", code="list")
    return active or _first(readers)


def _first(readers: Sequence[TokenHolder]) -> Sequence[TokenHolder]:
    if not readers:
        raise InvalidInput("they are on no list", code="list")
    return readers[:1]


def pause_person(
    context: SignupContext,
    number: SubscriberId,
    until: date | None,
    *,
    now: datetime,
    by: str,
    list_name: str | None = None,
) -> bool:
    """Pause a person's digests until the day `until`, or end the pause (None), for one list or all
    of theirs; return whether anything changed. Raises InvalidInput (code `until`)."""

    def pause(work: Transaction) -> bool:
        changed = False
        for reader in readers_of(work, lock_person(work, number), list_name):
            before = reader.subscription.preferences
            today = local_date(now, before.timezone or reader.mailing_list.zone)
            if until is not None and until <= today:
                raise InvalidInput(f"{until} is not after today, {today}", code="until")
            after = replace(before, paused_until=until)
            try:
                changed |= replace_choices(work, context, reader, after, None, now=now, by=by)
            except InvalidInput as error:
                raise InvalidInput(error.text, code="until") from None
        return changed

    return write(context.database, pause)


def unsubscribe_person(
    context: SignupContext,
    number: SubscriberId,
    *,
    now: datetime,
    by: str,
    list_name: str | None = None,
) -> list[str]:
    """Unsubscribe a person from one list, or from all of theirs; return the names of the lists they
    were on. They get an email with a link that undoes it, as if they had done it themselves."""

    def leave(work: Transaction) -> list[str]:
        return [
            reader.mailing_list.name
            for reader in readers_of(work, lock_person(work, number), list_name)
            if unsubscribe(work, context.identity, reader, now=now, by=by)
        ]

    left = write(context.database, leave)
    context.wake()
    return left


# --- moving, exporting, erasing ------------------------------------------------------------------


def move_person(
    context: SignupContext,
    number: SubscriberId,
    address: Address,
    *,
    now: datetime,
    by: str,
    unconfirmed: bool = False,
) -> None:
    """Change a person's address once they use the link emailed to the new one; `unconfirmed`: at
    once.

    Raises InvalidInput (code `email`) if they may not have it, RateLimited if its mailbox reached
    its limit.
    """

    def move(work: Transaction) -> None:
        lock_mailbox(work, context, address)
        person = lock_person(work, number)
        if unconfirmed:
            change_unconfirmed(work, context, person, address, now=now)
        else:
            readers = readers_of(work, person, None)
            active = [one for one in readers if one.subscription.state is SubscriberState.ACTIVE]
            [reader] = _first(active or readers)
            mail_vouched_change(work, context, reader, address, now=now)
        how = "unconfirmed" if unconfirmed else ONCE_CONFIRMED
        audit_person(work, number, "move person", by=by, now=now, how=how)

    write(context.database, move)
    context.wake()


def export_data(
    context: SignupContext, number: SubscriberId, *, now: datetime, by: str
) -> Iterator[str]:
    """Yield all data about a person as pieces of JSON, as their own export does. Raises
    NotFound."""

    def note(work: Transaction) -> None:
        require_person(work, number)
        audit_person(work, number, "export person", by=by, now=now)

    write(context.database, note)
    return export_of(context.database, number)


def erase_by_number(
    context: SignupContext, number: SubscriberId, *, now: datetime, by: str, suppress_too: bool
) -> None:
    """Erase a person, as they would themselves; `suppress_too` keeps a hash, so that the address is
    never mailed again. Raises NotFound."""
    with context.database.reading() as work:
        address = address_of(require_person(work, number))
    erase_address(context, address, now=now, suppress=suppress_too, by=by)
