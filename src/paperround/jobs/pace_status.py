"""The pace in numbers, all from the record: how many wait, how fast they leave, which came late."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paperround.domain.lists import ListId
from paperround.domain.pacing import HORIZON, Pace, Pacing, RateState, pace_in_words
from paperround.domain.status import LateMails, Progress
from paperround.jobs.holding import is_held, lacks_keys
from paperround.jobs.pacing import unreached
from paperround.jobs.put_back import is_put_back
from paperround.store.unit_of_work import UnitOfWork

LATELY = timedelta(minutes=5)
"""What the pace is measured over, or since the first mail within it."""

LATE = timedelta(minutes=10)
"""A digest that left this long after its hour came late."""

_LEAST = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceStatus:
    """How fast messages leave. `rate` is what the relay takes.

    `today` are the mails that left and those that may, on a new domain's day; None for no limit.
    `unreached` is why the relay cannot be reached, None when it can. `lacks_keys`: mail is held
    for want of a key to sign it with. `was_put_back`: mail is held because an older copy of the
    database may be in use.
    """

    rate: Pace = field(default_factory=Pace)
    relay: RateState = field(default_factory=RateState)
    unreached: str | None = None
    today: tuple[int, int] | None = None
    is_held: bool = False
    lacks_keys: bool = False
    was_put_back: bool = False

    @property
    def allowed(self) -> str:
        """What the relay takes, in words; empty for no limit."""
        return pace_in_words(self.rate)


def pace_status(work: UnitOfWork, pacing: Pacing, *, now: datetime) -> PaceStatus:
    """How fast messages leave."""
    today = pacing.warm_up.today(now) if pacing.warm_up else None
    return PaceStatus(
        rate=pacing.relay,
        relay=work.pacing.relay(),
        unreached=unreached(work, now=now),
        today=(work.pacing.used(since=today.since, now=now), today.allowance) if today else None,
        is_held=is_held(work),
        lacks_keys=lacks_keys(work),
        was_put_back=is_put_back(work),
    )


def progress_of(work: UnitOfWork, list_id: ListId, *, now: datetime) -> Progress:
    """How many digests of a list may leave and wait, and how fast others left lately."""
    left, first = work.status.left_since(list_id, since=now - LATELY, now=now)
    over = LATELY if first is None else max(now - first, _LEAST)
    waiting = work.status.waiting_now(list_id, until=now + HORIZON)
    return Progress(waiting=waiting, left=left, over=over)


def late_of(
    work: UnitOfWork, list_id: ListId, pace: PaceStatus, *, since: datetime, now: datetime
) -> LateMails | None:
    """The digests due since then that came late though nobody put them off; None for none."""
    found = work.status.late(list_id, since=since, by=LATE, now=now)
    if not found:
        return None
    first = min(first for _, _, first, _ in found)
    last = max(last for _, _, _, last in found)
    count = sum(count for _, count, _, _ in found)
    # the relay is the reason where the record says so: these left about as fast as it allows
    fastest = (count - 1) * pace.rate.spacing
    is_reason = fastest >= _LEAST and abs(last - first - fastest) <= fastest / 4
    return LateMails(
        count=count,
        least=min(first - due for due, _, first, _ in found),
        most=max(last - due for due, _, _, last in found),
        because=f"the relay allows {pace.allowed}" if is_reason else "",
    )
