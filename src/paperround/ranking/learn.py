"""Learning: once a night, what the papers of before came to becomes what is expected of new ones.

    papers whose votes settled ─► cohorts by day and feed ─► fit ─► kept, with the night's slot

The night is done when its slot is taken, in the transaction that keeps the model: a process that
is killed before leaves nothing behind, and two that learn at once keep one model. So that a night
that always fails is not tried every minute, each hour has one try, whoever makes it.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from paperround.core.errors import InvalidInput, NotFound
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.editions.model import Candidate, Ranking
from paperround.editions.store.history import HistoryStore
from paperround.papers.model import Paper, Vote
from paperround.papers.store.papers import PaperStore
from paperround.ranking.formula_model import Formula
from paperround.ranking.models import (
    KeptModel,
    LearnedModel,
    ModelFacts,
    ModelMaker,
    NewModel,
    digest_of,
)
from paperround.ranking.store import ModelStore
from paperround.ranking.training_data import cohorts_of, settled_before

log = logging.getLogger(__name__)

MOST_OUTCOMES = 8000
"""The newest papers with votes: more are not read, so that memory and time stay bounded."""

KEPT_MODELS = 8
"""A week of nights, so that a ranking of the last days can be made again as it was."""

NIGHT = 3
"""The hour, in UTC, from which on the night's learning is due."""

PAGE = 500
NIGHTS, TRIES = "learn", "learning"
"""The kinds of slots: nights that are done, hours in which somebody tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnReport:
    """What there was to learn from, and what came of it; `facts` and `kept` are None when it was
    less than `least` outcomes."""

    outcomes: int
    days: int
    feeds: int
    least: int
    facts: ModelFacts | None = None
    kept: KeptModel | None = None


def learn_tonight(database: Database, maker: ModelMaker, *, now: datetime) -> LearnReport | None:
    """Learn if the night's learning is due; None when it is not, or is somebody else's."""
    night, hour = now.strftime("%Y-%m-%d"), now.strftime("%Y-%m-%dT%H")
    if now.hour < NIGHT:
        return None
    with database.reading() as work:
        if work[SlotStore].taken_at(NIGHTS, night) is not None:
            return None
    if not write(database, lambda work: work[SlotStore].take(TRIES, hour, now=now)):
        return None
    report = learn(database, maker, now=now, night=night)
    result = f"too few for a model, which takes {report.least}"
    if report.kept is not None:
        result = f"model {report.kept.id} of {report.kept.size} bytes"
    log.info("learned from %d papers of %d days: %s", report.outcomes, report.days, result)
    return report


def learn(
    database: Database, maker: ModelMaker, *, now: datetime, night: str | None = None
) -> LearnReport:
    """Learn from everything known at `now`, and keep the model; for a `night` only if nobody did
    so before."""
    cohorts = cohorts_of(_counted(database, now), now)
    fitted = maker.fit(cohorts)

    def keep(work: Transaction) -> KeptModel | None:
        if night is not None and not work[SlotStore].take(NIGHTS, night, now=now):
            return None
        if fitted is None:
            return None
        model = NewModel(
            name=maker.name,
            version=maker.version,
            as_of=now,
            outcomes=fitted.facts.outcomes,
            content=fitted.content,
        )
        work[ModelStore].add(model, now=now)
        work[ModelStore].keep_last(maker.name, KEPT_MODELS)
        return work[ModelStore].newest(maker.name, by=now)

    return LearnReport(
        outcomes=sum(len(cohort.settled) for cohort in cohorts),
        days=len({cohort.day for cohort in cohorts}),
        feeds=len({cohort.feed for cohort in cohorts}),
        least=maker.least,
        facts=None if fitted is None else fitted.facts,
        kept=write(database, keep),
    )


def _counted(database: Database, now: datetime) -> Iterator[tuple[Paper, list[Vote]]]:
    """The newest papers whose votes may have settled, with what was told of them."""
    with database.reading() as work:
        ids = work[HistoryStore].voted(before=settled_before(now), by=now, limit=MOST_OUTCOMES)
    for start in range(0, len(ids), PAGE):
        page = ids[start : start + PAGE]
        with database.reading() as work:
            papers, votes = work[PaperStore].load(page), work[HistoryStore].votes(page, by=now)
        yield from ((papers[one], votes.get(one, [])) for one in page if one in papers)


# Ranking with what was learned: at the moment it ranks, the newest model that may be known then.
#
# A model that learned from anything after the ranking's `as_of` is never used, so the past is
# ranked as it could have been. Where there is none, or the one there is cannot be read, the ranking
# is made without, and its name says so.

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
        self._open = lru_cache(maxsize=HELD)(self._read)

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
        used = self.in_use(as_of)
        ranker = self._maker.plain if used is None else used.model.ranker
        return ranker.rank(
            candidates, background=background, as_of=as_of, submitter_cap=submitter_cap
        )

    def in_use(self, as_of: datetime) -> ModelInUse | None:
        """The model a ranking of `as_of` is made with; None when it is made without."""
        with self._database.reading() as work:
            kept = work[ModelStore].newest(self._maker.name, by=as_of)
        model = None if kept is None else self._open(kept)
        return None if kept is None or model is None else ModelInUse(kept=kept, model=model)

    @property
    def least(self) -> int:
        """How many outcomes it takes to learn something."""
        return self._maker.least

    def _read(self, kept: KeptModel) -> LearnedModel | None:
        """The model, kept by `_open`; None, and said once, when it cannot be read."""
        try:
            with self._database.reading() as work:
                content = work[ModelStore].content(kept.id)
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
