"""Train and read priors, and import numpy and scipy only when needed."""

from collections.abc import Sequence
from dataclasses import dataclass

from paperround.ranking.models import FittedModel, LearnedModel, TrainingBatch
from paperround.ranking.trending import TrendingRanker
from paperround.ranking.weights import DEFAULTS, Weights

NAME = "prior"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorMaker:
    """Trains priors for the trending ranker with these weights. Implements `ModelMaker`."""

    weights: Weights = DEFAULTS

    @property
    def name(self) -> str:
        """The kind of its models."""
        return NAME

    @property
    def version(self) -> str:
        """Changes when older models become unusable."""
        from paperround.ranking.prior.predictor import VERSION

        return VERSION

    @property
    def least(self) -> int:
        """The least number of outcomes to train on."""
        from paperround.ranking.prior.training import LEAST_OUTCOMES

        return LEAST_OUTCOMES

    @property
    def plain(self) -> TrendingRanker:
        """The ranker without a prior."""
        return TrendingRanker(weights=self.weights)

    def fit(self, cohorts: Sequence[TrainingBatch]) -> FittedModel | None:
        """Train on the cohorts, oldest day first; None if there are too few."""
        from paperround.ranking.prior import learned

        found = learned.fit(cohorts)
        return None if found is None else learned.serialize(found)

    def open(self, content: bytes) -> LearnedModel:
        """Read the output of `fit`. Raises InvalidInput for other versions and other bytes."""
        from paperround.ranking.prior import learned

        found = learned.deserialize(content)
        ranker = TrendingRanker(weights=self.weights, prior=found.prior, grounds=found)
        return LearnedModel(facts=found.facts, ranker=ranker)
