"""What one call of `deliver` knows of the pace: when to claim again, and what servers said.

The database decides who may leave; this remembers what it said, so that it is not asked in vain.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paperround.core.interfaces import Clock
from paperround.core.reasons import counted
from paperround.core.times import format_instant
from paperround.db.slots import SlotStore
from paperround.db.transactions import Transaction
from paperround.delivery.model import Outcome
from paperround.delivery.queues import SendContext
from paperround.delivery.rate_state import Pace, Pacing, is_taken
from paperround.delivery.replies import is_opening
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.rates import DOMAIN, RELAY, Gate, PaceStore
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import Alert

LINGER = timedelta(seconds=2)
"""How long the connections of a batch are kept for the next message that may leave."""

LONGEST_WAIT = timedelta(minutes=10)
"""A token that is further away is waited for by the next round."""

NAP = timedelta(seconds=1)
"""How long to wait at most before looking whether other messages have to go first."""

MOMENT = timedelta(milliseconds=10)


@dataclass(slots=True)
class _QueueSlots:
    """When messages of a lane that were put off are looked at again, and when to claim next."""

    slots: list[datetime] = field(default_factory=list)
    next_claim: datetime | None = None

    def wait(self, now: datetime) -> timedelta:
        """Until the next of the slots; for ever when there is none."""
        return min(self.slots) - now if self.slots else timedelta.max


@dataclass(slots=True)
class Pacer:
    """The pace of one call; without `pacing` nothing holds it. `sleep` waits for some seconds and
    says whether to stop. Each lane (`first` or not) has slots of its own: those of digests that
    wait say nothing of a notice that just came."""

    pacing: Pacing | None
    clock: Clock
    sleep: Callable[[float], bool]
    stopped: str | None = None
    _said: list[Outcome] = field(default_factory=list)
    _lanes: dict[bool, _QueueSlots] = field(
        default_factory=lambda: {True: _QueueSlots(), False: _QueueSlots()}
    )
    _is_troubled: bool = False
    _paid_at: dict[str, datetime] = field(default_factory=dict)
    _held: dict[str, datetime] = field(default_factory=dict)

    # --- claiming ------------------------------------------------------------------------------

    def is_early(self, now: datetime, *, first: bool) -> bool:
        """Whether a claim would find nothing yet."""
        next_claim = self._lanes[first].next_claim
        return next_claim is not None and now < next_claim

    @contextmanager
    def gate(self, work: Transaction, *, first: bool, now: datetime) -> Iterator[Gate | None]:
        """What a claim in this transaction asks who may leave; None where nothing holds mail."""
        gate = work[PaceStore].open(self.pacing, first=first, now=now) if self.pacing else None
        yield gate
        if gate is not None:
            gate.close()

    def claimed(self, gate: Gate | None, *, rows: int, first: bool, now: datetime) -> None:
        """A claim was made, and got that many rows."""
        if gate is None:
            return
        self._is_troubled = gate.is_troubled
        lane = self._lanes[first]
        lane.slots = [one for one in [*lane.slots, *gate.slots] if one > now]
        is_done = gate.is_full or not rows
        lane.next_claim = min([*lane.slots, now + NAP]) if is_done else None
        if gate.rests_until is not None:
            until = format_instant(gate.rests_until)
            self.stopped = f"the relay rests until {until}: {gate.reason}"

    def lingers(self, *, first: bool, under_way: int) -> bool:
        """Whether more of the lane may leave soon enough for the batch to stay open."""
        lane = self._lanes[first]
        if under_way:
            return bool(lane.slots) or self._is_troubled
        return lane.wait(self.clock.now()) <= LINGER

    def rest(self, *, first: bool) -> bool:
        """Wait until the lane may be claimed again; False when this process was asked to stop."""
        return self._rest(self._lanes[first].wait(self.clock.now()))

    def awaits(self) -> bool:
        """Whether messages of either lane may leave soon enough to wait for, having waited a
        while."""
        now = self.clock.now()
        wait = min(lane.wait(now) for lane in self._lanes.values())
        return self.stopped is None and wait <= LONGEST_WAIT and self._rest(wait)

    def _rest(self, wait: timedelta) -> bool:
        return not self.sleep(min(max(wait, MOMENT), NAP).total_seconds())

    # --- answers -------------------------------------------------------------------------------

    def hear(self, outcome: Outcome, address: str) -> None:
        """What became of a message to `address`. One that is accepted as ever changes nothing."""
        if self.pacing is None:
            return
        self._is_troubled = self._is_troubled or not is_taken(outcome)
        if self._is_troubled:
            self._said.append(outcome)
        if not self.pacing.is_limited:
            return
        domain = address.rpartition("@")[2]
        self._pay(RELAY, self.pacing.relay)
        self._pay(DOMAIN + domain, self.pacing.domains.of(domain))

    def _pay(self, name: str, pace: Pace) -> None:
        """A server that stalled and then took several messages together gets no others before these
        are paid for."""
        if pace.spacing:
            now = self.clock.now()
            paid_at = max(now, self._paid_at.get(name, now))
            self._paid_at[name] = paid_at + pace.spacing
            if paid_at > now:
                self._held[name] = paid_at

    def heard(self) -> "PendingFeedback":
        """What is to be written down now."""
        return PendingFeedback(said=tuple(self._said), held=dict(self._held))

    def wrote(self, written: "PendingFeedback") -> None:
        """It stands in the database."""
        del self._said[: len(written.said)]
        self._held.clear()


def pacer_of(post: SendContext) -> Pacer:
    """The pace of what is sent with `post`."""
    return Pacer(pacing=post.pacing, clock=post.clock, sleep=post.wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingFeedback:
    """What is to be written down: what servers said, and before when who gets no others."""

    said: Sequence[Outcome]
    held: Mapping[str, datetime] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.said or self.held)

    def write(self, work: Transaction, *, now: datetime) -> None:
        """Write it down in a transaction."""
        if self.said:
            work[PaceStore].heard(self.said, now=now)
        if self.held:
            work[PaceStore].hold(self.held, now=now)
        if any(is_opening(one.phase) for one in self.said):
            work[SlotStore].beat(FAILED, now=now)


FAILED = "relay/no-session"
"""The beat of the last time that a mail got no session."""

LATELY = timedelta(hours=2)
"""A failure this long ago says nothing any more: a mail that waits is tried again within 72
minutes, so none waits."""

UNREACHED = "the relay cannot be reached"


def unreached(work: Transaction, *, now: datetime) -> str | None:
    """Why the relay cannot be reached, None when it can or nobody tried for two hours."""
    reason, _ = _last_failure(work, now)
    return reason


def relay_alerts(work: Transaction, *, now: datetime) -> Iterator[Alert]:
    """The alert that the relay cannot be reached, if that is so."""
    reason, failed = _last_failure(work, now)
    if reason is None or failed is None:
        return
    waiting = work[Ledger].totals(now=now).deferred + work[NoticeLedger].totals(now=now).deferred
    mails = f"{counted(waiting, 'mail')} {'waits' if waiting == 1 else 'wait'}"
    yield Alert(
        key=f"unreached/{now:%Y-%m-%d}",
        subject=f"The relay cannot be reached: {reason}",
        lines=(
            f"Last tried {format_instant(failed)}. {mails}.",
            "Each is tried again by itself, a digest for 20 hours.",
            "Is PAPERROUND_SMTP_URL right, and does the relay run? `paperround doctor` looks.",
        ),
        stops_mail=True,
    )


def _last_failure(work: Transaction, now: datetime) -> tuple[str | None, datetime | None]:
    """Why and when the last mail got no session; None twice where that says nothing now."""
    relay = work[PaceStore].relay()
    if not relay.reason or relay.is_probing:
        return None, None
    failed = work[SlotStore].last_beat(FAILED)
    if failed is None or now - failed > LATELY:
        return None, None
    return relay.reason, failed
