"""Summing papers up ahead of their edition, where an operator set a machine to do so.

    budget left? ─► the papers each list would show now ─► never asked? ─► ask ─► check ─► keep

An edition takes what is kept when it is frozen, and the sentence chosen from the abstract for every
other paper: no digest waits for a machine, and none fails with it. A machine that fails rests.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from paperround.core.errors import FetchFailed
from paperround.core.rates import Rate
from paperround.db.limits import RateStore
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.editions.store.lists import ListStore
from paperround.papers.gist import choose_gist
from paperround.papers.model import Paper
from paperround.papers.summaries import Wording, checked, is_askable, marked
from paperround.ranking.models import Ranker
from paperround.ranking.rank import rank_list


class Summariser(Protocol):
    """A machine that says in one sentence what is new. Nothing it says is to be trusted."""

    def ask(self, paper: Paper) -> str:
        """Its answer, "" when there is none of use. Raises FetchFailed."""


class SummaryStore(Protocol):
    """What a machine said of texts so far. Never raises: what cannot be read was never said."""

    def get(self, title: str, abstract: str) -> str | None:
        """What may be shown, "" when nothing may; None: it was never asked."""

    def put(self, title: str, abstract: str, text: str) -> None: ...

    def forget(self, *, before: datetime) -> None:
        """Drop what was put before."""


log = logging.getLogger(__name__)

REQUESTS = 10
"""Papers of one round."""

EVERY = timedelta(minutes=10)
"""Between two rounds: each ranks every list."""

REST = timedelta(minutes=30)
"""How long a machine that failed is left alone."""

KEPT = timedelta(days=60)
"""How long an answer is kept: an edition holds papers of a week, a list of its own of more."""

_NOT_THIS = frozenset({400, 413, 422})
_BUDGET, _ROUND, _FAILED = "summarise", "summaries", "summaries failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What summing up needs. `budget` is shared by all processes; empty: no limit."""

    database: Database
    ranker: Ranker
    summariser: Summariser
    shelf: SummaryStore
    wording: Wording
    budget: tuple[Rate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryReport:
    """What a round did: papers asked for, answers kept, answers that may not be shown. `error` is
    why it ended early, None when it did not."""

    asked: int = 0
    kept: int = 0
    discarded: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SummaryOrGist:
    """Chooses what an edition says of a paper: the kept summary, marked, or else the gist."""

    shelf: SummaryStore

    def __call__(self, title: str, abstract: str) -> str:
        kept = self.shelf.get(title, abstract)
        return marked(kept) if kept else choose_gist(title, abstract)


def summarise(writing: Writing, *, now: datetime) -> SummaryReport:
    """Ask for papers that would be shown now and that the machine was never asked for."""
    if not _is_due(writing, now):
        return SummaryReport()
    writing.shelf.forget(before=now - KEPT)
    asked = kept = 0
    error = None

    def hit(work: Transaction) -> float | None:
        return work[RateStore].hit(_BUDGET, writing.budget, now=now)

    for paper in _wanted(writing, now):
        if asked == REQUESTS or write(writing.database, hit) is not None:
            break
        asked += 1
        try:
            kept += _ask(writing, paper)
        except FetchFailed as failed:
            error = str(failed)
            log.info("summing up stopped: %s", error)
            write(writing.database, lambda work: work[SlotStore].beat(_FAILED, now=now))
            break
    answered = asked - (error is not None)
    return SummaryReport(asked=asked, kept=kept, discarded=answered - kept, error=error)


def _is_due(writing: Writing, now: datetime) -> bool:
    """Whether the last round, and the last failure, are long enough ago; it is noted if so."""
    with writing.database.reading() as work:
        last, failed = work[SlotStore].last_beat(_ROUND), work[SlotStore].last_beat(_FAILED)
    if (last and now - last < EVERY) or (failed and now - failed < REST):
        return False
    write(writing.database, lambda work: work[SlotStore].beat(_ROUND, now=now))
    return True


def _wanted(writing: Writing, now: datetime) -> Iterator[Paper]:
    """Papers of the lists' next editions, those at the top of each first."""
    with writing.database.reading() as work:
        names = [one.name for one in work[ListStore].all()]
    seen: set[int] = set()
    for name in names:
        ranked = rank_list(
            database=writing.database, ranker=writing.ranker, list_name=name, day=None, now=now
        )
        for item in ranked.ranking.items[: ranked.mailing_list.edition_size]:
            paper = item.paper
            if paper.id not in seen and is_askable(paper):
                seen.add(paper.id)
                if writing.shelf.get(paper.title, paper.abstract) is None:
                    yield paper


def _ask(writing: Writing, paper: Paper) -> bool:
    """Keep what the machine says; returns whether it may be shown. Raises FetchFailed, and then the
    paper is not asked for again if it was this question that the service did not take."""
    try:
        answer = writing.summariser.ask(paper)
    except FetchFailed as error:
        if error.status in _NOT_THIS:
            writing.shelf.put(paper.title, paper.abstract, "")
        raise
    text = checked(answer, paper.title, paper.abstract, writing.wording)
    writing.shelf.put(paper.title, paper.abstract, text or "")
    return text is not None
