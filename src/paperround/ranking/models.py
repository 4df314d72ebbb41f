"""Model the votes to train on and learned models, and define the interface of rankers."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NewType, Protocol

from paperround.editions.model import Candidate, Ranking
from paperround.papers.model import FeedId, Paper

ModelId = NewType("ModelId", int)

Shares = Mapping[str, Mapping[str, float]]
"""Weights by part of a score and feature of a paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalVotes:
    """A paper and its settled votes."""

    paper: Paper
    votes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingBatch:
    """A cohort: papers of one day and one feed, by id."""

    day: date
    feed: FeedId | None
    settled: tuple[FinalVotes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """The training data of a model: `outcomes` papers of `days` days, from `since` to `until`.

    `weights` are in the natural log of votes; see `docs/ranking.md`.
    """

    outcomes: int
    days: int
    since: date
    until: date
    weights: Shares


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptModel:
    """A stored model without its content, which has this `size` and `digest`."""

    id: ModelId
    name: str
    version: str
    fitted_at: datetime
    as_of: datetime
    outcomes: int
    size: int
    digest: str


def digest_of(content: bytes) -> str:
    """The SHA-256 of `content`, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


class Ranker(Protocol):
    """Ranks candidates. Pure: same candidates, background and `as_of`, same order."""

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
