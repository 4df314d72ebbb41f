"""Train priors on days with known votes, one day at a time, oldest first.

The features of a day's papers are computed before its outcomes are learned. So the weights of text
scores and past means are learned from papers that neither has seen, as it will be for new papers
(stacking: Wolpert, 1992).

    outcome   ln(1 + votes) less its mean over the day
    weights   ridge: (Z'Z + 10 diag(Z'Z) / n) w = Z'y, Z the features less their mean over the day
    residual  y - Z w, with the weights of text before the day (for the past means of authors), or
              of text and authors (for those of submitters and organisations)

Word weights are retrained each time the history has grown by 2 %, everything else every day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from scipy.sparse import csr_array, vstack

from paperround.ranking.models import FinalVotes
from paperround.ranking.prior.predictor import FEATURES, Knowledge, Past, Prior, features_of
from paperround.ranking.prior.text import COLUMNS, Numbers, TextModel, fit_text, term_counts

LEAST_OUTCOMES = 600
"""Outcomes needed for a prior: about thirty days of twenty papers."""
TEXT_OUTCOMES = 200
"""Outcomes needed to train word weights, and to use features."""
LEAST_WEIGHED = 200
"""Papers with used features needed for a prior. Days of usual size reach this earlier; a file of
papers without dates is a single day, with no history before it."""
GROWN = 1.02
RIDGE = 10.0


@dataclass(slots=True)
class Learner:
    """The history learned so far."""

    _past: Past = field(default_factory=Past)
    _text: TextModel = field(
        default_factory=lambda: TextModel(idf=np.zeros(COLUMNS), weights=np.zeros(COLUMNS))
    )
    _dual: Numbers = field(default_factory=lambda: np.zeros(0))
    _counts: list[csr_array] = field(default_factory=list)
    _targets: list[float] = field(default_factory=list)
    _text_learned_at: int = 0
    _inner: Numbers = field(default_factory=lambda: np.zeros((len(FEATURES), len(FEATURES))))
    _outer: Numbers = field(default_factory=lambda: np.zeros(len(FEATURES)))
    _sums: Numbers = field(default_factory=lambda: np.zeros(len(FEATURES)))
    _described: int = 0
    _until: date = date.min

    @property
    def outcomes(self) -> int:
        """The number of papers in the history."""
        return len(self._targets)

    def learn(self, day: date, outcomes: Sequence[FinalVotes]) -> None:
        """Learn from the papers listed on one day. Days must come in order.

        Raises ValueError for a day before the last one.
        """
        if day < self._until:
            raise ValueError(f"{day} comes after {self._until}: learn the oldest day first")
        self._until = day
        if not outcomes:
            return
        papers = [outcome.paper for outcome in outcomes]
        logs = np.log1p(np.maximum(0, [outcome.votes for outcome in outcomes]))
        targets = logs - logs.mean()
        counts = term_counts([(paper.title, paper.abstract) for paper in papers])
        features = features_of(papers, self._past, self._text.scores(counts))
        centred = features - features.mean(axis=0)
        beyond_text = targets - centred @ self._weights(Knowledge.TEXT)
        beyond_authors = targets - centred @ self._weights(Knowledge.AUTHORS)
        residuals = zip(papers, beyond_text.tolist(), beyond_authors.tolist(), strict=True)
        for paper, text, authors in residuals:
            self._past.add(paper, beyond_text=text, beyond_authors=authors)
        if self.outcomes >= TEXT_OUTCOMES:
            self._weigh(features, targets)
        self._counts.append(counts)
        self._targets.extend(targets.tolist())
        if self.outcomes >= max(TEXT_OUTCOMES, GROWN * self._text_learned_at):
            every = vstack(self._counts, format="csr")
            self._counts = [every]
            self._text, self._dual = fit_text(every, np.array(self._targets), self._dual)
            self._text_learned_at = self.outcomes

    def prior(self, knowledge: Knowledge = Knowledge.FULL) -> Prior | None:
        """The prior of the history; None if the history is too short, or too little of it came
        after other days."""
        if self.outcomes < LEAST_OUTCOMES or self._described < LEAST_WEIGHED:
            return None
        return Prior(
            text=self._text,
            past=self._past.copy(),
            weights=self._weights(knowledge),
            usual=self._sums / self._described,
            outcomes=self.outcomes,
            until=self._until,
        )

    def _weigh(self, features: Numbers, targets: Numbers) -> None:
        self._sums += features.sum(axis=0)
        self._described += len(features)
        centred = features - features.mean(axis=0)
        self._inner += centred.T @ centred
        self._outer += centred.T @ targets

    def _weights(self, knowledge: Knowledge) -> Numbers:
        """The weights; 0 for a feature that never varied within a day."""
        varies = np.diag(self._inner) > 1e-9
        used = [i for i, f in enumerate(FEATURES) if f in knowledge.features and varies[i]]
        inner = self._inner[np.ix_(used, used)]
        penalty = np.diag(np.diag(inner) * RIDGE / max(1, self._described))
        weights = np.zeros(len(FEATURES))
        weights[used] = np.linalg.solve(inner + penalty, self._outer[used])
        return weights
