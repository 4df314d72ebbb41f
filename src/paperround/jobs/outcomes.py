"""What becomes of a mail that was taken up: the move of its row.

what the server said       ─► sent | deferred | expired | failed | unknown
the mail cannot be made    ─► failed
its making broke down      ─► deferred, and after enough tries failed
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from paperround.domain.bounces import evidence_of_outcome
from paperround.domain.deliveries import MOST_BREAKDOWNS, DeliveryState, Outcome, Verdict
from paperround.domain.ledger import Move
from paperround.domain.ports import Clock
from paperround.domain.replies import next_try
from paperround.jobs.lanes import Held


@dataclass(frozen=True, slots=True)
class Moves:
    """Makes the moves of rows in hand. `jitter` spreads the next tries of many."""

    clock: Clock
    jitter: Random

    def answered(self, row: Held, outcome: Outcome, found: Verdict) -> Move:
        """The server said something of the mail, or nothing: `found` is what that means."""
        state, again = found.state, None
        if state is DeliveryState.DEFERRED:
            again = self._next_try(row, row.attempts, found.wait)
            state = DeliveryState.EXPIRED if again is None else state
        reply = outcome.reply
        return Move(
            id=row.id,
            token=row.lease.token,
            state=state,
            reason=found.reason,
            code=reply.code if reply else None,
            reply=reply.text if reply else outcome.error,
            next_at=again,
            evidence=evidence_of_outcome(outcome, found),
        )

    def failed(self, row: Held, reason: str) -> Move:
        """The mail cannot be made, and never will."""
        return Move(id=row.id, token=row.lease.token, state=DeliveryState.FAILED, reason=reason)

    def broke_down(self, row: Held, reason: str) -> Move:
        """Making the mail raised: it is put off; after enough tries it has failed."""
        again = self._next_try(row, row.breakdowns)
        if again is None or row.breakdowns + 1 >= MOST_BREAKDOWNS:
            return self.failed(row, reason)
        return Move(
            id=row.id,
            token=row.lease.token,
            state=DeliveryState.DEFERRED,
            reason=reason,
            next_at=again,
            breakdown=True,
        )

    def _next_try(self, row: Held, before: int, wait: timedelta | None = None) -> datetime | None:
        """When to try again after so many tries before this one, and not before the pause that was
        asked for; None when its life is over."""
        now = self.clock.now()
        again = next_try(before + 1, now, row.expires_at, self.jitter.random())
        if again is not None and wait is not None:
            again = max(again, now + wait)
        return again if again is not None and again < row.expires_at else None
