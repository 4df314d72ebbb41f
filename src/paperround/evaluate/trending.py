"""`evaluate trending`: predict weekly top tens, and the order of a day, early.

    recall_at_10_*   the share of the weekly top ten among the ten highest scores of the week's
                     papers, each scored at its own snapshot; always divided by 10
    cold_*           a day's order before any vote, against its order by afternoon votes
    early_*          the same with the morning's data, with papers not yet listed

`rank` is Spearman's correlation, `top5` the share of the five highest. Days count when at least
LEAST_PAPERS of their papers have afternoon votes (and LEAST_COUNTED morning votes for `early`) and
the prior had enough history. Past days are replayed with the data known on each:

    day ─► priors of earlier days ─► cold, morning and afternoon orders ─► train on the day
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np

from paperround.core.errors import InvalidInput
from paperround.core.times import midnight_utc
from paperround.editions.model import Candidate
from paperround.evaluate import Baselines
from paperround.evaluate.papers import Days, Listed, day, read_days, read_rows, text, votes
from paperround.evaluate.report import (
    Figure,
    Numbers,
    Report,
    compare,
    highest,
    rank_correlation,
    top_overlap,
)
from paperround.papers.model import Observation, PaperId
from paperround.ranking.models import FinalVotes
from paperround.ranking.prior.predictor import Knowledge, Prior
from paperround.ranking.prior.training import Learner
from paperround.ranking.trending import Expectation, TrendingRanker
from paperround.ranking.weights import DEFAULTS

Scores = Mapping[PaperId, float]
Counts = tuple[Observation, ...]

AT_THEIR_OWN_TIME = replace(DEFAULTS, recency=0.0)
"""Weights for comparing papers of a week at their own snapshots: recency has no meaning then, and a
late snapshot must not make its papers look old."""
LEAST_AFTERNOON = 5
"""The minimum of afternoon counts of a day; with fewer the morning counts are its outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayScores:
    """A day's papers with our scores.

    `cold` uses the listing alone, by Knowledge; `early` the morning's data, with papers listed
    later; `morning` and `afternoon` have the papers counted then. `trained` is false when the prior
    had too little history.
    """

    day: date
    listed: Sequence[Listed]
    trained: bool
    cold: Mapping[Knowledge, Scores]
    early: Scores
    morning: Scores
    afternoon: Scores


def replay(days: Days, first: date) -> Iterator[DayScores]:
    """Yield the days from `first` on, in order; earlier days are training data only."""
    learner, late = Learner(), Late()
    for today, listed in days.items():
        priors = {knowledge: learner.prior(knowledge) for knowledge in Knowledge}
        if today >= first:
            yield _scores(today, listed, priors, late.gaps(listed, priors[Knowledge.AUTHORS]))
        learner.learn(today, outcomes_of(listed))
        late.learn(listed, priors[Knowledge.AUTHORS])


def outcomes_of(listed: Sequence[Listed]) -> list[FinalVotes]:
    """Return the afternoon counts of a day, or the morning counts if there are too few."""
    afternoon = [(one, votes(one.afternoon)) for one in listed if one.afternoon]
    morning = [(one, votes(one.morning)) for one in listed if one.morning]
    counted = afternoon if len(afternoon) >= LEAST_AFTERNOON else morning
    return [FinalVotes(paper=one.paper, votes=n) for one, n in counted if n is not None]


def _scores(
    day: date,
    listed: Sequence[Listed],
    priors: Mapping[Knowledge, Prior | None],
    gaps: Mapping[PaperId, float],
) -> DayScores:
    full = priors[Knowledge.FULL]
    morning = _ranked(day, [(one, one.morning) for one in listed if one.morning], full)
    # Later papers get the mean score of the morning's papers plus their expected gap, by text and
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
    """Return the ranker's scores at the time of the newest count.

    Folded papers get the score of the paper they are folded into.
    """
    instants = [observation.captured_at for _, counts in counted for observation in counts]
    moment = max([*instants, *(one.paper.counts_from for one, _ in counted)], default=None)
    ranking = TrendingRanker(weights=AT_THEIR_OWN_TIME, prior=prior).rank(
        [Candidate(paper=one.paper, observations=counts) for one, counts in counted],
        background=(),
        as_of=moment or midnight_utc(day),
        submitter_cap=0,
    )
    return {id_: item.score for item in ranking.items for id_ in (item.paper.id, *item.folded)}


