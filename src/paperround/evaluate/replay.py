"""Replays days: each is ranked with what was known that day, by a prior of the days before.

day ─► priors of the days before ─► cold, morning and afternoon orders ─► the day is learned
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from paperround.domain.editions import Candidate
from paperround.domain.papers import Observation, PaperId
from paperround.domain.times import midnight_utc
from paperround.evaluate.late import Late
from paperround.evaluate.papers import Days, Listed, votes
from paperround.ranking.prior import Knowledge, Prior
from paperround.ranking.prior_learning import Learner, Outcome
from paperround.ranking.trending import TrendingRanker
from paperround.ranking.weights import DEFAULTS

Scores = Mapping[PaperId, float]
Counts = tuple[Observation, ...]

AT_THEIR_OWN_TIME = replace(DEFAULTS, recency=0.0)
"""Papers of a week are compared as each stood at its own snapshot: how fresh each is says nothing
then, and a snapshot that was stored late must not make its papers old."""
LEAST_COUNTED = 5
"""Afternoon counts of a day from which on these are its outcome, not those of the morning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayScores:
    """A day's papers with our scores: `cold` from the listing alone, by how much is read; `early`
    as known in the morning, papers listed later included; `morning` and `afternoon` of the papers
    counted then. `trained` is false while the prior had too little history."""

    day: date
    listed: Sequence[Listed]
    trained: bool
    cold: Mapping[Knowledge, Scores]
    early: Scores
    morning: Scores
    afternoon: Scores


def replay(days: Days, first: date) -> Iterator[DayScores]:
    """The days from `first` on, in order; earlier ones are only learned from."""
    learner, late = Learner(), Late()
    for day, listed in days.items():
        priors = {knowledge: learner.prior(knowledge) for knowledge in Knowledge}
        if day >= first:
            yield _scores(day, listed, priors, late.gaps(listed, priors[Knowledge.AUTHORS]))
        learner.learn(day, outcomes_of(listed))
        late.learn(listed, priors[Knowledge.AUTHORS])


def outcomes_of(listed: Sequence[Listed]) -> list[Outcome]:
    """The afternoon counts where the day has them, else those of the morning."""
    afternoon = [(one, votes(one.afternoon)) for one in listed if one.afternoon]
    morning = [(one, votes(one.morning)) for one in listed if one.morning]
    counted = afternoon if len(afternoon) >= LEAST_COUNTED else morning
    return [Outcome(paper=one.paper, votes=n) for one, n in counted if n is not None]


def _scores(
    day: date,
    listed: Sequence[Listed],
    priors: Mapping[Knowledge, Prior | None],
    gaps: Mapping[PaperId, float],
) -> DayScores:
    full = priors[Knowledge.FULL]
    morning = _ranked(day, [(one, one.morning) for one in listed if one.morning], full)
    return DayScores(
        day=day,
        listed=listed,
        trained=full is not None,
        cold={k: _ranked(day, [(one, ()) for one in listed], prior) for k, prior in priors.items()},
        early=_early(morning, gaps),
        morning=morning,
        afternoon=_ranked(day, [(one, one.afternoon) for one in listed if one.afternoon], full),
    )


def _early(morning: Scores, gaps: Mapping[PaperId, float]) -> Scores:
    """The papers counted in the morning as they stand; later ones off their mean, by text and
    authors, in the unit of the score."""
    mean = sum(morning.values()) / len(morning) if morning else 0.0
    scale = DEFAULTS.votes + DEFAULTS.growth
    return {**morning, **{id_: mean + scale * gap for id_, gap in gaps.items()}}


def _ranked(day: date, counted: Sequence[tuple[Listed, Counts]], prior: Prior | None) -> Scores:
    """Scores of the ranker at the moment of the newest count; folded papers share their best's."""
    instants = [observation.captured_at for _, counts in counted for observation in counts]
    moment = max([*instants, *(one.paper.counts_from for one, _ in counted)], default=None)
    ranking = TrendingRanker(weights=AT_THEIR_OWN_TIME, prior=prior).rank(
        [Candidate(paper=one.paper, observations=counts) for one, counts in counted],
        background=(),
        as_of=moment or midnight_utc(day),
        submitter_cap=0,
    )
    return {id_: item.score for item in ranking.items for id_ in (item.paper.id, *item.folded)}


def moment_of(counts: Counts) -> datetime:
    """When the counts were taken."""
    return counts[0].captured_at
