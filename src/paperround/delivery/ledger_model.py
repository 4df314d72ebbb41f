"""Ledger values: rows to plan, claimed rows, transitions and totals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime

from paperround.core.languages import ENGLISH
from paperround.delivery.model import Evidence, Lease
from paperround.editions.model import (
    DeliveryId,
    DeliveryState,
    DigestKind,
    EditionId,
    EditionPaper,
    JournalClub,
    NewPapers,
    RisenPaper,
    SkipReason,
    Withdrawal,
)
from paperround.papers.model import PaperId
from paperround.subscribers.model import SubscriberId, Subscription, SubscriptionId


def parts_by_position(
    positions: Sequence[int], parts: Mapping[str, Sequence[float]]
) -> dict[int, dict[str, float]]:
    """Regroup score parts, given as numbers for all positions, by position, without zeros."""
    own: dict[int, dict[str, float]] = {}
    for name, numbers in parts.items():
        for position, number in zip(positions, numbers, strict=True):
            if number:
                own.setdefault(position, {})[name] = number
    return own


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedContent:
    """What planning decides about one digest email, so that every try sends the same.

    `next_papers` are those of the page of the next titles, the best first.
    """

    local_date: date
    message_id: str
    dated: datetime
    key_id: str
    nonce: str
    reasons: Mapping[int, str] = field(default_factory=dict)
    withdrawn: tuple[Withdrawal, ...] = ()
    club: JournalClub | None = None
    new_papers: NewPapers | None = None
    risen: tuple[RisenPaper, ...] = ()
    next_papers: tuple[PaperId, ...] = ()
    language: str = ENGLISH


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery(PlannedContent):
    """A ledger row to plan. `papers` are (paper, position in the edition).

    `parts` are score parts for this reader: for each name a number for each paper. `behind` are
    papers that the edition does not show: they are stored with the row.
    """

    subscriber_id: SubscriberId
    subscription_id: SubscriptionId
    kind: DigestKind
    state: DeliveryState
    reason: str
    due_at: datetime
    expires_at: datetime
    papers: tuple[tuple[PaperId, int], ...] = ()
    parts: Mapping[str, Sequence[float]] = field(default_factory=dict)
    behind: tuple[EditionPaper, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """A row to plan because its subscription is due.

    Planning it moves the subscription from `due_at` to `next_due_at`. It is dropped if the
    subscription is no longer due at `due_at`, because another process has planned it.
    """

    edition_id: EditionId
    row: NewDelivery
    due_at: datetime
    next_due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A range of subscription ids whose ledger rows are written together."""

    number: int
    after: SubscriptionId
    through: SubscriptionId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryContent(PlannedContent):
    """The content of one digest email, apart from its edition.

    `row` is the delivery's id; 0 in a preview, whose links do not work. `parts` are the score parts
    for this reader, by the paper's position.
    """

    row: int
    edition_id: EditionId
    address: str
    positions: tuple[int, ...]
    parts: Mapping[int, Mapping[str, float]] = field(default_factory=dict)


def content_for(row: NewDelivery, edition_id: EditionId, address: str) -> DeliveryContent:
    """Return the content of the email for a row that is not stored yet."""
    positions = tuple(position for _, position in row.papers)
    return DeliveryContent(
        **{one.name: getattr(row, one.name) for one in fields(PlannedContent)},
        row=0,
        edition_id=edition_id,
        address=address,
        positions=positions,
        parts=parts_by_position(positions, row.parts),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """A digest that its reader did not get or (`is_unknown`) may not have got.

    `subscription` is active only if its person is; None once it is gone. `replaced` is true if a
    replacement was planned.
    """

    content: DeliveryContent
    state: DeliveryState
    reason: str
    subscription: Subscription | None
    replaced: bool

    @property
    def is_unknown(self) -> bool:
        """Whether the reader may have it, also if it was due before a restore."""
        return self.state is DeliveryState.UNKNOWN or self.reason == SkipReason.RESTORED


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed(DeliveryContent):
    """A delivery that this process has claimed for sending. If it takes several messages, `taken`
    of them were accepted before, and `attempts` counts the tries of the next."""

    subscriber_id: SubscriberId
    kind: DigestKind
    attempts: int
    breakdowns: int
    expires_at: datetime
    lease: Lease
    taken: int = 0

    @property
    def id(self) -> DeliveryId:
        """The id of the ledger row."""
        return DeliveryId(self.row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A delivery's next state. It applies only while `token` is the row's latest claim.

    `evidence` is what the reply proves about the reader's address.
    """

    id: DeliveryId
    token: str
    state: DeliveryState
    reason: str
    code: int | None = None
    reply: str | None = None
    next_at: datetime | None = None
    breakdown: bool = False
    evidence: Evidence = Evidence.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTotals:
    """The number of rows by state; claimed and in_data count as queued."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    unknown: int = 0
    expired: int = 0
    skipped: int = 0
    queued: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The number of ledger rows of one edition, and of those planned as skipped, by reason."""

    rows: int
    skipped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """The unfinished deliveries of a list. `oldest_due` is when the oldest waiting email was due.

    `oldest_held_due` ignores email that its recipient holds up, such as by a full mailbox: it
    counts email never offered, or deferred because no relay could be reached or one refuses us.
    """

    by_state: Mapping[DeliveryState, int]
    oldest_due: datetime | None
    oldest_held_due: datetime | None
