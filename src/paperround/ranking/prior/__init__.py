"""The learned prior: the expected votes of a paper from its text and authors.

This module imports numpy and scipy only when a prior is trained or read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from paperround.ranking.models import FittedModel, LearnedModel, TrainingBatch
from paperround.ranking.trending import TrendingRanker
from paperround.ranking.weights import DEFAULTS, Weights

VERSION = "prior-2"
"""Changes when the same history would give other predictions."""

LEAST_OUTCOMES = 600
"""Outcomes needed for a prior: about thirty days of twenty papers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorMaker:
    """Trains priors for the trending ranker with these weights. Implements `ModelMaker`."""

    weights: Weights = DEFAULTS
    name = "prior"
    version = VERSION
    least = LEAST_OUTCOMES

    @property
    def plain(self) -> TrendingRanker:
        """The ranker without a prior."""
        return TrendingRanker(weights=self.weights)

    def fit(self, cohorts: Sequence[TrainingBatch]) -> FittedModel | None:
        """Train on the cohorts, oldest day first; None if there are too few."""
        from paperround.ranking.prior import training

        found = training.fit(cohorts)
        if found is None:
            return None
        return FittedModel(content=training.serialize(found), facts=found.facts)

    def open(self, content: bytes) -> LearnedModel:
        """Read the output of `fit`. Raises InvalidInput for other versions and other bytes."""
        from paperround.ranking.prior import training

        found = training.deserialize(content)
        ranker = TrendingRanker(
            weights=self.weights, prior=found.prior, popular_author=found.popular_author
        )
        return LearnedModel(facts=found.facts, ranker=ranker)
