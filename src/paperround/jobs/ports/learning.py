"""Learning from what papers came to, and keeping what was learned."""

from collections.abc import Sequence
from typing import Protocol

from paperround.domain.models import FittedModel, ModelFacts
from paperround.domain.outcomes import Cohort
from paperround.jobs.ports.papers import Ranker


class LearnedModel(Protocol):
    """A model that was read."""

    @property
    def facts(self) -> ModelFacts: ...

    @property
    def ranker(self) -> Ranker:
        """The ranker that uses it."""
        ...


class ModelMaker(Protocol):
    """Learns models, and reads them. Pure: same cohorts, same model."""

    @property
    def name(self) -> str:
        """What kind of model it makes."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever a model of before is of no use any more."""
        ...

    @property
    def least(self) -> int:
        """How many outcomes it takes."""
        ...

    @property
    def plain(self) -> Ranker:
        """The ranker without a model."""
        ...

    def fit(self, cohorts: Sequence[Cohort]) -> FittedModel | None:
        """What the cohorts, oldest day first, lead one to expect; None for fewer than `least`."""
        ...

    def open(self, content: bytes) -> LearnedModel:
        """Read what `fit` made. Raises InvalidInput for bytes of another version, and for any that
        are no such model."""
        ...
