"""Summarise papers by machine before their edition is frozen, if the operator enabled it.

    budget left? ─► papers each list would show now ─► new? ─► request ─► check ─► store

An edition uses the stored summaries when it is frozen, and for other papers a sentence of the
abstract, so no digest waits for the service or fails with it. A failure pauses requests for REST.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from paperround.core.errors import FetchFailed
from paperround.core.files import write_private
from paperround.core.rates import Rate
from paperround.db.limits import RateStore
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.editions.store.lists import ListStore
from paperround.papers.gist import choose_gist
from paperround.papers.model import Paper
from paperround.plugins.summaries.chat import ChatSummariser, host_and_port
from paperround.plugins.summaries.checks import Wording, checked, is_askable, marked
from paperround.ranking.models import Ranker
from paperround.ranking.rank import rank_list

if TYPE_CHECKING:
    from paperround.bootstrap import AppContext

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
            log.warning("a cached summary cannot be read: %s", error)
            return None

    def put(self, title: str, abstract: str, text: str) -> None:
        """Store the answer, whole or not at all."""
        path = self._file(title, abstract)
        try:
            write_private(path, text)
        except OSError as error:
            log.warning("a summary cannot be cached: %s", error)

    def forget(self, *, before: datetime) -> None:
        """Delete answers stored before `before`, in any wording."""
        for path in self.folder.glob("??/*"):
            try:
                if path.stat().st_mtime < before.timestamp():
                    path.unlink(missing_ok=True)
            except OSError as error:
                log.warning("a cached summary cannot be deleted: %s", error)

    def _file(self, title: str, abstract: str) -> Path:
        parts = [self.wording.model, self.wording.language, title, abstract]
        name = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        return self.folder / name[:2] / name


@dataclass(frozen=True, slots=True, kw_only=True)
class Summaries:
    """Summaries of papers, requested from a service.

    `ask` returns the answer of the service about a paper, which is untrusted, or "" when it is
    unusable; it raises FetchFailed. `budget` is shared by all processes; empty for no limit.
    """

    database: Database
    ranker: Ranker
    ask: Callable[[Paper], str]
    cache: SummaryCache
    budget: tuple[Rate, ...]

    def gist(self, title: str, abstract: str) -> str:
        """Return the stored summary of a paper, marked as one, or else its gist."""
        stored = self.cache.get(title, abstract)
        return marked(stored) if stored else choose_gist(title, abstract)

    def summarise(self, *, now: datetime) -> int:
        """Request summaries of papers the next editions would show; return how many were requested.

        Does nothing soon after the last run or failure.
        """
        if not self._is_due(now):
            return 0
        self.cache.forget(before=now - KEPT)
        asked = 0

        def count_request(work: Transaction) -> float | None:
            return work[RateStore].hit(_BUDGET, self.budget, now=now)

        for paper in self._papers_to_summarise(now):
            if asked == REQUESTS or write(self.database, count_request) is not None:
                break
            asked += 1
            try:
                self._request_summary(paper)
            except FetchFailed as error:
                log.info("summaries stopped: %s", error)
                write(self.database, lambda work: work[SlotStore].beat(_FAILED, now=now))
                break
        return asked

    def _is_due(self, now: datetime) -> bool:
        """Return whether a run is due after the last run and failure, and record its start."""
        with self.database.reading() as work:
            last, failed = work[SlotStore].last_beat(_RUN), work[SlotStore].last_beat(_FAILED)
        if (last and now - last < EVERY) or (failed and now - failed < REST):
            return False
        write(self.database, lambda work: work[SlotStore].beat(_RUN, now=now))
        return True

    def _papers_to_summarise(self, now: datetime) -> Iterator[Paper]:
        """Yield papers of the lists' next editions without a stored summary, the best first."""
        with self.database.reading() as work:
            names = [one.name for one in work[ListStore].all()]
        seen: set[int] = set()
        for name in names:
            ranked = rank_list(
                database=self.database, ranker=self.ranker, list_name=name, day=None, now=now
            )
            for item in ranked.ranking.items[: ranked.mailing_list.edition_size]:
                paper = item.paper
                if paper.id not in seen and is_askable(paper):
                    seen.add(paper.id)
                    if self.cache.get(paper.title, paper.abstract) is None:
                        yield paper

    def _request_summary(self, paper: Paper) -> None:
        """Request and store a summary, "" if it may not be shown. Raises FetchFailed.

        A request that the service rejects as invalid is not repeated.
        """
        try:
            answer = self.ask(paper)
        except FetchFailed as error:
            if error.status in _INVALID_REQUEST:
                self.cache.put(paper.title, paper.abstract, "")
            raise
        text = checked(answer, paper.title, paper.abstract, self.cache.wording)
        self.cache.put(paper.title, paper.abstract, text or "")


def summaries_of(app: "AppContext", base: str, model: str) -> Summaries:
    """Return the summaries by `model` at the service `base`."""
    settings = app.settings
    wording = Wording(model=model, language=settings.summarise_language)
    client = app.client_for(host_and_port(base), seconds=settings.summarise_seconds)
    return Summaries(
        database=app.database,
        ranker=app.ranker,
        ask=ChatSummariser(client, base, wording, settings.summarise_key).ask,
        cache=SummaryCache(settings.data_dir / "summaries", wording),
        budget=settings.summary_budget,
    )
