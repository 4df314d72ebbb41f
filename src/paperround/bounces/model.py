"""Bounce events in one form for every source.

    IMAP, pipe ─► bounces.intake ─┐
    provider webhook ─────────────┴─► ReturnedEvent ─► bounces.handling.receive ─► effects, counted

An event is counted once by (`way`, `event_id`), however often it is delivered.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType, Protocol

from paperround.delivery.model import Evidence
from paperround.papers.text import clean
from paperround.subscribers.model import SubscriberId

ReturnId = NewType("ReturnId", int)


KEPT_EVENTS = timedelta(days=90)
KEPT_QUARANTINED = timedelta(days=30)
"""Shorter, because messages that are kept whole contain addresses."""
MOST_UNPROVEN = 20_000
"""Stored events about no message of ours: anybody can email the mailbox. The oldest are deleted."""
MOST_QUARANTINED = 1000
LONGEST_QUARANTINED = 64 * 1024
"""Quarantined messages, and bytes of each; the oldest are deleted first."""

LONGEST_SAID = 200
_ADDRESS = re.compile(r"[^\s<>,;:()\[\]\"']+@[^\s<>,;:()\[\]\"']+")


class ReportKind(StrEnum):
    """The kind of an event. A `report` is about our messages in general, not from a recipient."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    AUTO_REPLY = "auto-reply"
    REPORT = "report"
    UNSUBSCRIBE = "unsubscribe"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedEvent:
    """One bounce, complaint or reply, from any source.

    `way` names the source (`imap`, `pipe`, `hook:ses`), `event_id` the event within it. `tag` is
    the part after the plus sign of our message's return address, or of the address this one was
    sent to; with an invalid one, the event is about no message. `message_id` is ours, from the copy
    of our message or the provider, and `recipient` its recipient: together they identify a message.
    A tag alone does too, and so does a recipient from a `hook:`. The recipient is neither logged
    nor stored. `code` is the reply or status code, `said` a short text of the server.
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


class Proof(StrEnum):
    """How we know which message an event is about, weakest first."""

    NONE = ""
    RECIPIENT = "recipient"
    """A verified provider names someone who was recently sent a message."""
    MESSAGE_ID = "message-id"
    """It names our Message-ID and the recipient of that message."""
    TAG = "tag"
    REPLY = "reply"
    """Our own relay refused the message during delivery."""


class Did(StrEnum):
    """The effect of an event."""

    STOPPED = "stopped"
    """The address is gone."""
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    """The reader unsubscribed by email, or at the provider."""
    PAUSED = "paused"
    """Nothing is sent for some days."""
    NOTED = "noted"
    """Stored without effect so far."""
    UNKNOWN = "unknown"
    """It is about no message or reader of ours."""
    QUARANTINED = "quarantined"
    """Kept for a person to look at."""


KNOWN = "known"
"""The effect of an event that was processed before, in counts of effects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMail:
    """A message of ours that an event is about.

    `book` is `delivery` or `notice`, `row` its number there. `person` is None for an alert, a test,
    a message to a new address of a reader, and an erased person.
    """

    book: str
    row: int
    person: SubscriberId | None
    message_id: str
    nonce: str
    dated: datetime

    @property
    def name(self) -> str:
        """A unique name among all messages."""
        return f"{self.book}/{self.row}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnRecord:
    """One stored event."""

    id: ReturnId
    way: str
    kind: ReportKind
    evidence: Evidence
    proof: Proof
    did: Did
    mail: str | None
    subscriber_id: SubscriberId | None
    code: str
    said: str
    happened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedMail:
    """A message that a person must look at. `why` is the reason in a word."""

    id: int
    way: str
    event_id: str
    why: str
    size: int
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnTally:
    """Bounces and complaints since `since`, and how many messages were attempted.

    `events` counts events about our messages by kind and evidence; `effects` counts by effect.
    `bounced` and `complained` count messages, each once.
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
        """The share of attempted messages that bounced, from 0 to 1."""
        return self.bounced / self.tried if self.tried else 0.0

    @property
    def complaint_rate(self) -> float:
        """The share of attempted messages with a complaint, from 0 to 1."""
        return self.complained / self.tried if self.tried else 0.0


def masked(said: str, address: str = "") -> str:
    """Return a server's text for storage: shortened, without addresses, the local part of `address`
    and terminal control characters."""
    words = _ADDRESS.sub("(address)", clean(said, limit=4 * LONGEST_SAID))
    name = address.rpartition("@")[0]
    if name:
        words = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "(name)", words, flags=re.I)
    return words[:LONGEST_SAID]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedEvents:
    """The events of one request about our messages, and how many others it had, which prove nothing
    about an address (deliveries, clicks, kinds introduced later)."""

    events: tuple[ReturnedEvent, ...] = ()
    ignored: int = 0


class ProviderHook(Protocol):
    """The webhook of a provider: verifies requests and parses them."""

    def hear(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> ReportedEvents:
        """Return the events of a request; names of `headers` are in lower case.

        Raises InvalidSignature for a request that is not verified, FetchFailed if verification is
        impossible now. Any other defect of a verified request is ignored: a provider that gets an
        error would send the same again.
        """
