"""Subscribers from a file and to a file, and the addresses that must never be mailed.

A row without consent is a reject: nobody is mailed because a column was empty. A suppressed
address stays out whatever a file says, and somebody who left is not brought back by an import.
Rejects name the line, never the address.
"""

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from paperround.core.errors import InvalidInput, Misconfigured
from paperround.core.interfaces import Advance, no_progress
from paperround.core.times import format_instant
from paperround.core.tokens import KeyRing
from paperround.db.transactions import Database, Transaction, write
from paperround.editions.lists import MailingList
from paperround.editions.store.lists import ListStore
from paperround.papers.model import Reject
from paperround.subscribers.choices import settled
from paperround.subscribers.import_files import (
    Found,
    Row,
    cell,
    consent_of,
    interests_of_row,
    preferences_of,
    state_of,
)
from paperround.subscribers.mailboxes import mailbox, untagged
from paperround.subscribers.model import (
    GONE,
    Address,
    AddressBook,
    Frequency,
    ImportedSubscriber,
    Preferences,
    SubscriberState,
    Subscription,
)
from paperround.subscribers.store.subscribers import SubscriberStore

CHUNK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did. Every row is counted once; `rejects` say where they stand and why."""

    rows: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    suppressed: int = 0
    rejects: tuple[Reject, ...] = ()


def suppression_digests(keys: KeyRing, address: Address) -> frozenset[str]:
    """The keyed hashes `address` may be suppressed under, one for each key of the ring."""
    return frozenset([keys.digest("suppression", address.folded, key) for key in keys.key_ids])


def require_suppression_keys(work: Transaction, keys: KeyRing) -> None:
    """Raise Misconfigured when a suppression was made with a key the ring has lost.

    Without it nobody can tell whether an address is suppressed, so nobody may be added.
    """
    lost = work[SubscriberStore].suppression_keys() - set(keys.key_ids)
    if lost:
        raise Misconfigured(
            f"suppressions were made with the secret {', '.join(sorted(lost))}, which is gone: add "
            "it to the end of PAPERROUND_SECRET_KEY"
        )


def is_suppressed(work: Transaction, keys: KeyRing, address: Address) -> bool:
    """Whether `address` must never be mailed, nor the mailbox that it is another spelling of.

    Raises Misconfigured when that cannot be told.
    """
    require_suppression_keys(work, keys)
    spelt = {address.folded, untagged(address.folded), mailbox(address.folded)}
    digests = [keys.digest("suppression", one, key) for one in spelt for key in keys.key_ids]
    return bool(work[SubscriberStore].suppressed(frozenset(digests)))


def import_subscribers(
    rows: Sequence[Found],
    *,
    database: Database,
    addresses: AddressBook,
    keys: KeyRing,
    list_name: str,
    now: datetime,
    progress: Advance = no_progress,
) -> ImportReport:
    """Put every good row on the list `list_name`; the same file twice changes nothing.

    `progress` hears of every chunk of rows that is done.
    """
    with database.reading() as work:
        mailing_list = work[ListStore].get(list_name)
        require_suppression_keys(work, keys)
    tally, rejects = Counter[str](), list[Reject]()
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]

        def put_all(
            work: Transaction, chunk: Sequence[Found] = chunk
        ) -> tuple[Counter[str], list[Reject]]:
            """Count what became of the rows; those refused by us or by who read the file."""
            importer = _Importer(work, mailing_list, addresses, keys, now)
            outcomes, refused = Counter[str](), list[Reject]()
            for one in chunk:
                if isinstance(one, Reject):
                    refused.append(one)
                    continue
                try:
                    outcomes[importer.put(one.row)] += 1
                except InvalidInput as problem:
                    refused.append(one.reject(problem))
            return outcomes, refused

        counted, refused = write(database, put_all)
        tally += counted
        rejects += refused
        progress(len(chunk))
    return ImportReport(rows=len(rows), rejects=tuple(rejects), **tally)


def add_subscriber(
    row: Row,
    *,
    database: Database,
    addresses: AddressBook,
    keys: KeyRing,
    list_name: str,
    now: datetime,
) -> str:
    """Put one person who agreed on the list, active: `new`, `changed` or `unchanged`.

    `row` has the columns of an import but for the status.

    Raises InvalidInput for a bad row and, changing nothing, for somebody who may not be added:
    one who is suppressed, and one who left and comes back by signing up.
    """

    def put(work: Transaction) -> str:
        require_suppression_keys(work, keys)
        importer = _Importer(work, work[ListStore].get(list_name), addresses, keys, now)
        outcome = importer.put({**row, "status": SubscriberState.ACTIVE.value})
        standing = importer.standing(cell(row, "email", addresses.read))
        if outcome == "suppressed":
            raise InvalidInput(
                "this address is suppressed: if its owner asks for mail again, lift that first "
                "with `paperround suppressions lift`"
            )
        if standing is None or standing.state is not SubscriberState.ACTIVE:
            raise InvalidInput("this person has left: they come back by signing up themselves")
        return outcome

    return write(database, put)


@dataclass(frozen=True, slots=True)
class _Importer:
    work: Transaction
    mailing_list: MailingList
    addresses: AddressBook
    keys: KeyRing
    now: datetime

    def put(self, row: Row) -> str:
        """`new`, `changed`, `unchanged` or `suppressed`; raises InvalidInput for a bad row."""
        address, state = cell(row, "email", self.addresses.read), state_of(row)
        if self.work[SubscriberStore].suppressed(suppression_digests(self.keys, address)):
            return "suppressed"
        if state is SubscriberState.SUPPRESSED:
            suppress(self.work, self.keys, address, reason="import", now=self.now)
            return "suppressed"
        interests, standing = interests_of_row(row), self.standing(address)
        known = Preferences() if standing is None else standing.preferences
        outcome = self.work[SubscriberStore].put(
            ImportedSubscriber(
                address=address,
                state=state,
                consent=consent_of(row, state),
                preferences=preferences_of(row, known),
                nonce=secrets.token_urlsafe(16),
            ),
            self.mailing_list.id,
            now=self.now,
        )
        person = None if interests is None else self.work[SubscriberStore].find(address)
        if interests is None or person is None:
            return outcome
        kept = settled(self.work, interests)
        changed = self.work[SubscriberStore].set_interests(person.id, kept, now=self.now)
        return "changed" if changed and outcome == "unchanged" else outcome

    def standing(self, address: Address) -> Subscription | None:
        """What the person has on the list, None when nothing ever."""
        person = self.work[SubscriberStore].find(address)
        if person is None:
            return None
        return self.work[SubscriberStore].subscription(person.id, self.mailing_list.id)


def suppress(
    work: Transaction, keys: KeyRing, address: Address, *, reason: str, now: datetime
) -> bool:
    """Never mail `address` again; its subscriber stops. False when it was suppressed before."""
    digest = keys.digest("suppression", address.folded)
    added = work[SubscriberStore].suppress(digest, keys.current.id, reason=reason, now=now)
    known = work[SubscriberStore].find(address)
    if known is not None:
        work[SubscriberStore].set_state(known.id, SubscriberState.SUPPRESSED, now=now)
    return added


def lift(
    work: Transaction, keys: KeyRing, address: Address, *, now: datetime, resume: bool = False
) -> bool:
    """Allow `address` to be mailed again, under every key it was suppressed with; nothing that
    came back is held against it any more.

    Nobody is subscribed by this. Somebody who was on a list before counts as having left it, and
    comes back by signing up; an address that never was may be imported. With `resume` a reader
    whom a mail that came back had stopped gets their digests again: they never left.

    Raises InvalidInput, changing nothing, when there is nobody to resume.
    """
    require_suppression_keys(work, keys)
    digests = suppression_digests(keys, address)
    if resume:
        reasons = {
            why for digest, why, _ in work[SubscriberStore].suppressions() if digest in digests
        }
        if reasons != {GONE}:
            raise InvalidInput(
                "no mail that came back stopped this reader: without --resume they may sign up "
                "again"
            )
    lifted = [work[SubscriberStore].lift(one, now=now) for one in digests]
    known = work[SubscriberStore].find(address)
    if any(lifted) and known is not None:
        work[SubscriberStore].set_state(known.id, SubscriberState.UNSUBSCRIBED, now=now)
        work[SubscriberStore].forgive(known.id)
    if resume and known is not None:
        work[SubscriberStore].reinstate(known.id, now=now)
    return any(lifted)


def exported_rows(work: Transaction, mailing_list: MailingList) -> Iterator[dict[str, str]]:
    """One row a subscriber in the columns an import takes."""
    people = work[SubscriberStore].export(mailing_list.id)
    while page := list(islice(people, CHUNK)):
        interests = work[SubscriberStore].interests_of_all([person.id for person, _ in page])
        for person, wish in page:
            consent = person.consent
            weekday = f":{wish.weekday}" if wish.frequency is Frequency.WEEKLY else ""
            yield {
                "email": person.address,
                "status": person.state.value,
                "consent_at": format_instant(consent.at) if consent else "",
                "consent_source": consent.source if consent else "",
                "timezone": wish.timezone or "",
                "hour": "" if wish.hour is None else str(wish.hour),
                "frequency": wish.frequency.value + weekday,
                "topics": ";".join(wish.topics),
                "language": wish.language or "",
                "interests": "\n".join(map(str, interests.get(person.id, ()))),
            }
