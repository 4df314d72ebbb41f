"""How fast messages may leave over the relay, or to a domain: a token bucket, and rests. Pure.

    each message takes a token    ─► the next token comes a spacing later
    10 refusals of us in a row    ─► the relay rests: 5 min, doubling to 60, then one is tried
    one accepted                  ─► messages leave again, and the rests are forgotten

The bucket is the generic cell rate algorithm (ITU-T I.371, annex A): a single instant says when it
is full again. A domain without a token puts its message off, and those behind it go first.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from paperround.domain.deliveries import DeliveryState, Outcome
from paperround.domain.replies import is_opening, speaks_against_us, verdict

NO_REST = timedelta(0)
FIRST_REST = timedelta(minutes=5)
LONGEST_REST = timedelta(minutes=60)

MOST_REFUSALS_OF_US = 10
"""Refusals of us (policy, sender, login, what the message says) in a row after which a relay rests:
it wants none of our messages, and asking it another thousand times makes that worse."""

TOLERANCE = timedelta(milliseconds=40)
"""A token may be taken this early, so that a claim that comes late costs no token. It is less than
what `pacing.MARGIN` adds to a second, so that no second holds more than its rate."""

HORIZON = timedelta(minutes=1)
"""A message that is put off is looked at again within this: settings may have changed."""

LOOK_AGAIN = timedelta(milliseconds=250)
STEP = timedelta(milliseconds=50)
"""When a message to a domain at its cap is looked at again, and how far apart several are."""


def is_taken(outcome: Outcome) -> bool:
    """Whether the relay took a message, or refused it for its reader's sake."""
    found = verdict(outcome)
    heard = found.state in (DeliveryState.SENT, DeliveryState.FAILED)
    return heard and not is_opening(outcome.phase) and not speaks_against_us(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateState:
    """The bucket of the relay or a domain, and the rests of the relay.

    The bucket is full again at `free_at`; messages were put off up to `lined_up_to`. `refused`
    counts refusals in a row. After `rest` one message is tried; `reason` is why it rests, or gave
    no session.
    """

    free_at: datetime | None = None
    lined_up_to: datetime | None = None
    refused: int = 0
    rest: timedelta = NO_REST
    rests_until: datetime | None = None
    reason: str = ""

    def rests(self, now: datetime) -> bool:
        """Whether nothing may leave now. A rest that seems longer than any was set by a clock that
        was wrong."""
        if self.rests_until is None:
            return False
        return timedelta(0) < self.rests_until - now <= LONGEST_REST

    @property
    def is_probing(self) -> bool:
        """Whether it rested, and nothing was accepted since."""
        return self.rest > NO_REST

    def take(self, spacing: timedelta, now: datetime) -> "RateState":
        """After a message that leaves now."""
        return replace(self, free_at=max(self.free_at or now, now) + spacing) if spacing else self

    def hold(self, until: datetime) -> "RateState":
        """Without a token before then."""
        is_held = self.free_at is not None and self.free_at >= until
        return self if is_held else replace(self, free_at=until)

    @property
    def is_troubled(self) -> bool:
        """Whether a message that is accepted changes anything."""
        return bool(self.refused or self.reason or self.is_probing)

    def after(self, outcome: Outcome, *, now: datetime) -> "RateState":
        """After an answer. The `reason` says why the relay gave no session, until it gives one."""
        if is_taken(outcome):
            return replace(self, refused=0, rest=NO_REST, rests_until=None, reason="")
        found = verdict(outcome)
        reason = found.reason if is_opening(outcome.phase) else ""
        state = self if self.is_probing else replace(self, reason=reason)
        if not speaks_against_us(found):
            return state
        worse = replace(state, refused=state.refused + 1)
        is_enough = state.is_probing or worse.refused >= MOST_REFUSALS_OF_US
        return worse.rest_longer(found.reason, now=now) if is_enough else worse

    def rest_longer(self, reason: str, *, now: datetime) -> "RateState":
        """Let it rest, longer than the last time."""
        if self.rests(now):
            return self
        rest = min(max(FIRST_REST, self.rest * 2), LONGEST_REST)
        return replace(self, rest=rest, rests_until=now + rest, reason=reason)


@dataclass(slots=True, kw_only=True)
class Bucket:
    """The relay or a domain as a claim finds it: at most `most` messages may be in flight (None: no
    cap), and its quotas leave `room` for some more (None: there are no quotas)."""

    state: RateState
    spacing: timedelta = timedelta(0)
    under_way: int = 0
    most: int | None = None
    room: int | None = None

    def wait(self, now: datetime) -> datetime | None:
        """When to look at a message again that may not leave now; None for one that may."""
        if self.room == 0:
            return now + HORIZON
        free_at = self.state.free_at
        if free_at is not None and free_at - TOLERANCE > now:
            return free_at - TOLERANCE
        is_full = self.most is not None and self.under_way >= self.most
        return now + LOOK_AGAIN if is_full else None

    def line_up(self, wait: datetime, now: datetime) -> datetime:
        """Put a message off behind those that were put off before it, so that each is looked at
        about when its turn comes. Returns until when."""
        before = self.state.lined_up_to
        turn = wait if before is None else max(wait, before + (self.spacing or STEP))
        turn = min(turn, now + HORIZON)
        self.state = replace(self.state, lined_up_to=turn)
        return turn

    def leave(self, now: datetime) -> None:
        """A message leaves."""
        self.state = self.state.take(self.spacing, now)
        self.under_way += 1
        self.room = None if self.room is None else self.room - 1
