"""`evaluate trending`: predict weekly top tens, and the order of a day, early.

    recall_at_10_*   the share of the weekly top ten among the ten highest scores of the week's
                     papers, each scored at its own snapshot; always divided by 10
    cold_*           a day's order before any vote, against its order by afternoon votes
    early_*          the same with the morning's data, with papers not yet listed

`rank` is Spearman's correlation, `top5` the share of the five highest. Days count when at least
LEAST_PAPERS of their papers have afternoon votes (and LEAST_COUNTED morning votes for `early`) and
the prior had enough history.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from paperround.core.errors import InvalidInput
from paperround.evaluate import Baselines
from paperround.evaluate.papers import Listed, day, read_days, read_rows, text
from paperround.evaluate.replay import DayScores, replay
from paperround.evaluate.report import (
    Figure,
    Numbers,
    Report,
    compare,
    highest,
    rank_correlation,
    top_overlap,
)
from paperround.ranking.prior.predictor import Knowledge

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
