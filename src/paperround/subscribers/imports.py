"""Import and export subscribers, and suppress addresses.

A row without consent is rejected: an empty column never subscribes anyone. An import neither
un-suppresses an address nor re-subscribes a reader who left. Rejects name the line, never the
address.
"""

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from paperround.access.model import COMMAND_LINE
from paperround.access.store import AuditStore
from paperround.core.errors import InvalidInput, Misconfigured
from paperround.core.interfaces import Advance, no_progress
from paperround.core.languages import marked
from paperround.core.times import format_instant
from paperround.core.tokens import KeyRing
from paperround.db.transactions import Database, Transaction, write
from paperround.editions.lists import MailingList
from paperround.editions.store.lists import ListStore
from paperround.papers.model import Reject
from paperround.subscribers.addresses import mailbox, parse_address, untagged
from paperround.subscribers.audit import audit_person
from paperround.subscribers.choices import settled
from paperround.subscribers.import_files import (
    Found,
    Row,
    all_problems,
    cell,
    consent_of,
    interests_of_row,
    preferences_of,
    state_of,
)
from paperround.subscribers.model import (
    GONE,
    Address,
    ImportedSubscriber,
    Preferences,
    SubscriberState,
    Subscription,
)
from paperround.subscribers.store.subscribers import SubscriberStore

CHUNK = 1000

