"""Train the prior once a night, and rank with the newest model.

    papers with settled votes ─► cohorts by day and feed ─► fit ─► stored, with the night's slot

The transaction that stores the model also takes the night's slot, so a killed process leaves
nothing behind and two processes store one model. All processes together make one attempt per hour,
so a night that always fails is not retried every minute.

Feeds count differently: ten votes are many on one site and few on another, and a morning count is
not an evening count. So a paper is only compared with its cohort: the papers that one feed listed
on one day, counted at about the same age.

    age        from midnight UTC of the day the feed listed the paper
    count      of all known at `as_of`, the one nearest to AGE, none younger than LEAST_AGE
    settled    a day counts one day after its end: SETTLED_DAYS after it began
    left out   counts younger than half the median age of their cohort, and cohorts of fewer than
               LEAST_OF_A_DAY papers, whose mean is unreliable
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from statistics import median_low
from typing import TYPE_CHECKING

from paperround.access.store import AuditStore
from paperround.core.errors import InvalidInput, NotFound
from paperround.core.times import midnight_utc
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.editions.model import Candidate, Ranking
from paperround.editions.store.history import HistoryStore
from paperround.papers.model import FeedId, Paper, Vote
from paperround.papers.store.papers import PaperStore
from paperround.ranking.models import (
    FinalVotes,
    KeptModel,
    ModelFacts,
    Ranker,
    TrainingBatch,
    digest_of,
)
from paperround.ranking.prior import PriorMaker
from paperround.ranking.store import ModelStore
from paperround.ranking.weights import Weights

if TYPE_CHECKING:  # it imports numpy
    from paperround.ranking.formula import Formula

log = logging.getLogger(__name__)

MOST_OUTCOMES = 8000
"""Train on the newest papers with votes only, to limit memory and time."""

KEPT_MODELS = 8
"""A week of nights, so that you can reproduce a ranking of the last days."""

NIGHT = 3
"""The hour in UTC from which the night's training is due."""

AGE = timedelta(hours=48)
"""If half of a paper's votes are in after eight hours, six in seven are in by then."""
LEAST_AGE = timedelta(hours=6)
SETTLED_DAYS = timedelta(days=2)
LEAST_OF_A_DAY = 5

PAGE = 500
NIGHTS, TRIES = "learn", "learning"
"""Kinds of slots: finished nights, and hours with an attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnReport:
    """The size of the training data and the resulting model; `facts` and `kept` are None if there
    were fewer than `least` outcomes."""

    outcomes: int
    days: int
    feeds: int
    least: int
    facts: ModelFacts | None = None
    kept: KeptModel | None = None


def learn_if_due(database: Database, maker: PriorMaker, *, now: datetime) -> LearnReport | None:
    """Train if the night's training is due; None if it is not, or another process does it."""
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
    database: Database,
    maker: PriorMaker,
    *,
    now: datetime,
    night: str | None = None,
    by: str | None = None,
) -> LearnReport:
    """Train on everything known at `now` and store the model; for a `night`, unless it is done.

    A model that an operator, `by`, asked for is audited.
    """
    cohorts = cohorts_of(_papers_with_votes(database, now), now)
    fitted = maker.fit(cohorts)

    def keep(work: Transaction) -> KeptModel | None:
        if night is not None and not work[SlotStore].take(NIGHTS, night, now=now):
            return None
        if fitted is None:
            return None
        content, facts = fitted
        work[ModelStore].add(maker.name, maker.version, content, outcomes=facts.outcomes, now=now)
        work[ModelStore].keep_last(maker.name, KEPT_MODELS)
        newest = work[ModelStore].newest(maker.name, by=now)
        if by is not None and newest is not None:
            details = {"model": newest.id, "papers": facts.outcomes}
            work[AuditStore].add(by, "learn", "model", details, now=now)
        return newest

    return LearnReport(
        outcomes=sum(len(cohort.settled) for cohort in cohorts),
        days=len({cohort.day for cohort in cohorts}),
        feeds=len({cohort.feed for cohort in cohorts}),
        least=maker.least,
        facts=None if fitted is None else fitted[1],
        kept=write(database, keep),
    )


def _papers_with_votes(database: Database, now: datetime) -> Iterator[tuple[Paper, list[Vote]]]:
    """The newest papers whose votes may have settled, with their votes."""
    with database.reading() as work:
        ids = work[HistoryStore].voted(before=first_unsettled_day(now), by=now, limit=MOST_OUTCOMES)
    for start in range(0, len(ids), PAGE):
        page = ids[start : start + PAGE]
        with database.reading() as work:
            papers, votes = work[PaperStore].load(page), work[HistoryStore].votes(page, by=now)
        yield from ((papers[one], votes.get(one, [])) for one in page if one in papers)


