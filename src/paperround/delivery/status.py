"""How things stand: what an operator asks for in the morning, in numbers and reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from paperround.editions.lists import ListId
from paperround.editions.model import DeliveryId, DeliveryState, EditionId
from paperround.subscribers.model import SubscriberId


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionTally:
    """An edition and what became of its mails, by state."""

    id: EditionId
    day: date
    cut: str
    cut_at: datetime
    frozen_at: datetime
    papers: int
    empty_reason: str | None
    by_state: Mapping[DeliveryState, int] = field(default_factory=dict)
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonTally:
    """How many mails ended, or wait, for one reason; `reply` is the newest answer of a relay."""

    state: DeliveryState
    reason: str
    count: int
    code: int | None = None
    reply: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a list's digests are: how many may leave now and wait, how many left in the last
    `over`."""

    waiting: int
    left: int
    over: timedelta

    @property
    def per_second(self) -> float:
        """Mails a second, as measured; 0 when nothing left."""
        return self.left / self.over.total_seconds()

    @property
    def seconds_to_go(self) -> float | None:
        """How long the others take at that pace; None where nothing left that could tell."""
        return self.waiting / self.per_second if self.left else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateMails:
    """Digests that left long after their hour: how many, and how late the first and the last."""

    count: int
    least: timedelta
    most: timedelta
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRecord:
    """One mail to a person, digest or notice, and what the server said.

    `name` is what events call it (`delivery/7`). A notice has no list, no edition and no date.
    `positions` are those of the edition's papers.
    `taken` messages of a post that needs several had been taken before its last try.
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
    """Which deliveries somebody wants to see: those that have all that is named."""

    list_id: ListId | None = None
    local_date: date | None = None
    state: DeliveryState | None = None
    subscriber_id: SubscriberId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEntry:
    """One row of the ledger, its reader by number. `reply` is what the server said, and may repeat
    the address."""

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
    """How many rows need each key of the ring, by its name.

    `suppressions` cannot be recognised without theirs, `channels` cannot be posted to, `unfinished`
    mails cannot be made without theirs, and the links of mails that were `sent` lately do not work
    without theirs.
    """

    suppressions: Mapping[str, int]
    channels: Mapping[str, int]
    unfinished: Mapping[str, int]
    sent: Mapping[str, int]
