"""Summarise papers by machine before their edition is frozen, if the operator enabled it.

    budget left? ─► papers each list would show now ─► new? ─► request ─► check ─► store

An edition uses the stored summaries when it is frozen, and for other papers a sentence of the
abstract, so no digest waits for the service or fails with it. A failure pauses requests for REST.
"""

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from paperround.core.errors import FetchFailed
from paperround.core.files import write_private
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
    """A service that summarises a paper in one sentence. Its output is untrusted."""

    def ask(self, paper: Paper) -> str:
        """Return its answer, "" when it is unusable. Raises FetchFailed."""


log = logging.getLogger(__name__)

REQUESTS = 10
"""Requests in one run."""

EVERY = timedelta(minutes=10)
"""The interval of runs, as each ranks every list."""

REST = timedelta(minutes=30)
"""How long requests pause after a failure."""

KEPT = timedelta(days=60)
"""How long an answer is kept. Editions hold papers of a week, or longer if the list says so."""

_LARGEST_FILE = 4096
"""Bytes; a longer file is not ours."""

_INVALID_REQUEST = frozenset({400, 413, 422})
_BUDGET, _RUN, _FAILED = "summarise", "summaries", "summaries failed"


@dataclass(frozen=True, slots=True)
class SummaryCache:
    """Answers in files below `folder`, one for each title, abstract, wording and model.

    An empty file means that the answer was rejected. An error with a file is logged, and the file
    counts as missing.
    """

    folder: Path
    wording: Wording

    def get(self, title: str, abstract: str) -> str | None:
        """Return the summary, "" if it was rejected, None if it was never requested."""
        try:
            with self._file(title, abstract).open("rb") as file:
                return file.read(_LARGEST_FILE).decode()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            log.warning("a kept summary cannot be read: %s", error)
            return None

    def put(self, title: str, abstract: str, text: str) -> None:
        """Store the answer, whole or not at all."""
        path = self._file(title, abstract)
        try:
            write_private(path, text)
        except OSError as error:
            log.warning("a summary cannot be kept: %s", error)

    def forget(self, *, before: datetime) -> None:
        """Delete answers stored before, in any wording."""
        for path in self.folder.glob("??/*"):
            try:
                if path.stat().st_mtime < before.timestamp():
                    path.unlink(missing_ok=True)
            except OSError as error:
                log.warning("a kept summary cannot be dropped: %s", error)

    def _file(self, title: str, abstract: str) -> Path:
        parts = [self.wording.model, self.wording.language, title, abstract]
        name = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        return self.folder / name[:2] / name


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """The context of summarising. `budget` is shared by all processes; empty for no limit."""

    database: Database
    ranker: Ranker
    summariser: Summariser
    cache: SummaryCache
    budget: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class SummaryOrGist:
    """Returns the stored summary of a paper, marked as one, or else its gist."""

    cache: SummaryCache

    def __call__(self, title: str, abstract: str) -> str:
        kept = self.cache.get(title, abstract)
        return marked(kept) if kept else choose_gist(title, abstract)


def summarise(writing: Writing, *, now: datetime) -> int:
    """Request summaries of papers the next editions would show; return how many were requested."""
    if not _is_due(writing, now):
        return 0
    writing.cache.forget(before=now - KEPT)
    asked = 0

    def count_request(work: Transaction) -> float | None:
        return work[RateStore].hit(_BUDGET, writing.budget, now=now)

    for paper in _papers_to_summarise(writing, now):
        if asked == REQUESTS or write(writing.database, count_request) is not None:
            break
        asked += 1
        try:
            _request_summary(writing, paper)
        except FetchFailed as error:
            log.info("summing up stopped: %s", error)
            write(writing.database, lambda work: work[SlotStore].beat(_FAILED, now=now))
            break
    return asked


def _is_due(writing: Writing, now: datetime) -> bool:
    """Return whether a run is due after the last run and failure, and record its start."""
    with writing.database.reading() as work:
        last, failed = work[SlotStore].last_beat(_RUN), work[SlotStore].last_beat(_FAILED)
    if (last and now - last < EVERY) or (failed and now - failed < REST):
        return False
    write(writing.database, lambda work: work[SlotStore].beat(_RUN, now=now))
    return True


def _papers_to_summarise(writing: Writing, now: datetime) -> Iterator[Paper]:
    """Yield papers of the lists' next editions without a stored summary, the best first."""
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
                if writing.cache.get(paper.title, paper.abstract) is None:
                    yield paper


def _request_summary(writing: Writing, paper: Paper) -> None:
    """Request and store a summary, "" if it may not be shown. Raises FetchFailed.

    A request that the service rejects as invalid is not repeated.
    """
    try:
        answer = writing.summariser.ask(paper)
    except FetchFailed as error:
        if error.status in _INVALID_REQUEST:
            writing.cache.put(paper.title, paper.abstract, "")
        raise
    text = checked(answer, paper.title, paper.abstract, writing.cache.wording)
    writing.cache.put(paper.title, paper.abstract, text or "")
