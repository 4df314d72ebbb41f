"""Values of the status reports, and the states and reasons of deliveries in words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from paperround.core.languages import marked
from paperround.delivery.model import IN_OUTBOX
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.editions.lists import ListId
from paperround.editions.model import (
    DeliveryId,
    DeliveryState,
    EditionId,
    EditorsChanges,
    SkipReason,
)
from paperround.subscribers.model import SubscriberId


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionTally:
    """An edition and the number of its deliveries by state. `paper_count` is the size of its
    ranking, without the editor's changes (`edits`). `compacted_at` is when the deliveries were
    deleted."""

    id: EditionId
    list_id: ListId
    day: date
    cut: str
    cut_at: datetime
    frozen_at: datetime
    paper_count: int
    empty_reason: str | None
    by_state: Mapping[DeliveryState, int] = field(default_factory=dict)
    cancelled_at: datetime | None = None
    held_until: datetime | None = None
    edits: EditorsChanges = field(default_factory=EditorsChanges)
    compacted_at: datetime | None = None

    def is_held(self, now: datetime) -> bool:
        """Whether it waits for approval, or for the end of its hold."""
        stands = self.cancelled_at is None
        return stands and self.held_until is not None and now < self.held_until


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonTally:
    """The number of unsent or deferred emails with one reason; `reply` is the newest reply."""

    state: DeliveryState
    reason: str
    count: int
    code: int | None = None
    reply: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of a list's digests: how many wait now, and how many left in the last `over`."""

    waiting: int
    left: int
    over: timedelta

    @property
    def per_second(self) -> float:
        """The measured rate in emails a second, 0 when none left."""
        return self.left / self.over.total_seconds()

    @property
    def seconds_to_go(self) -> float | None:
        """The time to send the rest at that rate, None when it is unknown."""
        return self.waiting / self.per_second if self.left else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateMails:
    """Digests that left late: how many, and how late the first and the last."""

    count: int
    least: timedelta
    most: timedelta
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRecord:
    """An email to a person, digest or system email, and its outcome.

    `name` is its name in the events (`delivery/7`). A system email has no list, edition or date.
    `positions` are those of the edition's papers, `reply` is the server's and may contain the
    address. `taken` messages of a channel post that needs several were accepted before its last
    try.
    """

    name: str
    kind: str
    list_name: str | None
    edition_id: EditionId | None
    local_date: date | None
    positions: tuple[int, ...]
    state: DeliveryState
    reason: str
    due_at: datetime
    sent_at: datetime | None
    attempts: int
    code: int | None
    reply: str | None
    message_id: str
    taken: int
    next_at: datetime | None = None

    @property
    def is_in_outbox(self) -> bool:
        """Whether the email was kept in the outbox, because no relay was set."""
        return self.state is DeliveryState.SENT and self.reply == IN_OUTBOX


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryQuery:
    """A filter of deliveries; None matches all."""

    list_id: ListId | None = None
    edition_id: EditionId | None = None
    local_date: date | None = None
    state: DeliveryState | None = None
    subscriber_id: SubscriberId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEntry(MailRecord):
    """A digest in the ledger, its reader given by id; `is_person`: not a channel, nor erased."""

    id: DeliveryId
    subscriber_id: SubscriberId
    is_person: bool
    list_name: str
    edition_id: EditionId
    local_date: date
    edition_day: date
    cut: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysInUse:
    """How many rows need each key of the key ring, by key id.

    Without its key, a suppression cannot be matched, a channel cannot be posted to, an `unfinished`
    email cannot be made, and the links of a recently `sent` email do not work.
    """

    suppressions: Mapping[str, int]
    channels: Mapping[str, int]
    unfinished: Mapping[str, int]
    sent: Mapping[str, int]


# States and reasons in words for readers.

MOST_MAILS = 50
"""How many emails a history shows."""

_ADDRESS = re.compile(
    r"[^\s<>,;:()]{1,254}@[^\s<>,;:()]+|[^\s<>,;:()=/?&]{1,254}%40[^\s<>,;:()=/?&]+"
)
"""Matches an address, and one that is escaped in a link."""

