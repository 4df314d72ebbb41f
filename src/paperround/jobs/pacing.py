"""What one call of `deliver` knows of the pace: when to look again, and what servers said.

The database decides who may leave; this remembers what it said, so that it is not asked in vain.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paperround.domain.deliveries import (
    DeliveryId,
    Outcome,
    Verdict,
)
from paperround.domain.flows import Answer, answer_of
from paperround.domain.pacing import AHEAD, AHEAD_FIRST, LOOK_AGAIN, Pacing
from paperround.domain.ports import Clock
from paperround.domain.times import format_instant
from paperround.jobs.lanes import SendContext
from paperround.jobs.unreached import FAILED
from paperround.store.pacing import Gate
from paperround.store.unit_of_work import UnitOfWork

LINGER = timedelta(seconds=2)
"""How long the connections of a batch are kept for the next slot."""

LONGEST_WAIT = timedelta(minutes=10)
"""A slot that is further away is waited for by the next round."""

GAP = timedelta(milliseconds=20)
"""Answers that come within this are taken up by one claim."""

NAP = timedelta(seconds=1)
"""How long to wait at most before looking whether other mail has to go first."""


@dataclass(slots=True)
class _Timetable:
    """When a lane is looked at again. Each has its own: the slots of digests that wait say nothing
    of a notice that just came."""

    slots: list[datetime] = field(default_factory=list)
    look_at: datetime | None = None
    asked_at: datetime | None = None
    has_news: bool = False
    is_shut: bool = False
    more_waits: bool = False

    def seconds_to_slot(self, now: datetime) -> float:
        """Until the next of the slots that mails wait for; for ever when none do."""
        if not self.slots:
            return float("inf")
        return max(0.0, (min(self.slots) - now).total_seconds())


@dataclass(frozen=True, slots=True)
class _Taken:
    """When a server last answered, and by when the rate allows for all that it has taken."""

    at: datetime
    paid_at: datetime


@dataclass(slots=True)
class Pacer:
    """The pace of one call; without `pacing` nothing holds it. `wait` waits for some seconds and
    says whether to stop."""

    pacing: Pacing | None
    clock: Clock
    wait: Callable[[float], bool]
    stopped: str | None = None
    _answers: list[Answer] = field(default_factory=list)
    _tables: dict[bool, _Timetable] = field(
        default_factory=lambda: {True: _Timetable(), False: _Timetable()}
    )
    _is_troubled: bool = False
    _left: dict[str, datetime] = field(default_factory=dict)
    _taken: dict[str, "_Taken"] = field(default_factory=dict)

    # --- claiming ------------------------------------------------------------------------------

    def is_early(self, now: datetime, *, first: bool, under_way: int) -> bool:
        """Whether a claim would find nothing: nothing was heard, and no slot came, since the last
        one did. While mails are under way, what is heard within moments is taken up together; but
        nothing is waited for after a claim that brought all it was to."""
        table = self._tables[first]
        if table.more_waits:
            return False
        if table.has_news and table.asked_at is not None:
            return under_way > 0 and table.asked_at <= now < table.asked_at + GAP
        return table.look_at is not None and now < table.look_at

    @contextmanager
    def gate(self, work: UnitOfWork, *, first: bool, now: datetime) -> Iterator[Gate | None]:
        """What a claim in this transaction asks who may leave; None where nothing holds mail."""
        gate = work.pacing.open(self.pacing, first=first, now=now) if self.pacing else None
        yield gate
        if gate is not None:
            gate.close()

    def asked(
        self, gate: Gate | None, *, rows: int, wanted: int, first: bool, now: datetime
    ) -> Mapping[DeliveryId, datetime]:
        """A claim was made, and got that many of the rows it wanted. Returns their slots."""
        if gate is None:
            return {}
        table = self._tables[first]
        table.has_news = False
        table.asked_at = now
        table.more_waits = 0 < wanted <= rows
        table.is_shut = gate.limit == 0
        self._is_troubled = bool(gate.reason)
        table.slots = [one for one in [*table.slots, *gate.slots] if one > now]
        if gate.is_full and gate.free_at is not None:
            table.slots.append(gate.free_at - (AHEAD_FIRST if first else AHEAD) / 2)
        table.look_at = None if rows else min([*table.slots, now + NAP])
        if gate.rests_until is not None:
            until = format_instant(gate.rests_until)
            self.stopped = f"the relay rests until {until}: {gate.reason}"
        return gate.leaves

    def seconds_left(self, slot: datetime, address: str) -> float:
        """How long a mail to `address` still has to wait for its slot. One that comes late to it
        must not meet the next one, so the distance is kept from what left before it, too. Several
        that a slow server took at once count one after the other from then on."""
        now, moments = self.clock.now(), [slot]
        for road, spacing in self._spacings(address):
            last, taken = self._left.get(road), self._taken.get(road)
            if last is not None and last <= now:
                moments.append(last + spacing)
            if taken is not None and taken.at <= now:
                moments.append(taken.paid_at - spacing)
        wait = (max(moments) - now).total_seconds()
        if wait <= 0:
            self._left |= {road: now for road, _ in self._spacings(address)}
        return max(0.0, wait)

    def _spacings(self, address: str) -> list[tuple[str, timedelta]]:
        domain = address.rpartition("@")[2]
        relay = self.pacing.relay.spacing if self.pacing else timedelta(0)
        by_domain = self.pacing.domains if self.pacing else None
        own = by_domain.of(domain).spacing if by_domain else timedelta(0)
        return [(road, spacing) for road, spacing in (("", relay), (domain, own)) if spacing]

    def lingers(self, *, first: bool, under_way: int) -> bool:
        """Whether more of the lane may leave soon enough for the batch to stay open."""
        table = self._tables[first]
        if under_way:
            return table.has_news or table.is_shut or bool(table.slots)
        return table.seconds_to_slot(self.clock.now()) <= LINGER.total_seconds()

    def rest(self) -> bool:
        """Wait for the next slot, or a while; False when this process was asked to stop."""
        seconds = min(self._seconds_to_slot(), NAP.total_seconds())
        return not self.wait(max(seconds, LOOK_AGAIN.total_seconds() / 10))

    def awaits(self) -> bool:
        """Whether mails wait for slots that come soon enough to wait for, having waited a while."""
        if self.stopped is not None or self._seconds_to_slot() > LONGEST_WAIT.total_seconds():
            return False
        return self.rest()

    def _seconds_to_slot(self) -> float:
        """Until the next of the slots that mails of either lane wait for."""
        now = self.clock.now()
        return min(table.seconds_to_slot(now) for table in self._tables.values())

    # --- answers -------------------------------------------------------------------------------

    def hear(self, outcome: Outcome, verdict: Verdict, address: str) -> None:
        """What became of a mail to `address`."""
        if self.pacing is None:
            return
        for table in self._tables.values():
            table.has_news = True
        self._count_taken(address)
        self._answers.append(answer_of(outcome, verdict, address.rpartition("@")[2]))

    def _count_taken(self, address: str) -> None:
        now = self.clock.now()
        for road, spacing in self._spacings(address):
            before = self._taken.get(road)
            paid_at = now if before is None or before.at > now else max(now, before.paid_at)
            self._taken[road] = _Taken(now, paid_at + spacing)

    def heard(self) -> "Hearsay":
        """What is to be written down now."""
        kept = tuple(self._answers)
        if not self._matters(kept):
            kept = ()
            self._answers.clear()
        return Hearsay(pacing=self.pacing, answers=kept)

    def wrote(self, said: "Hearsay") -> None:
        """It stands in the database."""
        del self._answers[: len(said.answers)]
        self._is_troubled = self._is_troubled or any(not one.accepted for one in said.answers)

    def _matters(self, answers: tuple[Answer, ...]) -> bool:
        """Where domains are not told apart, mail that is accepted as ever changes nothing."""
        told_apart = self.pacing is not None and self.pacing.tells_domains_apart
        return told_apart or self._is_troubled or any(not one.accepted for one in answers)


def pacer_of(post: SendContext) -> Pacer:
    """The pace of what is sent with `post`."""
    return Pacer(pacing=post.pacing, clock=post.clock, wait=post.wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearsay:
    """Answers that are to be written down."""

    pacing: Pacing | None
    answers: tuple[Answer, ...]

    def __bool__(self) -> bool:
        return bool(self.answers)

    def write(self, work: UnitOfWork, *, now: datetime) -> None:
        """Write them down in a transaction."""
        if self.answers and self.pacing is not None:
            work.pacing.heard(self.answers, self.pacing, now=now)
        if any(one.no_session for one in self.answers):
            work.slots.beat(FAILED, now=now)
