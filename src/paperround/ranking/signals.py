"""Compute votes, growth and exposure of a paper from its observations. Null is never zero.

The hour of a listing is a weak signal (sites list in batches, and readers sleep), so the age of a
count starts between midnight UTC of the listing day and the listing, if the source gives its time.
All other ages start with the day.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from paperround.core.times import midnight_utc, require_utc
from paperround.papers.model import Observation, Paper
from paperround.ranking.weights import Weights

DAY_HOURS = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """`gained` votes (negative if votes were retracted) in `hours`.

    `since` is the time of the first reading, None for the listing itself.
    """

    gained: int
    hours: float
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteHistory:
    """The votes of one paper: the newest count, its time, and the growth.

    `share` is the part of its final votes that a paper of that age has (0 to 1), `growth` is None
    without an earlier count. `scale` names the source of the votes.
    """

    votes: int
    counted_at: datetime
    share: float
    growth: Growth | None
    scale: str = ""


def hours_between(start: datetime, end: datetime) -> float:
    """Hours from `start` to `end`, negative if `end` is earlier."""
    return (end - start).total_seconds() / 3600


def first_day(paper: Paper, as_of: datetime) -> datetime:
    """Midnight UTC of the day the paper was listed, else first seen; never after `as_of`."""
    seen = midnight_utc(require_utc(paper.counts_from).date())
    listed = seen if paper.listed_on is None else midnight_utc(paper.listed_on)
    return listed if listed <= as_of else seen


def exposure_start(paper: Paper, as_of: datetime, weights: Weights) -> datetime:
    """When a paper starts to get votes: at `listing_share` between midnight and its listing."""
    day = first_day(paper, as_of)
    if paper.listed_on != day.date() or paper.counts_from.date() != day.date():
        return day
    return day + weights.listing_share * (paper.counts_from - day)


def readings(
    observations: Iterable[Observation], signal: str, as_of: datetime
) -> tuple[Observation, ...]:
    """The counts of one signal known at `as_of`, oldest first, with the highest of each instant."""
    known = [o for o in observations if o.signal == signal and o.captured_at <= as_of]
    by_instant = {o.captured_at: o for o in sorted(known, key=lambda o: o.value)}
    return tuple(by_instant[instant] for instant in sorted(by_instant))


def latest(observations: Iterable[Observation], signal: str, as_of: datetime) -> int | None:
    """The newest count of `signal` known at `as_of`, at least 0; None if there is none."""
    known = readings(observations, signal, as_of)
    return max(0, known[-1].value) if known else None


def vote_history(
    paper: Paper, observations: Iterable[Observation], as_of: datetime, weights: Weights
) -> VoteHistory | None:
    """The votes of a paper known at `as_of`; None if there are none."""
    known = _of_one_scale(readings(observations, "upvotes", as_of))
    if not known:
        return None
    age = hours_between(exposure_start(paper, as_of, weights), known[-1].captured_at)
    exposed = max(age, weights.earliest_hours)
    return VoteHistory(
        votes=max(0, known[-1].value),
        counted_at=known[-1].captured_at,
        share=exposed / (exposed + weights.settling_hours),
        growth=_growth(paper, known, age, weights),
        scale=known[-1].scale,
    )


def _of_one_scale(known: Sequence[Observation]) -> Sequence[Observation]:
    """The counts of the site with the most votes: counts of two sites are no growth."""
    newest = {one.scale: one.value for one in known}
    if len(newest) < 2:
        return known
    most = max(newest, key=lambda scale: (newest[scale], scale))
    return [one for one in known if one.scale == most]


def _growth(
    paper: Paper, known: Sequence[Observation], age: float, weights: Weights
) -> Growth | None:
    last = known[-1]
    if paper.listed_on is not None and (len(known) == 1 or age <= weights.growth_window_hours):
        exposed = max(age, weights.earliest_hours)
        return Growth(gained=max(0, last.value), hours=exposed, since=None)
    if len(known) == 1:
        return None
    # Start from the oldest reading within the window, else from the newest one before it.
    *earlier, _ = known
    window = weights.growth_window_hours
    inside = (o for o in earlier if hours_between(o.captured_at, last.captured_at) <= window)
    start = next(inside, earlier[-1])
    return Growth(
        gained=last.value - start.value,
        hours=hours_between(start.captured_at, last.captured_at),
        since=start.captured_at,
    )


def mean_votes(histories: Sequence[VoteHistory]) -> float:
    """The mean final votes of a day's papers: all votes over all shares; 0 without any."""
    shares = math.fsum(known.share for known in histories)
    return sum(known.votes for known in histories) / shares if shares else 0.0


def expected_votes(history: VoteHistory, mean: float, prior_share: float) -> float:
    """The expected final votes of a paper, its count shrunk towards the day's mean.

    The mean of a gamma posterior for Poisson counts: (v + p m) / (s + p), with v votes in share s
    of the exposure and the day's mean m weighted like share p (Gelman et al., Bayesian Data
    Analysis, 3rd ed., section 2.6).
    """
    return (history.votes + prior_share * mean) / (history.share + prior_share)


def daily_growth(growth: Growth, floor_hours: float) -> float:
    """Votes per day of a growth; at least 0, since retracted votes are no trend."""
    return max(0, growth.gained) * DAY_HOURS / (growth.hours + floor_hours)


def halved(hours: float, half_life: float) -> float:
    """1 at 0 hours, halved every half-life; negative hours count as 0."""
    return float(2.0 ** (-max(0.0, hours) / half_life))
