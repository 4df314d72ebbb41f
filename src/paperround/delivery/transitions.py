"""Decide the next state of a claimed row, and count the messages of a run.

an SMTP outcome              ─► sent | deferred | expired | failed | unknown
the email cannot be made     ─► failed
a setting must be fixed      ─► deferred | expired
making the email raised      ─► deferred, and after five tries failed
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from paperround.core.interfaces import Clock
from paperround.delivery.ledger_model import Transition
from paperround.delivery.model import MOST_BREAKDOWNS, Evidence, Outcome, ReplyClass
from paperround.delivery.queues import ClaimedRow
from paperround.delivery.rate_state import MOST_REFUSALS_OF_US
from paperround.delivery.replies import next_try
from paperround.editions.model import DeliveryId, DeliveryState


@dataclass(frozen=True, slots=True)
class Transitions:
    """Make the transitions of claimed rows. `jitter` spreads retries; `judge` returns what an
    outcome proves about the address."""

    clock: Clock
    jitter: Random
    judge: Callable[[Outcome, ReplyClass], Evidence]

    def answered(self, row: ClaimedRow, outcome: Outcome, found: ReplyClass) -> Transition:
        """Return the transition for an outcome that was classified as `found`."""
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

    def deferred(self, row: ClaimedRow, reason: str) -> Transition:
        """Return the transition for an email that cannot be made now: deferred until it expires."""
        again = self._next_try(row, row.attempts)
        state = DeliveryState.EXPIRED if again is None else DeliveryState.DEFERRED
        return Transition(
            id=row.id, token=row.lease.token, state=state, reason=reason, next_at=again
        )

    def failed(self, row: ClaimedRow, reason: str) -> Transition:
        """Return the transition for an email that can never be made."""
        return Transition(
            id=row.id, token=row.lease.token, state=DeliveryState.FAILED, reason=reason
        )

    def broke_down(self, row: ClaimedRow, reason: str) -> Transition:
        """Return the transition after making the email raised: deferred, in the end failed."""
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
        """Return when to try again after `before` earlier tries and this one, and not before `wait`
        is over; None if the email expires first."""
        now = self.clock.now()
        again = next_try(before + 1, now, row.expires_at, self.jitter.random())
        if again is not None and wait is not None:
            again = max(again, now + wait)
        return again if again is not None and again < row.expires_at else None


@dataclass(slots=True)
class InFlight:
    """The messages in flight, and the number of consecutive refusals of us.

    `is_refused` is set after ten of them. An accepted message resets the count only if it was added
    after the first refusal: when a relay starts to refuse us in the middle of a run, many earlier
    messages are still at their dots.
    """

    is_refused: bool = False
    _messages: set[DeliveryId] = field(default_factory=set)
    _earlier: set[DeliveryId] = field(default_factory=set)
    _refusals: int = 0

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, delivery: DeliveryId) -> None:
        """Add a message."""
        self._messages.add(delivery)

    def drop(self, deliveries: Iterable[DeliveryId]) -> None:
        """Remove messages that may not be sent after all."""
        self._messages.difference_update(deliveries)

    def end(self, delivery: DeliveryId, *, refuses_us: bool) -> bool:
        """Remove a message with an outcome. Returns whether it makes too many refusals of us."""
        self._messages.discard(delivery)
        if refuses_us:
            self._earlier = self._earlier if self._refusals else set(self._messages)
            self._refusals += 1
        elif delivery not in self._earlier:
            self._refusals = 0
        is_too_many = refuses_us and self._refusals >= MOST_REFUSALS_OF_US
        self.is_refused = self.is_refused or is_too_many
        return is_too_many


# A claim costs as much as sending a dozen emails, so large claims are faster. But claimed rows wait
# their turn, and must not outlast their lease. So the first claims are small, and they grow only
# while each is used up quickly.

FEWEST = 50
MOST = 200
MOMENT = timedelta(seconds=1)
"""A claim used up within this time lets the next grow: even the largest then waits only seconds."""


class ClaimSize:
    """The size of the next claim of a run."""

    def __init__(self) -> None:
        self._size = FEWEST
        self._last: datetime | None = None
        self._was_full = False

    def at(self, now: datetime) -> int:
        """Return how many rows to claim at `now`."""
        if self._was_full and self._last is not None:
            quick = timedelta(0) <= now - self._last <= MOMENT
            self._size = min(2 * self._size, MOST) if quick else FEWEST
        self._last = now
        return self._size

    def got(self, rows: int) -> None:
        """Record how many rows the claim returned."""
        self._was_full = rows >= self._size