# Predict how the final votes of papers listed after the morning differ from the morning's papers.
#
#     y     ln(1 + afternoon votes) of a late paper, less its mean over the day's early papers
#     y = w0 + w1 (k - mean k of the early) + w2 (level - LEVEL)
#
# k is the prediction of a prior of text and authors, `level` the mean of ln(1 + morning votes) of
# the early papers. w is a ridge regression on earlier days: late papers had less time (w0 < 0), so
# differences between them are smaller by the afternoon (w1 < 1), and on days when the early papers
# have many votes the gap is larger (w2 < 0).

LEAST_LATE = 20
"""The minimum number of late papers in the training data."""
LEVEL = 2.0
"""About the usual level: w0 is the gap on such a day."""
PENALTY = 5.0
"""The weight of the ridge, as much as five late papers without effect."""


@dataclass(slots=True)
class Late:
    """The model of late papers, trained day by day."""

    _inner: Numbers = field(default_factory=lambda: PENALTY * np.eye(3))
    _outer: Numbers = field(default_factory=lambda: np.zeros(3))
    _papers: int = 0

    def learn(self, listed: Sequence[Listed], prior: Expectation | None) -> None:
        """Train on a finished day, with the prior of the days before it."""
        early = [one for one in listed if one.morning and one.afternoon]
        late = [one for one in listed if one.afternoon and not one.morning]
        if prior is None or not early or not late:
            return
        rows = _regressors(late, early, prior)
        usual = float(np.mean([_log(one.afternoon_votes) for one in early]))
        self._inner += rows.T @ rows
        self._outer += rows.T @ (np.array([_log(one.afternoon_votes) for one in late]) - usual)
        self._papers += len(late)

    def gaps(self, listed: Sequence[Listed], prior: Expectation | None) -> Mapping[PaperId, float]:
        """Return the expected gap of each late paper to the mean of the others, in ln(1 + votes).

        0 while there is too little training data.
        """
        early = [one for one in listed if one.morning]
        late = [one for one in listed if not one.morning]
        if prior is None or not early or self._papers < LEAST_LATE:
            return dict.fromkeys((one.paper.id for one in late), 0.0)
        found = _regressors(late, early, prior) @ np.linalg.solve(self._inner, self._outer)
        return {one.paper.id: float(gap) for one, gap in zip(late, found, strict=True)}


def _regressors(late: Sequence[Listed], early: Sequence[Listed], prior: Expectation) -> Numbers:
    """Return the regressors of late papers, shape (late, 3)."""
    parts = prior.parts([one.paper for one in (*early, *late)])
    expected = np.array([sum(one.values()) for one in parts])
    level = float(np.mean([_log(one.morning_votes) for one in early]))
    beyond = expected[len(early) :] - expected[: len(early)].mean()
    return np.column_stack([np.ones(len(late)), beyond, np.full(len(late), level - LEVEL)])


def _log(votes: int | None) -> float:
    return float(np.log1p(max(0, votes or 0)))


# --- what is measured ----------------------------------------------------------------------------

TASK = "trending"
RAW_VOTES = "raw_votes"
"""The baseline: the order of Daily Papers itself."""
LEAST_PAPERS = 10
LEAST_COUNTED = 3
TOP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """A week from `start` through `end`, with the ids of its final top ten."""

    start: date
    end: date
    top: frozenset[str]


def read_weeks(path: Path) -> list[Week]:
    """Read the weeks of a `top10.jsonl`, oldest first. Raises InvalidInput without dates."""
    found: dict[tuple[date, date], set[str]] = {}
    for row in read_rows(path):
        key = day(row, "week_start"), day(row, "week_end")
        found.setdefault(key, set()).add(text(row, "id"))
    return [
        Week(start=start, end=end, top=frozenset(ids))
        for (start, end), ids in sorted(found.items())
    ]


