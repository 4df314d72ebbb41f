"""Select the settled votes to train on.

Feeds count differently: ten votes are many on one site and few on another, and a morning count is
not an evening count. So a paper is only compared with its cohort: the papers that one feed listed
on one day, counted at about the same age.

    age        from midnight UTC of the day the feed listed the paper
    count      of all known at `as_of`, the one nearest to AGE, none younger than LEAST_AGE
    settled    a day counts one day after its end: SETTLED_DAYS after it began
    left out   counts younger than half the median age of their cohort, and cohorts of fewer than
               LEAST_OF_A_DAY papers, whose mean is unreliable
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median_low

from paperround.core.times import midnight_utc
from paperround.papers.model import FeedId, Paper, Vote

AGE = timedelta(hours=48)
"""If half of a paper's votes are in after eight hours, six in seven are in by then."""
LEAST_AGE = timedelta(hours=6)
SETTLED_DAYS = timedelta(days=2)
LEAST_OF_A_DAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalVotes:
    """A paper and its settled votes."""

    paper: Paper
    votes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingBatch:
    """A cohort: papers of one day and one feed, by id."""

    day: date
    feed: FeedId | None
    settled: tuple[FinalVotes, ...]


def first_unsettled_day(as_of: datetime) -> datetime:
    """The start of the first day that has not settled at `as_of`."""
    return midnight_utc(as_of.date() - SETTLED_DAYS + timedelta(days=1))


def cohorts_of(
    counted: Iterable[tuple[Paper, Sequence[Vote]]], as_of: datetime
) -> tuple[TrainingBatch, ...]:
    """The cohorts with known votes that have settled at `as_of`, oldest day first."""
    found: dict[tuple[date, int], list[tuple[timedelta, FinalVotes]]] = {}
    for paper, votes in counted:
        chosen = _settled_vote(paper, votes, as_of)
        if chosen is not None:
            key = (_day(paper, chosen), chosen.feed or 0)
            found.setdefault(key, []).append(
                (_age(paper, chosen), FinalVotes(paper=paper, votes=max(0, chosen.value)))
            )
    made = []
    for (day, feed), aged in sorted(found.items()):
        least = median_low(age for age, _ in aged) / 2
        kept = sorted((one for age, one in aged if age >= least), key=lambda one: one.paper.id)
        if len(kept) >= LEAST_OF_A_DAY:
            made.append(
                TrainingBatch(day=day, feed=FeedId(feed) if feed else None, settled=tuple(kept))
            )
    return tuple(made)


def _settled_vote(paper: Paper, votes: Iterable[Vote], as_of: datetime) -> Vote | None:
    fitting = (
        vote
        for vote in votes
        if vote.captured_at <= as_of
        and _age(paper, vote) >= LEAST_AGE
        and midnight_utc(_day(paper, vote)) < first_unsettled_day(as_of)
    )
    return min(
        fitting, key=lambda vote: (abs(_age(paper, vote) - AGE), vote.captured_at), default=None
    )


def _day(paper: Paper, vote: Vote) -> date:
    return vote.listed_on or paper.listed_on or paper.counts_from.date()


def _age(paper: Paper, vote: Vote) -> timedelta:
    return vote.captured_at - midnight_utc(_day(paper, vote))
