"""Subscribers from a file and to a file, and the addresses that must never be mailed.

A row without consent is a reject: nobody is mailed because a column was empty. A suppressed
address stays out whatever a file says, and somebody who left is not brought back by an import.
Rejects name the row, never the address.
"""

import csv
import io
import json
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from paperround.domain.errors import InvalidInput, Misconfigured
from paperround.domain.lists import MailingList
from paperround.domain.papers import Reject
from paperround.domain.subscribers import (
    WEEKDAYS,
    Address,
    Consent,
    Frequency,
    ImportedSubscriber,
    Preferences,
    Subscriber,
    SubscriberState,
)
from paperround.domain.times import format_instant, parse_instant, zone_of
from paperround.domain.tokens import KeyRing
from paperround.jobs.ports import AddressBook, Database, UnitOfWork
from paperround.jobs.progress import Progress, no_progress
from paperround.jobs.transactions import write

CHUNK = 1000
COLUMNS = (
    "email",
    "status",
    "consent_at",
    "consent_source",
    "timezone",
    "hour",
    "frequency",
    "topics",
    "language",
)

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did. Every row is counted once; `rejects` keep their row number and reason."""

    rows: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    suppressed: int = 0
    rejects: tuple[Reject, ...] = field(default_factory=tuple)


def suppression_digests(keys: KeyRing, address: Address) -> frozenset[str]:
    """The keyed hashes `address` may be suppressed under, one for each key of the ring."""
    return frozenset(keys.digest("suppression", address.folded, key) for key in keys.key_ids)


def require_suppression_keys(work: UnitOfWork, keys: KeyRing) -> None:
    """Raise Misconfigured when a suppression was made with a key the ring has lost.

    Without it nobody can tell whether an address is suppressed, so nobody may be added.
    """
    lost = work.subscribers.suppression_keys() - set(keys.key_ids)
    if lost:
        raise Misconfigured(
            f"suppressions were made with the secret {', '.join(sorted(lost))}, which is gone: add "
            "it to the end of PAPERROUND_SECRET_KEY"
        )


def read_rows(content: bytes) -> list[Row]:
    """The rows of a CSV file with a header, or of a JSON array of objects."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"the file is not UTF-8 (byte {error.start}): save it as UTF-8"
        ) from None
    if text.lstrip().startswith(("[", "{")):
        return _json_rows(text)
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=None)))
    except csv.Error as error:
        raise InvalidInput(f"not CSV: {error}") from None
    if not rows or "email" not in rows[0]:
        raise InvalidInput("the first line must name the columns, `email` among them")
    return list(rows)


def import_subscribers(
    rows: Sequence[Row],
    *,
    database: Database,
    addresses: AddressBook,
    keys: KeyRing,
    list_name: str,
    now: datetime,
    progress: Progress = no_progress,
) -> ImportReport:
    """Put every good row on the list `list_name`; the same file twice changes nothing.

    `progress` hears of every chunk of rows that is done.
    """
    with database.reading() as work:
        mailing_list = work.lists.get(list_name)
        require_suppression_keys(work, keys)
    tally, rejects = Counter[str](), list[Reject]()
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]

        def put_all(
            work: UnitOfWork, chunk: Sequence[Row] = chunk, first: int = start + 1
        ) -> tuple[Counter[str], list[Reject]]:
            return _Importer(work, mailing_list, addresses, keys, now).put_all(chunk, first)

        counted, refused = write(database, put_all)
        tally += counted
        rejects += refused
        progress(len(chunk))
    return ImportReport(
        rows=len(rows),
        new=tally["new"],
        changed=tally["changed"],
        unchanged=tally["unchanged"],
        suppressed=tally["suppressed"],
        rejects=tuple(rejects),
    )


@dataclass(frozen=True, slots=True)
class _Importer:
    work: UnitOfWork
    mailing_list: MailingList
    addresses: AddressBook
    keys: KeyRing
    now: datetime

    def put_all(self, rows: Sequence[Row], first: int) -> tuple[Counter[str], list[Reject]]:
        """What became of the rows, and those that were refused; they are numbered from `first`."""
        tally, rejects = Counter[str](), list[Reject]()
        for position, row in enumerate(rows, start=first):
            try:
                tally[self.put(row)] += 1
            except InvalidInput as error:
                rejects.append(Reject(reason=error.code, detail=str(error), position=position))
        return tally, rejects

    def put(self, row: Row) -> str:
        """`new`, `changed`, `unchanged` or `suppressed`; raises InvalidInput for a bad row."""
        address = self.addresses.read(_text(row, "email"))
        state = _state(row)
        if self.work.subscribers.suppressed(suppression_digests(self.keys, address)):
            return "suppressed"
        if state is SubscriberState.SUPPRESSED:
            suppress(self.work, self.keys, address, reason="import", now=self.now)
            return "suppressed"
        return self.work.subscribers.put(
            ImportedSubscriber(
                address=address,
                state=state,
                consent=_consent(row, state),
                preferences=_preferences(row, self._known(address)),
                nonce=secrets.token_urlsafe(16),
            ),
            self.mailing_list.id,
            now=self.now,
        )

    def _known(self, address: Address) -> Preferences:
        person = self.work.subscribers.find(address)
        if person is None:
            return Preferences()
        subscription = self.work.subscribers.subscription(person.id, self.mailing_list.id)
        return Preferences() if subscription is None else subscription.preferences


