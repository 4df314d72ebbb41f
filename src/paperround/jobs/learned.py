"""Ranking with what was learned: at the moment it ranks, the newest model that may be known then.

A model that learned from anything after the ranking's `as_of` is never used, so the past is ranked
as it could have been. Where there is none, or the one there is cannot be read, the ranking is
made without, and its name says so.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from paperround.domain.editions import Candidate, Ranking
from paperround.domain.errors import InvalidInput, NotFound
from paperround.domain.formula import Formula
from paperround.domain.models import KeptModel, ModelId, digest_of
from paperround.jobs.ports import LearnedModel, ModelMaker, Ranker
from paperround.store.unit_of_work import Database

log = logging.getLogger(__name__)

HELD = 2
"""Models a process holds open: today's, and yesterday's for whoever asks of the past."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInUse:
    """A model that ranks, and how it is kept."""

    kept: KeptModel
    model: LearnedModel


class LearnedRanker:
    """Satisfies `ports.Ranker`. Safe to share between threads."""

    def __init__(self, database: Database, maker: ModelMaker) -> None:
        self._database = database
        self._maker = maker
        self._held: dict[ModelId, LearnedModel | None] = {}
        self._reading = Lock()

    @property
    def name(self) -> str:
        """The ranker's name without a model; a ranking names the one it was made with."""
        return self._maker.plain.name

    def rank(
        self,
        candidates: Sequence[Candidate],
        *,
        background: Sequence[str],
        as_of: datetime,
        submitter_cap: int,
    ) -> Ranking:
        """As the ranker with the newest model that knows nothing from after `as_of`."""
        return self._ranker(as_of).rank(
            candidates, background=background, as_of=as_of, submitter_cap=submitter_cap
        )

    def in_use(self, as_of: datetime) -> ModelInUse | None:
        """The model a ranking of `as_of` is made with; None when it is made without."""
        with self._database.reading() as work:
            kept = work.models.newest(self._maker.name, by=as_of)
        model = None if kept is None else self._open(kept)
        return None if kept is None or model is None else ModelInUse(kept=kept, model=model)

    @property
    def least(self) -> int:
        """How many outcomes it takes to learn something."""
        return self._maker.least

    def _ranker(self, as_of: datetime) -> Ranker:
        used = self.in_use(as_of)
        return self._maker.plain if used is None else used.model.ranker

    def _open(self, kept: KeptModel) -> LearnedModel | None:
        """The model, read once; None, and said once, when it cannot be read."""
        with self._reading:
            if kept.id not in self._held:
                for oldest in list(self._held)[: len(self._held) - HELD + 1]:
                    del self._held[oldest]
                self._held[kept.id] = self._read(kept)
            return self._held[kept.id]

    def _read(self, kept: KeptModel) -> LearnedModel | None:
        try:
            with self._database.reading() as work:
                content = work.models.content(kept.id)
            if digest_of(content) != kept.digest:
                raise InvalidInput("it is not what was kept: `paperround learn` makes a new one")
            return self._maker.open(content)
        except (InvalidInput, NotFound) as error:
            log.error("ranking without the learned model %d: %s", kept.id, error)
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingPage:
    """The formula that is in force; without `learned`, it takes `least` outcomes to have some."""

    ranker: str
    formula: Formula
    least: int
    learned: ModelInUse | None


def ranking_page(ranker: LearnedRanker, formula: Formula, *, now: datetime) -> RankingPage:
    """What a ranking that is made now goes by."""
    used = ranker.in_use(now)
    return RankingPage(
        ranker=ranker.name if used is None else used.model.ranker.name,
        formula=formula,
        least=ranker.least,
        learned=used,
    )
