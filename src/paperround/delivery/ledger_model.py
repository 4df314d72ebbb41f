"""What the ledger takes and gives: rows to plan, rows claimed, moves, totals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from paperround.core.languages import ENGLISH
from paperround.delivery.model import Evidence, Lease
from paperround.editions.model import (
    DeliveryId,
    DeliveryState,
    DigestKind,
    EditionId,
    EditionPaper,
    Withdrawal,
)
from paperround.papers.model import PaperId
from paperround.subscribers.model import SubscriberId, Subscription, SubscriptionId


def parts_by_position(
    positions: Sequence[int], parts: Mapping[str, Sequence[float]]
) -> dict[int, dict[str, float]]:
    """Parts of which each has a number for every position; those that are 0 are left out."""
    own: dict[int, dict[str, float]] = {}
    for name, numbers in parts.items():
        for position, number in zip(positions, numbers, strict=True):
            if number:
                own.setdefault(position, {})[name] = number
    return own


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """A ledger row about to be planned. `papers` are (paper, position in the edition).

    `parts` are what its papers are worth to this reader alone: by name a number for each paper.
    `behind` are those of its papers that the edition does not show: they are frozen with the row.
    """

    subscriber_id: SubscriberId
    subscription_id: SubscriptionId
    kind: DigestKind
    local_date: date
    state: DeliveryState
    reason: str
    due_at: datetime
    expires_at: datetime
    message_id: str
    dated: datetime
    key_id: str
    nonce: str
    papers: tuple[tuple[PaperId, int], ...] = ()
    reasons: Mapping[int, str] = field(default_factory=dict)
    parts: Mapping[str, Sequence[float]] = field(default_factory=dict)
    withdrawn: tuple[Withdrawal, ...] = ()
    behind: tuple[EditionPaper, ...] = ()
    language: str = ENGLISH


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """A row planned because its hour has come: the edition it is cut from, and the move of the
    subscription's clock that goes with it. The move counts only while the clock still stands at
    `due_at`: whoever moved it first has planned the row."""

    edition_id: EditionId
    row: NewDelivery
    due_at: datetime
    next_due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Subscriptions, one after another by id, whose ledger rows were written together."""

    number: int
    after: SubscriptionId
    through: SubscriptionId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryContent:
    """What the bytes of one mail are made of, beside its edition.

    `row` is the delivery's id; 0 in a preview, whose links lead nowhere. `parts` are what a score
    has in this reader's digest alone, by the paper's position.
    """

    row: int
    edition_id: EditionId
    address: str
    positions: tuple[int, ...]
    local_date: date
    message_id: str
    dated: datetime
    key_id: str
    nonce: str
    reasons: Mapping[int, str] = field(default_factory=dict)
    parts: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    withdrawn: tuple[Withdrawal, ...] = ()
    language: str = ENGLISH


def slip_for(row: NewDelivery, edition_id: EditionId, address: str) -> DeliveryContent:
    """What the mail of a row that is not written yet is made of."""
    positions = tuple(position for _, position in row.papers)
    return DeliveryContent(
        row=0,
        edition_id=edition_id,
        address=address,
        positions=positions,
        local_date=row.local_date,
        message_id=row.message_id,
        dated=row.dated,
        key_id=row.key_id,
        nonce=row.nonce,
        reasons=row.reasons,
        parts=parts_by_position(positions, row.parts),
        withdrawn=row.withdrawn,
        language=row.language,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """A digest that its reader did not get, or (unknown) may not have got: what it was made of,
    what became of it, and how its reader stands now.

    `subscription` is as active as its person; None once it is gone. `replaced`: its replacement was
    planned.
    """

    slip: DeliveryContent
    state: DeliveryState
    reason: str
    subscription: Subscription | None
    replaced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed(DeliveryContent):
    """A delivery this process may send now, with what its bytes are made of. `taken` messages of it
    were taken before, where one takes several; `attempts` are those of the next."""

    subscriber_id: SubscriberId
    kind: DigestKind
    attempts: int
    breakdowns: int
    expires_at: datetime
    lease: Lease
    taken: int = 0

    @property
    def id(self) -> DeliveryId:
        """The row's."""
        return DeliveryId(self.row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A delivery's next state. It takes effect only while `token` is the row's latest claim.

    `evidence` is what the answer says of the reader's address.
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
    """How many rows stand in each state; claimed and in_data count as queued."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    unknown: int = 0
    expired: int = 0
    skipped: int = 0
    queued: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The ledger rows of one edition: how many, and how many were born skipped, by reason."""

    rows: int
    skipped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """What became of one mail, as its reader's history shows it."""

    list_name: str
    kind: DigestKind
    local_date: date
    state: DeliveryState
    reason: str
    papers: int
    due_at: datetime
    sent_at: datetime | None
    code: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What a list has in hand. `oldest_due` is the due instant of the oldest mail that waits.

    `oldest_held_due` is that of the oldest that nothing about its reader holds back: it was never
    offered, no relay could be reached, or one refuses us. A full mailbox is not among those.
    """

    by_state: Mapping[DeliveryState, int]
    oldest_due: datetime | None
    oldest_held_due: datetime | None
