"""What comes back after a mail has left, in one form for every way in. Pure.

    IMAP, pipe ─► mail.returned ─┐
    hook of a provider ──────────┴─► ReturnedEvent ─► jobs.returns.receive ─► Receipt

An event is counted once by (`way`, `event_id`), however often it is handed in.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType, Protocol

from paperround.delivery.model import Evidence
from paperround.papers.text import clean
from paperround.subscribers.model import SubscriberId

ReturnId = NewType("ReturnId", int)


KEPT_EVENTS = timedelta(days=90)
KEPT_QUARANTINED = timedelta(days=30)
"""Addresses stand in a mail that is kept whole."""
MOST_UNPROVEN = 20_000
"""Events about no mail of ours: anybody can mail here, as often as they like. The oldest go."""
MOST_QUARANTINED = 1000
LONGEST_QUARANTINED = 64 * 1024
"""Mails, and bytes of each, that wait for a person; the oldest go first."""

LONGEST_SAID = 200
_ADDRESS = re.compile(r"[^\s<>,;:()\[\]\"']+@[^\s<>,;:()\[\]\"']+")


class ReportKind(StrEnum):
    """What came back. A `report` is about our mail in general, not from anybody who got it."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    AUTO_REPLY = "auto-reply"
    REPORT = "report"
    UNSUBSCRIBE = "unsubscribe"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedEvent:
    """One thing that came back, whoever brought it.

    `way` names who brought it (`imap`, `pipe`, `hook:ses`) and `event_id` the event among theirs.
    `tag` is what stands behind the plus sign of the address our mail left with, or this one came
    to; one that is not good makes the event be about nothing. `message_id` is ours, as the copy of
    our mail or the provider names it, and `recipient` whose mail that was: together they say which
    mail it is about. A tag alone does, and from a `hook:` a recipient alone. The recipient is
    neither logged nor kept. `code` is the reply or status, `said` a few words of the far end.
    """

    way: str
    event_id: str
    kind: ReportKind
    evidence: Evidence
    happened_at: datetime
    message_id: str = ""
    tag: str = ""
    recipient: str = field(default="", repr=False)
    code: str = ""
    said: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class InboundMail:
    """A mail in a mailbox, and its name there."""

    name: str
    raw: bytes = field(repr=False)


class Proof(StrEnum):
    """How it is known which mail of ours an event is about, weakest first."""

    NONE = ""
    RECIPIENT = "recipient"
    """Whoever brought it is known to us and names somebody who was mailed lately."""
    MESSAGE_ID = "message-id"
    """It names our Message-ID and the address this mail went to."""
    TAG = "tag"
    REPLY = "reply"
    """Our own relay said it while the mail was handed over."""


class Did(StrEnum):
    """What an event did, and which count of a receipt it is in."""

    STOPPED = "stopped"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    PAUSED = "paused"
    NOTED = "noted"
    UNKNOWN = "unknown"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMail:
    """One mail of ours that something came back for.

    `book` is `delivery` or `notice`, `row` its number there. `person` is None for an alert, a
    test or a mail to an address that somebody wants to move to, and for somebody who is forgotten.
    """

    book: str
    row: int
    person: SubscriberId | None
    message_id: str
    nonce: str
    dated: datetime

    @property
    def name(self) -> str:
        """What tells it from every other mail."""
        return f"{self.book}/{self.row}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnRecord:
    """One event as it is kept."""

    id: ReturnId
    way: str
    kind: ReportKind
    evidence: Evidence
    proof: Proof
    did: Did
    mail: str | None
    code: str
    said: str
    happened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedMail:
    """A mail that waits for a person. `why` says in a word what kept it from being counted."""

    id: int
    way: str
    event_id: str
    why: str
    size: int
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TooMany:
    """More mails that came back or were complained of than receivers put up with; `limit` is the
    highest share that was passed."""

    what: str
    count: int
    rate: float
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnTally:
    """What came back since `since`, beside how many mails were tried.

    `events` counts by kind and evidence what is about a mail of ours; `effects` by what it did.
    `bounced` and `complained` count mails, each once.
    """

    since: datetime
    tried: int = 0
    bounced: int = 0
    complained: int = 0
    quarantined: int = 0
    resting: int = 0
    events: Mapping[tuple[str, str], int] = field(default_factory=dict)
    effects: Mapping[str, int] = field(default_factory=dict)

    @property
    def bounce_rate(self) -> float:
        """Mails that came back, of those that were tried; from 0 to 1."""
        return self.bounced / self.tried if self.tried else 0.0

    @property
    def complaint_rate(self) -> float:
        """Mails that somebody complained of, of those that were tried; from 0 to 1."""
        return self.complained / self.tried if self.tried else 0.0

    @property
    def too_many(self) -> str:
        """What there is too much of, in a word or two; empty where all is well."""
        if self.complaint_rate > MOST_COMPLAINTS:
            return "complaints"
        return "bounces" if self.bounce_rate > MOST_BOUNCES else ""

    @property
    def alarming(self) -> list[TooMany]:
        """What passed a limit, worth an alert: of few mails, a share says nothing."""
        rates = (
            ("complaints", self.complained, self.complaint_rate, COMPLAINT_LIMITS),
            ("bounces", self.bounced, self.bounce_rate, BOUNCE_LIMITS),
        )
        return [
            TooMany(what=what, count=count, rate=rate, limit=max(passed))
            for what, count, rate, limits in rates
            if self.tried >= FEWEST_TRIED and count >= FEWEST_RETURNED
            if (passed := [limit for limit in limits if rate > limit])
        ]


