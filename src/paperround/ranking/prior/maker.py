"""Learning and reading priors, for those who know nothing of numbers. The numerical libraries are
loaded when there is something to learn or to read, and not before."""

from collections.abc import Sequence
from dataclasses import dataclass

from paperround.ranking.models import FittedModel, ModelFacts
from paperround.ranking.training_data import TrainingBatch
from paperround.ranking.trending import TrendingRanker
from paperround.ranking.weights import DEFAULTS, Weights

NAME = "prior"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPrior:
    """A prior that was read, and the ranker that uses it."""

    facts: ModelFacts
    ranker: TrendingRanker


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorMaker:
    """Makes priors for the trending ranker with these weights. Satisfies `ports.ModelMaker`."""

    weights: Weights = DEFAULTS

    @property
    def name(self) -> str:
        """What kind of model it makes."""
        return NAME

    @property
    def version(self) -> str:
        """Changes whenever a model of before is of no use any more."""
        from paperround.ranking.prior.predictor import VERSION

        return VERSION

    @property
    def least(self) -> int:
        """How many outcomes it takes."""
        from paperround.ranking.prior.training import LEAST_OUTCOMES

        return LEAST_OUTCOMES

    @property
    def plain(self) -> TrendingRanker:
        """The ranker without a prior."""
        return TrendingRanker(weights=self.weights)

    def fit(self, cohorts: Sequence[TrainingBatch]) -> FittedModel | None:
        """What the cohorts, oldest day first, lead one to expect; None while they are too few."""
        from paperround.ranking.prior import learned

        found = learned.fit(cohorts)
        return None if found is None else learned.kept(found)

    def open(self, content: bytes) -> OpenedPrior:
        """Read what `fit` made. Raises InvalidInput for bytes of another version, and for any that
        are no such model."""
        from paperround.ranking.prior import learned

        found = learned.read(content)
        ranker = TrendingRanker(weights=self.weights, prior=found.prior, grounds=found)
        return OpenedPrior(facts=found.facts, ranker=ranker)
