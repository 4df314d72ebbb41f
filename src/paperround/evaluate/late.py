"""Papers that are listed after the morning: how far from the morning's papers they end up.

    y     ln(1 + afternoon votes) of a late paper, less its mean over the day's early papers
    y = w0 + w1 (k - mean k of the early) + w2 (level - LEVEL)

k is what a prior of text and authors says, `level` the mean of ln(1 + morning votes) of the early
papers. w is a ridge of the days before: late papers have had less time (w0 is below 0), what is
expected of them shows less by the afternoon (w1 is below 1), and days on which the early papers are
far ahead are far ahead of the late ones (w2 is below 0).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from paperround.domain.papers import PaperId
from paperround.evaluate.papers import Listed
from paperround.ranking.expectations import Expectation
from paperround.ranking.prior_text import Numbers

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