WHY_NO_MAIL: Mapping[str, str] = {
    SkipReason.NO_NEW_PAPERS: marked("There were no new papers for you."),
    SkipReason.NO_PAPERS_AT_ALL: marked("No papers had been read yet."),
    SkipReason.MUTED: marked("You had muted all the new papers."),
    SkipReason.BELOW_FLOOR: marked("No new paper reached your minimum score."),
    SkipReason.PAUSED: marked("You had paused your digests."),
    SkipReason.BOUNCING: marked(
        "Too many of our emails to you bounced, so we paused your digests for some days."
    ),
    SkipReason.NOT_THEIR_DAY: marked("It was not one of your days."),
    SkipReason.HOLIDAY: marked("The sources announced nothing: it was a weekend or a holiday."),
    SkipReason.FEED_STALE: marked("The sources had announced nothing new yet."),
    SkipReason.FEED_FAILED: marked("A source could not be read."),
    SkipReason.RESTORED: marked(
        "It may have been sent before this installation was restored from a backup."
    ),
    SkipReason.NO_EDITIONS: marked("The list had no edition in the month before."),
    SkipReason.UNSUBSCRIBED: marked("You had unsubscribed before it was sent."),
    SkipReason.SUPPRESSED: marked("We no longer send email to your address."),
    SkipReason.CANCELLED: marked("The edition was withdrawn before it was sent."),
}
"""Explains to a reader why there was no digest, by the reason in the ledger."""

WHY_THIN: Mapping[str, str] = {
    SkipReason.FEED_STALE: marked(
        "A source is late today, so there may be fewer papers than usual."
    ),
    SkipReason.FEED_FAILED: marked(
        "A source could not be read today, so there may be fewer papers than usual."
    ),
}
"""Explains why a digest has few papers, by the reason found when its edition was made."""

_STATES: Mapping[DeliveryState, str] = {
    DeliveryState.QUEUED: marked("It is waiting to be sent."),
    DeliveryState.CLAIMED: marked("It is being sent."),
    DeliveryState.IN_DATA: marked("It is being sent."),
    DeliveryState.SENT: marked("The mail server accepted it."),
    DeliveryState.DEFERRED: marked("The mail server has not accepted it yet. We’ll try again."),
    DeliveryState.FAILED: marked("The mail server refused it."),
    DeliveryState.UNKNOWN: marked(
        "The mail server did not reply. It may have arrived, so we won’t send it twice."
    ),
    DeliveryState.EXPIRED: marked("It could not be sent in time, so we stopped trying."),
    DeliveryState.SKIPPED: marked("It was not sent."),
}
_NAMES: Mapping[str, str] = {
    SystemMailKind.CONFIRM: marked("Confirm your subscription"),
    SystemMailKind.REMINDER: marked("Reminder to confirm your subscription"),
    SystemMailKind.CHANGE: marked("Confirm your change of address"),
    SystemMailKind.PREFERENCES: marked("Link to your choices"),
    SystemMailKind.UNDO: marked("You unsubscribed, with a link to undo it"),
    SystemMailKind.TEST: marked("Test email"),
    SystemMailKind.ALERT: marked("Alert for the operator"),
    SystemMailKind.LOGIN: marked("Log-in link for an operator"),
}
DIGEST = "digest"
"""The kind of a list's email, beside the kinds of system email."""


def state_text(state: DeliveryState, reason: str) -> str:
    """Return the text for a state and reason."""
    if state is DeliveryState.SKIPPED:
        return WHY_NO_MAIL.get(reason, _STATES[state])
    return _STATES[state]


def email_kind_name(kind: str) -> str:
    """Return the name of any kind of email, a generic one for an unknown kind."""
    return marked("Digest") if kind == DIGEST else _NAMES.get(kind, marked("Email"))


def redact_addresses(reply: str | None) -> str | None:
    """Return a server's reply without addresses, which it often repeats."""
    return None if reply is None else _ADDRESS.sub("(address)", reply)
