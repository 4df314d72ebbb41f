"""Learning: once a night, what the papers of before came to becomes what is expected of new ones.

    papers whose votes settled ─► cohorts by day and feed ─► fit ─► kept, with the night's slot

The night is done when its slot is taken, in the transaction that keeps the model: a process that
is killed before leaves nothing behind, and two that learn at once keep one model. So that a night
that always fails is not tried every minute, each hour has one try, whoever makes it.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from paperround.domain.models import FittedModel, KeptModel, ModelFacts, NewModel
from paperround.domain.outcomes import Cohort, Vote, cohorts_of, settled_before
from paperround.domain.papers import Paper
from paperround.jobs.ports import ModelMaker
from paperround.store.unit_of_work import Database, UnitOfWork, write

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
    if now.hour < NIGHT or _is_done(database, night):
        return None
    if not write(database, lambda work: work.slots.take(TRIES, hour, now=now)):
        return None
    report = learn(database, maker, now=now, night=night)
    log.info("learned from %d papers of %d days: %s", report.outcomes, report.days, _result(report))
    return report


def _is_done(database: Database, night: str) -> bool:
    with database.reading() as work:
        return work.slots.taken_at(NIGHTS, night) is not None


def _result(report: LearnReport) -> str:
    if report.kept is None:
        return f"too few for a model, which takes {report.least}"
    return f"model {report.kept.id} of {report.kept.size} bytes"


def learn(
    database: Database, maker: ModelMaker, *, now: datetime, night: str | None = None
) -> LearnReport:
    """Learn from everything known at `now`, and keep the model; for a `night` only if nobody did
    so before."""
    cohorts = cohorts_of(_counted(database, now), now)
    fitted = maker.fit(cohorts)

    def keep(work: UnitOfWork) -> KeptModel | None:
        if night is not None and not work.slots.take(NIGHTS, night, now=now):
            return None
        return None if fitted is None else _keep(work, maker, fitted, now)

    kept = write(database, keep)
    return _report(cohorts, maker, fitted, kept)


def _counted(database: Database, now: datetime) -> Iterator[tuple[Paper, list[Vote]]]:
    """The newest papers whose votes may have settled, with what was told of them."""
    with database.reading() as work:
        ids = work.history.voted(before=settled_before(now), by=now, limit=MOST_OUTCOMES)
    for start in range(0, len(ids), PAGE):
        page = ids[start : start + PAGE]
        with database.reading() as work:
            papers, votes = work.papers.load(page), work.history.votes(page, by=now)
        yield from ((papers[one], votes.get(one, [])) for one in page if one in papers)


def _keep(work: UnitOfWork, maker: ModelMaker, fitted: FittedModel, now: datetime) -> KeptModel:
    model = NewModel(
        name=maker.name,
        version=maker.version,
        as_of=now,
        outcomes=fitted.facts.outcomes,
        content=fitted.content,
    )
    id_ = work.models.add(model, now=now)
    work.models.keep_last(maker.name, KEPT_MODELS)
    return KeptModel(
        id=id_,
        name=model.name,
        version=model.version,
        fitted_at=now,
        as_of=now,
        outcomes=model.outcomes,
        size=len(model.content),
        digest=model.digest,
    )


def _report(
    cohorts: tuple[Cohort, ...],
    maker: ModelMaker,
    fitted: FittedModel | None,
    kept: KeptModel | None,
) -> LearnReport:
    return LearnReport(
        outcomes=sum(len(cohort.settled) for cohort in cohorts),
        days=len({cohort.day for cohort in cohorts}),
        feeds=len({cohort.feed for cohort in cohorts}),
        least=maker.least,
        facts=None if fitted is None else fitted.facts,
        kept=kept,
    )