SUPPRESSED = (
    "this address is suppressed: if its owner asks for email again, lift that first with "
    "`paperround suppressions lift`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """The result of an import. Every row is counted once; `rejects` name the lines and the
    reasons. `pending` of the rows are people who get no email until they confirm."""

    rows: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    suppressed: int = 0
    pending: int = 0
    rejects: tuple[Reject, ...] = ()


def suppression_digests(keys: KeyRing, address: Address) -> frozenset[str]:
    """Return the keyed hashes under which the mailbox of `address` may be suppressed: each spelling
    that is stored, with each key of the ring."""
    spelt = {address.folded, untagged(address.folded), mailbox(address.folded)}
    return frozenset(keys.digest("suppression", one, key) for one in spelt for key in keys.key_ids)


def require_suppression_keys(work: Transaction, keys: KeyRing) -> None:
    """Raise Misconfigured if a suppression was hashed with a key that the ring no longer has.

    Without that key nobody can tell whether an address is suppressed, so none may be added.
    """
    lost = work[SubscriberStore].suppression_keys() - set(keys.key_ids)
    if lost:
        raise Misconfigured(
            f"suppressions were made with the secret {', '.join(sorted(lost))}, which is gone: add "
            "it to the end of PAPERROUND_SECRET_KEY"
        )


def is_suppressed(work: Transaction, keys: KeyRing, address: Address) -> bool:
    """Return whether `address`, or another spelling of the same mailbox, is suppressed.

    Raises Misconfigured if a key that hashed a suppression is missing.
    """
    require_suppression_keys(work, keys)
    return bool(work[SubscriberStore].suppressed(suppression_digests(keys, address)))


def import_subscribers(
    rows: Sequence[Found],
    *,
    database: Database,
    keys: KeyRing,
    list_name: str,
    now: datetime,
    progress: Advance = no_progress,
    by: str = COMMAND_LINE,
) -> ImportReport:
    """Add every valid row to the list `list_name`; importing the same file twice changes nothing.

    `progress` is called with the size of every chunk that is done.
    """
    with database.reading() as work:
        mailing_list = work[ListStore].get_live(list_name)
        require_suppression_keys(work, keys)
    tally, pending, rejects = Counter[str](), 0, list[Reject]()
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]

        def import_chunk(
            work: Transaction, chunk: Sequence[Found] = chunk
        ) -> tuple[Counter[str], int, list[Reject]]:
            """Import a chunk; return the counts by outcome, how many are pending, and the rejects
            of the file and of the import."""
            importer = _Importer(work, mailing_list, keys, now)
            outcomes, waiting, refused = Counter[str](), 0, list[Reject]()
            for one in chunk:
                if isinstance(one, Reject):
                    refused.append(one)
                    continue
                try:
                    outcomes[importer.put(one.row)] += 1
                    waiting += importer.is_pending(one.row)
                except InvalidInput as problem:
                    refused.append(one.reject(all_problems(one.row, problem, now)))
            if outcomes.total() > outcomes["unchanged"]:
                work[AuditStore].add(by, "import people", list_name, outcomes, now=now)
            return outcomes, waiting, refused

        counted, waiting, refused = write(database, import_chunk)
        tally += counted
        pending += waiting
        rejects += refused
        progress(len(chunk))
    return ImportReport(rows=len(rows), pending=pending, rejects=tuple(rejects), **tally)


def add_subscriber(
    row: Row,
    *,
    database: Database,
    keys: KeyRing,
    list_name: str,
    now: datetime,
    by: str = COMMAND_LINE,
) -> str:
    """Add one consenting subscriber to the list as active; return `new`, `changed` or `unchanged`.

    `row` has the columns of an import except the status.

    Raises InvalidInput, and changes nothing, for an invalid row, a suppressed address, and a reader
    who left: they have to sign up again themselves.
    """

    def put(work: Transaction) -> str:
        require_suppression_keys(work, keys)
        importer = _Importer(work, work[ListStore].get_live(list_name), keys, now)
        outcome = importer.put({**row, "status": SubscriberState.ACTIVE.value})
        subscription = importer.subscription(cell(row, "email", parse_address))
        if outcome == "suppressed":
            raise InvalidInput(SUPPRESSED)
        if subscription is None or subscription.state is not SubscriberState.ACTIVE:
            raise InvalidInput(
                "this person has unsubscribed: only they can come back, by signing up"
            )
        if outcome != "unchanged":
            person, details = subscription.subscriber_id, {"list": list_name, "outcome": outcome}
            audit_person(work, person, "add person", by=by, now=now, **details)
        return outcome

    return write(database, put)


@dataclass(frozen=True, slots=True)
class _Importer:
    work: Transaction
    mailing_list: MailingList
    keys: KeyRing
    now: datetime

    def put(self, row: Row) -> str:
        """Return `new`, `changed`, `unchanged` or `suppressed`; raise InvalidInput for an invalid
        row."""
        address, state = cell(row, "email", parse_address), state_of(row)
        if self.work[SubscriberStore].suppressed(suppression_digests(self.keys, address)):
            return "suppressed"
        if state is SubscriberState.SUPPRESSED:
            suppress(self.work, self.keys, address, reason="import", now=self.now)
            return "suppressed"
        interests, subscription = interests_of_row(row), self.subscription(address)
        known = Preferences() if subscription is None else subscription.preferences
        outcome = self.work[SubscriberStore].put(
            ImportedSubscriber(
                address=address,
                state=state,
                consent=consent_of(row, state, self.now),
                preferences=preferences_of(row, known),
                nonce=secrets.token_urlsafe(16),
            ),
            self.mailing_list.id,
            now=self.now,
        )
        person = None if interests is None else self.work[SubscriberStore].find(address)
        if interests is None or person is None:
            return outcome
        resolved = settled(self.work, interests)
        changed = self.work[SubscriberStore].set_interests(person.id, resolved, now=self.now)
        return "changed" if changed and outcome == "unchanged" else outcome

    def is_pending(self, row: Row) -> bool:
        """Return whether the person of an imported row still has to confirm."""
        if state_of(row) is not SubscriberState.PENDING:
            return False
        subscription = self.subscription(cell(row, "email", parse_address))
        return subscription is not None and subscription.state is SubscriberState.PENDING

    def subscription(self, address: Address) -> Subscription | None:
        """Return the subscriber's subscription of the list, or None."""
        person = self.work[SubscriberStore].find(address)
        if person is None:
            return None
        return self.work[SubscriberStore].subscription(person.id, self.mailing_list.id)


def suppress(
    work: Transaction, keys: KeyRing, address: Address, *, reason: str, now: datetime
) -> bool:
    """Suppress `address` and its subscriber. Return False if it was already suppressed.

    A person's wish applies to every spelling of their mailbox. A bounce applies only to the address
    that was mailed: `name+tag@` may not exist although `name@` does.
    """
    spelt = {address.folded} if reason == GONE else {address.folded, mailbox(address.folded)}
    store, key = work[SubscriberStore], keys.current.id
    added = [
        store.suppress(keys.digest("suppression", one), key, reason=reason, now=now)
        for one in sorted(spelt)
    ]
    known = work[SubscriberStore].find(address)
    if known is not None:
        work[SubscriberStore].set_state(known.id, SubscriberState.SUPPRESSED, now=now)
    return any(added)


def lift(
    work: Transaction, keys: KeyRing, address: Address, *, now: datetime, resume: bool = False
) -> bool:
    """End the suppression of `address`, in every spelling and under every key, and forget its
    bounces.

    It subscribes no one. A former subscriber counts as unsubscribed and may sign up again; any
    other address may be imported. With `resume`, a reader whom a bounce had stopped gets digests
    again: they never unsubscribed.

    Returns whether there was a suppression. Raises InvalidInput, and changes nothing, if `resume`
    does not apply.
    """
    require_suppression_keys(work, keys)
    digests = suppression_digests(keys, address)
    if resume:
        reasons = {
            why for digest, why, _ in work[SubscriberStore].suppressions() if digest in digests
        }
        if reasons != {GONE}:
            raise InvalidInput(
                marked(
                    "there is nothing to resume, because no bounce stopped this reader: lift the "
                    "suppression without resuming, and they can sign up again"
                ),
                code="resume",
            )
    lifted = [work[SubscriberStore].lift(one, now=now) for one in digests]
    known = work[SubscriberStore].find(address)
    if any(lifted) and known is not None:
        work[SubscriberStore].set_state(known.id, SubscriberState.UNSUBSCRIBED, now=now)
        work[SubscriberStore].reset_bounces(known.id)
    if resume and known is not None:
        work[SubscriberStore].reinstate(known.id, now=now)
    return any(lifted)


def audit_export(database: Database, list_name: str, *, now: datetime, by: str) -> None:
    """Audit that `by` exports all subscribers of a list. Raises NotFound."""

    def note(work: Transaction) -> None:
        target = work[ListStore].get(list_name).name
        work[AuditStore].add(by, "export people", target, now=now)

    write(database, note)


def exported_rows(work: Transaction, mailing_list: MailingList) -> Iterator[dict[str, str]]:
    """Yield one row per subscriber of the list, in the columns that an import reads."""
    people = work[SubscriberStore].export(mailing_list.id)
    while page := list(islice(people, CHUNK)):
        interests = work[SubscriberStore].interests_of_all([person.id for person, _ in page])
        for person, preferences in page:
            consent = person.consent
            yield {
                "email": person.address,
                "status": person.state.value,
                "consent_at": format_instant(consent.at) if consent else "",
                "consent_source": consent.source if consent else "",
                "timezone": preferences.timezone or "",
                "hour": "" if preferences.hour is None else str(preferences.hour),
                "frequency": preferences.frequency_text,
                "topics": ";".join(preferences.topics),
                "language": preferences.language or "",
                "interests": "\n".join(map(str, interests.get(person.id, ()))),
            }
