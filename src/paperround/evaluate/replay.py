"""Replays days: each is ranked with what was known that day, by a prior of the days before.

day ─► priors of the days before ─► cold, morning and afternoon orders ─► the day is learned
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import numpy as np

from paperround.core.times import midnight_utc
from paperround.editions.model import Candidate
from paperround.evaluate.papers import Days, Listed, votes
from paperround.papers.model import Observation, PaperId
from paperround.ranking.prior.predictor import Knowledge, Prior
from paperround.ranking.prior.text import Numbers
from paperround.ranking.prior.training import Learner, TrainingOutcome
from paperround.ranking.trending import Expectation, TrendingRanker
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


def outcomes_of(listed: Sequence[Listed]) -> list[TrainingOutcome]:
    """The afternoon counts where the day has them, else those of the morning."""
    afternoon = [(one, votes(one.afternoon)) for one in listed if one.afternoon]
    morning = [(one, votes(one.morning)) for one in listed if one.morning]
    counted = afternoon if len(afternoon) >= LEAST_COUNTED else morning
    return [TrainingOutcome(paper=one.paper, votes=n) for one, n in counted if n is not None]


def _scores(
    day: date,
    listed: Sequence[Listed],
    priors: Mapping[Knowledge, Prior | None],
    gaps: Mapping[PaperId, float],
) -> DayScores:
    full = priors[Knowledge.FULL]
    morning = _ranked(day, [(one, one.morning) for one in listed if one.morning], full)
    # The papers counted in the morning as they stand; later ones off their mean, by text and
    # authors, in the unit of the score.
    mean = sum(morning.values()) / len(morning) if morning else 0.0
    scale = DEFAULTS.votes + DEFAULTS.growth
    return DayScores(
        day=day,
        listed=listed,
        trained=full is not None,
        cold={k: _ranked(day, [(one, ()) for one in listed], prior) for k, prior in priors.items()},
        early={**morning, **{id_: mean + scale * gap for id_, gap in gaps.items()}},
        morning=morning,
        afternoon=_ranked(day, [(one, one.afternoon) for one in listed if one.afternoon], full),
    )


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


# Papers that are listed after the morning: how far from the morning's papers they end up.
#
#     y     ln(1 + afternoon votes) of a late paper, less its mean over the day's early papers
#     y = w0 + w1 (k - mean k of the early) + w2 (level - LEVEL)
#
# k is what a prior of text and authors says, `level` the mean of ln(1 + morning votes) of the early
# papers. w is a ridge of the days before: late papers have had less time (w0 is below 0), what is
# expected of them shows less by the afternoon (w1 is below 1), and days on which the early papers
# are far ahead are far ahead of the late ones (w2 is below 0).

LEAST_LATE = 20
"""Late papers that must be known before anything is said of others."""
LEVEL = 2.0
"""About the usual level: w0 is the gap on such a day."""
PENALTY = 5.0
"""As much as five late papers of which nothing came."""


@dataclass(slots=True)
class Late:
    """What the days so far taught of late papers."""

    _inner: Numbers = field(default_factory=lambda: PENALTY * np.eye(3))
    _outer: Numbers = field(default_factory=lambda: np.zeros(3))
    _papers: int = 0

    def learn(self, listed: Sequence[Listed], prior: Expectation | None) -> None:
        """Learn from a day that is over, described with the prior of the days before it."""
        early = [one for one in listed if one.morning and one.afternoon]
        late = [one for one in listed if one.afternoon and not one.morning]
        if prior is None or not early or not late:
            return
        rows = _described(late, early, prior)
        usual = float(np.mean([_log(one.afternoon_votes) for one in early]))
        self._inner += rows.T @ rows
        self._outer += rows.T @ (np.array([_log(one.afternoon_votes) for one in late]) - usual)
        self._papers += len(late)

    def gaps(self, listed: Sequence[Listed], prior: Expectation | None) -> Mapping[PaperId, float]:
        """For each paper without a morning count, how many ln(votes) above the mean of the others
        it will be; 0 while too little is known."""
        early = [one for one in listed if one.morning]
        late = [one for one in listed if not one.morning]
        if prior is None or not early or self._papers < LEAST_LATE:
            return dict.fromkeys((one.paper.id for one in late), 0.0)
        found = _described(late, early, prior) @ np.linalg.solve(self._inner, self._outer)
        return {one.paper.id: float(gap) for one, gap in zip(late, found, strict=True)}


def _described(late: Sequence[Listed], early: Sequence[Listed], prior: Expectation) -> Numbers:
    """Shape (late, 3)."""
    parts = prior.parts([one.paper for one in (*early, *late)])
    expected = np.array([sum(one.values()) for one in parts])
    level = float(np.mean([_log(one.morning_votes) for one in early]))
    beyond = expected[len(early) :] - expected[: len(early)].mean()
    return np.column_stack([np.ones(len(late)), beyond, np.full(len(late), level - LEVEL)])


def _log(votes: int | None) -> float:
    return float(np.log1p(max(0, votes or 0)))
