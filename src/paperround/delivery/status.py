"""Values of the status reports: tallies, progress, late digests and single deliveries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from paperround.editions.lists import ListId
from paperround.editions.model import DeliveryId, DeliveryState, EditionId
from paperround.subscribers.model import SubscriberId


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionTally:
    """An edition and the number of its deliveries by state."""

    id: EditionId
    day: date
    cut: str
    cut_at: datetime
    frozen_at: datetime
    paper_count: int
    empty_reason: str | None
    by_state: Mapping[DeliveryState, int] = field(default_factory=dict)
    cancelled_at: datetime | None = None


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
    """An email to a person, digest or system email, and the server's reply.

    `name` is its name in the events (`delivery/7`). A system email has no list, edition or date.
    `positions` are those of the edition's papers. `taken` messages of a channel post that needs
    several were accepted before its last try.
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
    code: int | None
    reply: str | None
    message_id: str = ""
    attempts: int = 0
    taken: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryQuery:
    """A filter of deliveries; None matches all."""

    list_id: ListId | None = None
    local_date: date | None = None
    state: DeliveryState | None = None
    subscriber_id: SubscriberId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEntry:
    """A ledger row, its reader given by id. `reply` is the server's and may contain the address."""

    id: DeliveryId
    list_name: str
    subscriber_id: SubscriberId
    kind: str
    local_date: date
    edition_id: EditionId
    edition_day: date
    cut: str
    positions: tuple[int, ...]
    state: DeliveryState
    reason: str
    due_at: datetime
    sent_at: datetime | None
    attempts: int
    code: int | None
    reply: str | None
    message_id: str


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
