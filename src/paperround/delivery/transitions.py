"""What becomes of a mail that was taken up: the move of its row.

what the server said       ─► sent | deferred | expired | failed | unknown
the mail cannot be made    ─► failed
its making broke down      ─► deferred, and after enough tries failed
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from paperround.core.interfaces import Clock
from paperround.delivery.ledger_model import LedgerTotals, Transition
from paperround.delivery.model import MOST_BREAKDOWNS, Evidence, Outcome, ReplyClass
from paperround.delivery.queues import ClaimedRow
from paperround.delivery.rate_state import MOST_REFUSALS_OF_US
from paperround.delivery.replies import next_try
from paperround.editions.model import DeliveryId, DeliveryState


@dataclass(frozen=True, slots=True)
class Transitions:
    """Makes the moves of rows in hand. `jitter` spreads the next tries of many;
    `judge` says what an answer proves of an address."""

    clock: Clock
    jitter: Random
    judge: Callable[[Outcome, ReplyClass], Evidence]

    def answered(self, row: ClaimedRow, outcome: Outcome, found: ReplyClass) -> Transition:
        """The server said something of the mail, or nothing: `found` is what that means."""
        state, again = found.state, None
        if state is DeliveryState.DEFERRED:
            again = self._next_try(row, row.attempts, found.wait)
            state = DeliveryState.EXPIRED if again is None else state
        reply = outcome.reply
        return Transition(
            id=row.id,
            token=row.lease.token,
            state=state,
            reason=found.reason,
            code=reply.code if reply else None,
            reply=reply.text if reply else outcome.error,
            next_at=again,
            evidence=self.judge(outcome, found),
        )

    def failed(self, row: ClaimedRow, reason: str) -> Transition:
        """The mail cannot be made, and never will."""
        return Transition(
            id=row.id, token=row.lease.token, state=DeliveryState.FAILED, reason=reason
        )

    def broke_down(self, row: ClaimedRow, reason: str) -> Transition:
        """Making the mail raised: it is put off; after enough tries it has failed."""
        again = self._next_try(row, row.breakdowns)
        if again is None or row.breakdowns + 1 >= MOST_BREAKDOWNS:
            return self.failed(row, reason)
        return Transition(
            id=row.id,
            token=row.lease.token,
            state=DeliveryState.DEFERRED,
            reason=reason,
            next_at=again,
            breakdown=True,
        )

    def _next_try(
        self, row: ClaimedRow, before: int, wait: timedelta | None = None
    ) -> datetime | None:
        """When to try again after so many tries before this one, and not before the pause that was
        asked for; None when its life is over."""
        now = self.clock.now()
        again = next_try(before + 1, now, row.expires_at, self.jitter.random())
        if again is not None and wait is not None:
            again = max(again, now + wait)
        return again if again is not None and again < row.expires_at else None


@dataclass(slots=True)
class InFlight:
    """Mails that were taken up and have no outcome yet.

    Once so many in a row were refused for what we are, `is_refused`. A mail that was on its way
    before the first of them ends no row when it is taken: a storm that begins in the middle of a
    run meets many that are at their dots.
    """

    is_refused: bool = False
    _numbers: dict[DeliveryId, int] = field(default_factory=dict)
    _taken_up: int = 0
    _refusals: int = 0
    _began_after: int = 0

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, delivery: DeliveryId) -> None:
        """A mail was taken up."""
        self._taken_up += 1
        self._numbers[delivery] = self._taken_up

    def drop(self, deliveries: Iterable[DeliveryId]) -> None:
        """Mails that may not go after all."""
        for one in deliveries:
            self._numbers.pop(one, None)

    def end(self, delivery: DeliveryId, *, refuses_us: bool) -> bool:
        """A mail has its outcome. Whether with it there are too many refusals of us in a row."""
        number = self._numbers.pop(delivery, 0)
        if refuses_us:
            self._began_after = self._began_after if self._refusals else self._taken_up
            self._refusals += 1
        elif number > self._began_after:
            self._refusals = 0
        is_too_many = refuses_us and self._refusals >= MOST_REFUSALS_OF_US
        self.is_refused = self.is_refused or is_too_many
        return is_too_many


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverReport:
    """The ledger's totals after the run, and why it stopped early, if it did.

    `digests` and `others` count, by state, what became of the mails of this run; `troubles`, by
    reason, those of them that were not sent; `expired` those whose life had ended before it.
    """

    totals: LedgerTotals
    notices: LedgerTotals
    digests: Mapping[str, int] = field(default_factory=dict)
    others: Mapping[str, int] = field(default_factory=dict)
    troubles: Mapping[str, int] = field(default_factory=dict)
    expired: int = 0
    stopped: str | None = None


# How many rows to claim at a time.
#
# A claim costs as much as a dozen mails, so many rows a claim are quicker. But the rows of a claim
# wait in line, and must not wait for longer than their lease: so there are few at first, and more
# only while each claim is used up within a moment.

FEWEST = 50
MOST = 200
MOMENT = timedelta(seconds=1)
"""Within this a claim is used up quickly: even the most rows of one then wait for seconds."""


class ClaimSize:
    """The number of rows of the next claim of one run."""

    def __init__(self) -> None:
        self._size = FEWEST
        self._last: datetime | None = None
        self._was_full = False

    def at(self, now: datetime) -> int:
        """How many rows to claim now."""
        if self._was_full and self._last is not None:
            quick = timedelta(0) <= now - self._last <= MOMENT
            self._size = min(2 * self._size, MOST) if quick else FEWEST
        self._last = now
        return self._size

    def got(self, rows: int) -> None:
        """The claim brought that many."""
        self._was_full = rows >= self._size