def evaluate_trending(
    papers: Path,
    snapshots: Path,
    weekly: Path,
    *,
    history: tuple[Path, Path] | None = None,
    baselines: Baselines = Baselines.FAST,
) -> Report:
    """Replay the days of `papers`; `history` has papers and snapshots of earlier days.

    Raises InvalidInput for invalid files, and when no day counts.
    """
    paths = [papers] if history is None else [history[0], papers]
    counts = [snapshots] if history is None else [history[1], snapshots]
    days = read_days(paths, counts)
    weeks = read_weeks(weekly)
    first = min((day(row, "listed_on") for row in read_rows(papers)), default=date.max)
    start = min([first, *(week.start for week in weeks)])
    found = list(replay(days, start))
    daily = [one for one in found if one.day >= first and one.trained]
    ours = {**_weekly(weeks, found), **_cold(daily), **_early(daily)}
    theirs = {**_weekly(weeks, found, by_votes=True), **_early(daily, by_votes=True)}
    others = {} if baselines is Baselines.NONE else {RAW_VOTES: theirs}
    if not all(len(numbers) for numbers in ours.values()):
        raise InvalidInput(
            "there is nothing to count: the prior needs some months of earlier papers, and the"
            " days at least ten papers with afternoon votes"
        )
    cold, early = len(ours["cold_text_rank"]), len(ours["early_rank"])
    notes = (f"{len(weeks)} weeks; {cold} days before any vote, {early} days in the morning",)
    report = compare(TASK, ours, others, notes)
    return replace(report, metrics={name: _rounded(one) for name, one in report.metrics.items()})


def _rounded(found: Figure) -> Figure:
    """Round to 9 places, because a mean of tenths may be 0.7999999999999999."""
    return Figure(value=round(found.value, 9), low=round(found.low, 9), high=round(found.high, 9))


def _weekly(
    weeks: Sequence[Week], days: Sequence[DayScores], *, by_votes: bool = False
) -> dict[str, Numbers]:
    """Return the recall of each week, with the morning's and the afternoon's counts."""
    return {
        f"recall_at_10_{when}": np.array(
            [_recall(week, days, when, by_votes=by_votes) for week in weeks]
        )
        for when in ("morning", "afternoon")
    }


def _recall(week: Week, days: Sequence[DayScores], when: str, *, by_votes: bool) -> float:
    scored = [
        (one, getattr(one, when)[0].value if by_votes else getattr(day_, when)[one.paper.id])
        for day_ in days
        if week.start <= day_.day <= week.end
        for one in day_.listed
        if getattr(one, when)
    ]
    best = highest([score for _, score in scored], TOP)
    return sum(scored[place][0].paper.identifiers["arxiv"] in week.top for place in best) / TOP


def _cold(days: Sequence[DayScores]) -> dict[str, Numbers]:
    counted = [(one, _with_votes(one)) for one in days]
    full = [(one, listed) for one, listed in counted if len(listed) >= LEAST_PAPERS]
    return {
        f"cold_{knowledge}_{name}": np.array(
            [
                measure([one.cold[knowledge][p.paper.id] for p in listed], _afternoon_votes(listed))
                for one, listed in full
            ]
        )
        for knowledge in Knowledge
        for name, measure in (("rank", rank_correlation), ("top5", top_overlap))
    }


def _early(days: Sequence[DayScores], *, by_votes: bool = False) -> dict[str, Numbers]:
    counted = [(one, _with_votes(one)) for one in days]
    full = [
        (_early_scores(one, listed, by_votes=by_votes), _afternoon_votes(listed))
        for one, listed in counted
        if len(listed) >= LEAST_PAPERS and sum(bool(p.morning) for p in listed) >= LEAST_COUNTED
    ]
    return {
        "early_rank": np.array([rank_correlation(*pair) for pair in full]),
        "early_top5": np.array([top_overlap(*pair) for pair in full]),
    }


def _early_scores(one: DayScores, listed: Sequence[Listed], *, by_votes: bool) -> list[float]:
    """Return the scores in the morning; by votes, papers that are not listed yet are last."""
    if by_votes:
        return [float(p.morning[0].value) if p.morning else -1.0 for p in listed]
    return [one.early[p.paper.id] for p in listed]


def _with_votes(one: DayScores) -> list[Listed]:
    return [p for p in one.listed if p.afternoon_votes is not None]


def _afternoon_votes(listed: Sequence[Listed]) -> list[float]:
    return [float(p.afternoon_votes or 0) for p in listed]