def first_unsettled_day(as_of: datetime) -> datetime:
    """The start of the first day that has not settled at `as_of`."""
    return midnight_utc(as_of.date() - SETTLED_DAYS + timedelta(days=1))


def cohorts_of(
    counted: Iterable[tuple[Paper, Sequence[Vote]]], as_of: datetime
) -> tuple[TrainingBatch, ...]:
    """The cohorts with known votes that have settled at `as_of`, oldest day first."""
    found: dict[tuple[date, int], list[tuple[timedelta, FinalVotes]]] = {}
    for paper, votes in counted:
        chosen = _settled_vote(paper, votes, as_of)
        if chosen is not None:
            key = (_day(paper, chosen), chosen.feed or 0)
            found.setdefault(key, []).append(
                (_age(paper, chosen), FinalVotes(paper=paper, votes=max(0, chosen.value)))
            )
    made = []
    for (day, feed), aged in sorted(found.items()):
        least = median_low(age for age, _ in aged) / 2
        kept = sorted((one for age, one in aged if age >= least), key=lambda one: one.paper.id)
        if len(kept) >= LEAST_OF_A_DAY:
            made.append(
                TrainingBatch(day=day, feed=FeedId(feed) if feed else None, settled=tuple(kept))
            )
    return tuple(made)


def _settled_vote(paper: Paper, votes: Iterable[Vote], as_of: datetime) -> Vote | None:
    fitting = (
        vote
        for vote in votes
        if vote.captured_at <= as_of
        and _age(paper, vote) >= LEAST_AGE
        and midnight_utc(_day(paper, vote)) < first_unsettled_day(as_of)
    )
    return min(
        fitting, key=lambda vote: (abs(_age(paper, vote) - AGE), vote.captured_at), default=None
    )


def _day(paper: Paper, vote: Vote) -> date:
    return vote.listed_on or paper.listed_on or paper.counts_from.date()


def _age(paper: Paper, vote: Vote) -> timedelta:
    return vote.captured_at - midnight_utc(_day(paper, vote))


CACHED_MODELS = 2
"""Models a process keeps in memory: today's, and yesterday's for rankings of the past."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInUse:
    """A model in memory: its stored metadata, its facts, and the ranker that uses it."""

    kept: KeptModel
    facts: ModelFacts
    ranker: Ranker


class LearnedRanker:
    """A `Ranker` with the newest model trained on nothing after the ranking's `as_of`.

    Without such a model, or if it is damaged, it ranks without one, and the ranking's name shows
    that. Thread-safe.
    """

    def __init__(self, database: Database, maker: PriorMaker) -> None:
        self._database = database
        self._maker = maker
        self._open = lru_cache(maxsize=CACHED_MODELS)(self._read)

    @property
    def name(self) -> str:
        """The ranker's name without a model; each ranking has the name of the one it used."""
        return self._maker.plain.name

    def rank(
        self,
        candidates: Sequence[Candidate],
        *,
        background: Sequence[str],
        as_of: datetime,
        submitter_cap: int,
    ) -> Ranking:
        """Rank with the model in use at `as_of`."""
        used = self.in_use(as_of)
        ranker = self._maker.plain if used is None else used.ranker
        return ranker.rank(
            candidates, background=background, as_of=as_of, submitter_cap=submitter_cap
        )

    def in_use(self, as_of: datetime) -> ModelInUse | None:
        """The model for a ranking at `as_of`; None if there is none."""
        with self._database.reading() as work:
            kept = work[ModelStore].newest(self._maker.name, by=as_of)
        return None if kept is None else self._open(kept)

    @property
    def least(self) -> int:
        """The least number of outcomes to train on."""
        return self._maker.least

    def _read(self, kept: KeptModel) -> ModelInUse | None:
        """The model, cached by `_open`; None, logged once, if it is damaged."""
        try:
            with self._database.reading() as work:
                content = work[ModelStore].content(kept.id)
            if digest_of(content) != kept.digest:
                raise InvalidInput(
                    "it differs from what was stored: `paperround learn` trains a new one"
                )
            facts, ranker = self._maker.open(content)
        except (InvalidInput, NotFound) as error:
            log.error("ranking without the learned model %d: %s", kept.id, error)
            return None
        return ModelInUse(kept=kept, facts=facts, ranker=ranker)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingPage:
    """The current formula and model; `learned` is None until there are `least` outcomes."""

    ranker: str
    formula: "Formula"
    least: int
    learned: ModelInUse | None


def ranking_page(ranker: LearnedRanker, weights: Weights, *, now: datetime) -> RankingPage:
    """The formula with the `weights` in force, and the model of a ranking at `now`."""
    from paperround.ranking.formula import formula_of

    used = ranker.in_use(now)
    return RankingPage(
        ranker=ranker.name if used is None else used.ranker.name,
        formula=formula_of(weights),
        least=ranker.least,
        learned=used,
    )
