"""The learned prior: the expected votes of a paper from its text and authors.

This module imports numpy and scipy only when a prior is trained or read.
"""

from collections.abc import Sequence

from paperround.ranking.models import ModelFacts, Ranker, TrainingBatch
from paperround.ranking.trending import TrendingRanker
from paperround.ranking.weights import DEFAULTS, Weights

VERSION = "prior-2"
"""Changes when the same history would give other predictions."""

LEAST_OUTCOMES = 600
"""Outcomes needed for a prior: about thirty days of twenty papers."""


class PriorMaker:
    """Trains and reads priors for the trending ranker with these weights.

    `plain` is the ranker without a prior.
    """

    name = "prior"
    version = VERSION
    least = LEAST_OUTCOMES

    def __init__(self, weights: Weights = DEFAULTS) -> None:
        self._weights = weights
        self.plain: Ranker = TrendingRanker(weights=weights)

    def fit(self, cohorts: Sequence[TrainingBatch]) -> tuple[bytes, ModelFacts] | None:
        """Train on the cohorts, oldest day first, and return the serialized model and its facts;
        None if there are too few."""
        from paperround.ranking.prior import training

        found = training.fit(cohorts)
        if found is None:
            return None
        return training.serialize(found), found.facts

    def open(self, content: bytes) -> tuple[ModelFacts, Ranker]:
        """Read the output of `fit`, and return its facts and the ranker that uses it.

        Raises InvalidInput for other versions and other bytes.
        """
        from paperround.ranking.prior import training

        found = training.deserialize(content)
        return found.facts, TrendingRanker(
            weights=self._weights, prior=found.prior, popular_author=found.popular_author
        )