def suppress(
    work: UnitOfWork, keys: KeyRing, address: Address, *, reason: str, now: datetime
) -> bool:
    """Never mail `address` again; its subscriber stops. False when it was suppressed before."""
    digest = keys.digest("suppression", address.folded)
    added = work.subscribers.suppress(digest, keys.current.id, reason=reason, now=now)
    known = work.subscribers.find(address)
    if known is not None:
        work.subscribers.set_state(known.id, SubscriberState.SUPPRESSED, now=now)
    return added


def lift(work: UnitOfWork, keys: KeyRing, address: Address, *, now: datetime) -> bool:
    """Allow `address` to be mailed again, under every key it was suppressed with.

    Nobody is subscribed by this. Somebody who was on a list before counts as having left it, and
    comes back by signing up; an address that never was may be imported.
    """
    require_suppression_keys(work, keys)
    lifted = [work.subscribers.lift(one, now=now) for one in suppression_digests(keys, address)]
    known = work.subscribers.find(address)
    if any(lifted) and known is not None:
        work.subscribers.set_state(known.id, SubscriberState.UNSUBSCRIBED, now=now)
    return any(lifted)


def exported_rows(work: UnitOfWork, mailing_list: MailingList) -> Iterator[dict[str, str]]:
    """One row a subscriber in the columns an import takes."""
    for subscriber, wish in work.subscribers.export(mailing_list.id):
        yield _exported(subscriber, wish)


def _exported(subscriber: Subscriber, wish: Preferences) -> dict[str, str]:
    consent = subscriber.consent
    weekday = f":{wish.weekday}" if wish.frequency is Frequency.WEEKLY else ""
    return {
        "email": subscriber.address,
        "status": subscriber.state.value,
        "consent_at": format_instant(consent.at) if consent else "",
        "consent_source": consent.source if consent else "",
        "timezone": wish.timezone or "",
        "hour": "" if wish.hour is None else str(wish.hour),
        "frequency": wish.frequency.value + weekday,
        "topics": ";".join(wish.topics),
        "language": wish.language or "",
    }


def _json_rows(text: str) -> list[Row]:
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"not JSON (line {error.lineno}): {error.msg}") from None
    except RecursionError:
        raise InvalidInput("not a list of people: the JSON is nested too deeply") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidInput("the JSON must be an array of objects, one a subscriber")
    return rows


def _text(row: Row, column: str) -> str:
    value = row.get(column)
    if isinstance(value, list):
        return ";".join(str(one) for one in value)
    return "" if value is None else str(value).strip()


def _state(row: Row) -> SubscriberState:
    text = _text(row, "status")
    try:
        return SubscriberState(text)
    except ValueError:
        known = ", ".join(SubscriberState)
        raise InvalidInput(f"status is {text!r}: use one of {known}", code="bad-status") from None


def _consent(row: Row, state: SubscriberState) -> Consent | None:
    """When and how they agreed. To leave needs no consent: an opt-out always counts."""
    at, source = _text(row, "consent_at"), _text(row, "consent_source")
    if not (at and source) and state is SubscriberState.UNSUBSCRIBED:
        return None
    if not at or not source:
        raise InvalidInput("no consent: fill in consent_at and consent_source", code="no-consent")
    return Consent(at=parse_instant(at), source=source[:200])


def _preferences(row: Row, known: Preferences) -> Preferences:
    """What the row asks for; columns the file does not have leave what is known alone."""
    wish = known
    if "timezone" in row:
        wish = replace(wish, timezone=_zone(_text(row, "timezone")))
    if "hour" in row:
        wish = replace(wish, hour=_hour(_text(row, "hour")))
    if "frequency" in row:
        frequency, weekday = _frequency(_text(row, "frequency") or Frequency.DAILY)
        wish = replace(wish, frequency=frequency, weekday=weekday)
    if "topics" in row:
        topics = (one.strip() for one in _text(row, "topics").split(";"))
        wish = replace(wish, topics=tuple(one for one in topics if one))
    if "language" in row:
        wish = replace(wish, language=_text(row, "language") or None)
    return wish


def _zone(name: str) -> str | None:
    if name:
        zone_of(name)
    return name or None


def _hour(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not 0 <= int(text) <= 23:
        raise InvalidInput(f"hour is {text!r}: use a whole hour from 0 to 23", code="bad-hour")
    return int(text)


def _frequency(text: str) -> tuple[Frequency, str | None]:
    name, _, weekday = text.partition(":")
    known = name in Frequency.__members__.values()
    if not known or (weekday and weekday not in WEEKDAYS) or (weekday and name != "weekly"):
        raise InvalidInput(
            f"frequency is {text!r}: use daily, weekdays or weekly:mon (to sun)",
            code="bad-frequency",
        )
    return Frequency(name), (weekday or "mon") if name == "weekly" else None
