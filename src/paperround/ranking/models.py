"""Learned models as they are kept: bytes with a name, a version and the instant they knew."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NewType, Protocol

from paperround.editions.model import Candidate, Ranking
from paperround.ranking.training_data import TrainingBatch

ModelId = NewType("ModelId", int)

Shares = Mapping[str, Mapping[str, float]]
"""By part of a score, by what is known of a paper: the weight it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What a model was learned from: `outcomes` papers of `days` days, from `since` to `until`.

    `weights` are in the natural log of votes, as `docs/ranking.md` explains.
    """

    outcomes: int
    days: int
    since: date
    until: date
    weights: Shares


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedModel:
    """A model that was just learned, as bytes, with its facts."""

    content: bytes
    facts: ModelFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class NewModel:
    """A model to be kept. It knows nothing from after `as_of`."""

    name: str
    version: str
    as_of: datetime
    outcomes: int
    content: bytes

    @property
    def digest(self) -> str:
        """What the bytes are recognised by."""
        return digest_of(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptModel:
    """A model that is kept, without its bytes, whose `size` and `digest` are told."""

    id: ModelId
    name: str
    version: str
    fitted_at: datetime
    as_of: datetime
    outcomes: int
    size: int
    digest: str


def digest_of(content: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


class Ranker(Protocol):
    """Orders candidates. Pure: same candidates, background and `as_of`, same order."""

    @property
    def name(self) -> str:
        """Name and version; stored with every edition."""

    def rank(
        self,
        candidates: Sequence[Candidate],
        *,
        background: Sequence[str],
        as_of: datetime,
        submitter_cap: int,
    ) -> Ranking: ...


class LearnedModel(Protocol):
    """A model that was read."""

    @property
    def facts(self) -> ModelFacts: ...

    @property
    def ranker(self) -> Ranker:
        """The ranker that uses it."""


class ModelMaker(Protocol):
    """Learns models, and reads them. Pure: same cohorts, same model."""

    @property
    def name(self) -> str:
        """What kind of model it makes."""

    @property
    def version(self) -> str:
        """Changes whenever a model of before is of no use any more."""

    @property
    def least(self) -> int:
        """How many outcomes it takes."""

    @property
    def plain(self) -> Ranker:
        """The ranker without a model."""

    def fit(self, cohorts: Sequence[TrainingBatch]) -> FittedModel | None:
        """What the cohorts, oldest day first, lead one to expect; None for fewer than `least`."""

    def open(self, content: bytes) -> LearnedModel:
        """Read what `fit` made. Raises InvalidInput for bytes of another version, and for any that
        are no such model."""