MOST_COMPLAINTS = 0.001
"""Share of mails above which an operator is warned. Gmail blocks senders above 0.3 %, and asks for
less than 0.1 % (its guidelines for senders, 2024)."""
MOST_BOUNCES = 0.05
"""Share of mails that may come back."""

COMPLAINT_LIMITS = (MOST_COMPLAINTS, 0.003)
BOUNCE_LIMITS = (0.02, MOST_BOUNCES)
"""Shares that are worth an alert, and another one: providers ask for less than 2 % of addresses
that are gone, and block senders above 5 %."""

FEWEST_TRIED = 100
FEWEST_RETURNED = 3
"""Digests of a week, and returns among them, below which no share is worth an alert."""


def masked(said: str, address: str = "") -> str:
    """A server's words as they are kept: shortened, without addresses, the name in `address` and
    what a terminal would obey."""
    words = _ADDRESS.sub("(address)", clean(said, limit=4 * LONGEST_SAID))
    name = address.rpartition("@")[0]
    if name:
        words = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "(name)", words, flags=re.I)
    return words[:LONGEST_SAID]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeSummary:
    """How many of some events did what; each event counts once.

    `stopped`: the address is gone. `complained` and `unsubscribed`: the reader left. `paused`:
    nothing is sent for some days. `noted`: kept, and it changes nothing yet. `known`: was counted
    before. `unknown`: about no mail and no reader of ours. `quarantined`: kept for a person.
    """

    stopped: int = 0
    complained: int = 0
    unsubscribed: int = 0
    paused: int = 0
    noted: int = 0
    known: int = 0
    unknown: int = 0
    quarantined: int = 0

    @property
    def total(self) -> int:
        """How many events it is about."""
        return sum(asdict(self).values())

    def __add__(self, other: "IntakeSummary") -> "IntakeSummary":
        mine, theirs = asdict(self), asdict(other)
        return IntakeSummary(**{name: count + theirs[name] for name, count in mine.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedEvents:
    """What one request told: events about our mail, and how many others, which say nothing about
    an address (deliveries, clicks, kinds that came into being later)."""

    events: tuple[ReturnedEvent, ...] = ()
    ignored: int = 0


class ProviderHook(Protocol):
    """Knows one provider: how a request proves that it is the provider's, and how to read it."""

    def hear(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> ReportedEvents:
        """What a request tells; names of `headers` are in lower case.

        Raises Forged for one that is not proven to be the provider's, FetchFailed when that cannot
        be told now. Whatever else is wrong with a proven one is ignored: a provider that is sent an
        error would send the same again.
        """


class ReturnBox(Protocol):
    """A mailbox that mails come back to, opened."""

    def letters(self, *, limit: int) -> Iterator[InboundMail]:
        """The oldest mails; raises FetchFailed when the mailbox cannot be read."""

    def done(self, letters: Sequence[InboundMail]) -> None:
        """Take these out of the way."""


class ReturnReader(Protocol):
    """Reads mails that come back."""

    def read(self, raw: bytes, *, way: str, to: str, now: datetime) -> ReturnedEvent:
        """What a mail says, whatever it is. `to` is where it was delivered to, where that is
        known. Never raises for its content."""
