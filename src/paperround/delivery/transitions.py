"""Decide the next state of a claimed row, and count the messages of a run.

an SMTP outcome              ─► sent | deferred | expired | failed | unknown
the email cannot be made     ─► failed
a setting must be fixed      ─► deferred | expired
making the email raised      ─► deferred, and after five tries failed
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from paperround.core.interfaces import Clock
from paperround.delivery.ledger_model import Transition
from paperround.delivery.model import MOST_BREAKDOWNS, Evidence, Outcome, ReplyClass
from paperround.delivery.queues import ClaimedRow
from paperround.delivery.rate_state import MOST_REFUSALS_OF_US
from paperround.delivery.replies import blame_us, next_try, refusal_of_recipient, verdict
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


FEW_TRIES = 3
"""How often a message whose recipient was refused like others is offered, unless an accepted one
shows that the refusals were of the recipients."""


@dataclass(slots=True)
class InFlight:
    """The messages in flight, the number of consecutive refusals of us, and the refusals of
    recipients since the last accepted message.

    A relay that does not let us in often says so as if it refused a recipient. So such a refusal is
    held until a message is accepted, which shows that it was of the recipient. Ten equal ones of
    different recipients are refusals of us. With `trusts_codes`, a code that says that the address
    does not exist is never held: anybody can sign up such addresses, and must not stop the sending.

    `is_refused` is set after ten of them. An accepted message resets the count only if it was added
    after the first refusal: when a relay starts to refuse us in the middle of a run, many earlier
    messages are still at their dots.
    """

    is_refused: bool = False
    trusts_codes: bool = False
    held_since: datetime | None = None
    _messages: set[DeliveryId] = field(default_factory=set)
    _earlier: set[DeliveryId] = field(default_factory=set)
    _refusals: int = 0
    _held: list[tuple[ClaimedRow, Outcome]] = field(default_factory=list)
    _kind: str = ""
    _before: Collection[DeliveryId] = ()

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, delivery: DeliveryId) -> None:
        """Add a message."""
        self._messages.add(delivery)

    def drop(self, deliveries: Iterable[DeliveryId]) -> None:
        """Remove messages that may not be sent after all."""
        self._messages.difference_update(deliveries)

    def answered(self, row: ClaimedRow, outcome: Outcome, now: datetime) -> list[Outcome]:
        """Remove a message with an outcome, and return the outcomes that are clear by now."""
        self._messages.discard(row.id)
        kind, found = refusal_of_recipient(outcome, row.address), verdict(outcome)
        if kind is None or (self.trusts_codes and found.blame.subscriber):
            accepted = found.state is DeliveryState.SENT and row.id not in self._before
            return [*(self.end_held(accepted=True) if accepted else ()), outcome]
        clear = [] if kind == self._kind else self.end_held()
        if not self._held:
            self._kind, self._before, self.held_since = kind, set(self._messages), now
        self._held.append((row, outcome))
        is_enough = len({one.address for one, _ in self._held}) >= MOST_REFUSALS_OF_US
        return clear + (self.end_held() if is_enough or self.is_refused else [])

    def end_held(self, *, accepted: bool = False, is_last: bool = False) -> list[Outcome]:
        """Return the outcomes that were held. Without an accepted message they are refusals of us;
        fewer than ten only for the first tries, and a single one not if the queue is empty."""
        held, self._held, self.held_since = self._held, [], None
        alike = len({row.address for row, _ in held})
        is_enough = self.is_refused or alike >= MOST_REFUSALS_OF_US
        is_doubtful = alike > 1 or not is_last
        return [
            blame_us(one)
            if not accepted and (is_enough or (is_doubtful and row.attempts < FEW_TRIES))
            else one
            for row, one in held
        ]

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
