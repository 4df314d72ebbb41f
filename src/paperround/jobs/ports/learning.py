"""Learning from what papers came to, and keeping what was learned."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from paperround.domain.models import FittedModel, KeptModel, ModelFacts, ModelId, NewModel
from paperround.domain.observations import Observation
from paperround.domain.outcomes import Cohort, Vote
from paperround.domain.papers import PaperId
from paperround.jobs.ports.papers import Ranker


class HistoryStore(Protocol):
    """What became of papers."""

    def voted(self, *, before: datetime, by: datetime, limit: int) -> list[PaperId]:
        """The newest papers that count from before `before` and whose votes were known at `by`,
        newest first. Withdrawn ones are left out."""
        ...

    def votes(self, papers: Collection[PaperId], *, by: datetime) -> dict[PaperId, list[Vote]]:
        """What was known of their votes at `by`, in no order."""
        ...

    def latest(self, papers: Collection[PaperId], *, by: datetime) -> dict[PaperId, dict[str, int]]:
        """What was counted last of each signal of these papers by then; papers of which nothing
        was counted are left out."""
        ...

    def counts(self, paper: PaperId, *, by: datetime, limit: int) -> list[Observation]:
        """What was counted of one paper by then, of every signal; the `limit` newest, oldest
        first. The scale of each is the name of the feed that told it."""
        ...


class ModelStore(Protocol):
    """Learned models. None is ever changed, and an id is never given twice."""

    def add(self, model: NewModel, *, now: datetime) -> ModelId:
        """Keep a model that was fitted at `now`."""
        ...

    def newest(self, name: str, *, by: datetime) -> KeptModel | None:
        """Of the models that know nothing from after `by`, the one that knows most; of several
        that know as much, the last made."""
        ...

    def content(self, model: ModelId) -> bytes:
        """The bytes of a model. Raises NotFound."""
        ...

    def keep_last(self, name: str, count: int) -> int:
        """Forget all but the `count` models that were made last; returns how many went."""
        ...


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
