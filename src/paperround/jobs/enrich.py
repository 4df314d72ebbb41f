"""Enriching papers from services that know more of them.

    budget left? ─► papers whose turn it is, taken for a quarter of an hour
                      └─► turn of the service ─► ask ─► ingest ─► when to ask again

What a service does not know, or cannot say now, is asked for again later; a paper is announced
with or without it. Each service has a budget that all processes share, and rests after a failure.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperround.domain.enrichment import LEASE, WATCHED, next_ask
from paperround.domain.errors import FetchFailed, InvalidInput, RateLimited
from paperround.domain.feeds import FetchRequest, Page
from paperround.domain.papers import Paper, PaperId, ParsedBatch
from paperround.jobs.ingest import IngestReport, Run
from paperround.jobs.newsroom import Newsroom, ask
from paperround.jobs.ports import Client, Enricher, UnitOfWork
from paperround.jobs.transactions import write

log = logging.getLogger(__name__)

REQUESTS = 20
"""Requests to one service in a round: a round comes every minute."""

REST = timedelta(minutes=15)
"""How long a service that failed is left alone."""

KIND = "enricher"
"""The kind of the feeds under which the runs of enrichers are kept."""

_NOT_FOUND = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichReport:
    """What a round did with one service: requests made, papers asked for, papers that changed,
    counts that were new. `error` is why it ended early, None when it did not."""

    enricher: str
    requests: int = 0
    papers: int = 0
    changed: int = 0
    observations: int = 0
    error: str | None = None


def enrich(
    newsroom: Newsroom, enrichers: Sequence[Enricher], *, now: datetime, requests: int = REQUESTS
) -> list[EnrichReport]:
    """Ask every service for the papers whose turn it is, with at most `requests` of them each.

    A service that cannot be asked, or answers nonsense, is a value in the report: the others are
    asked all the same.
    """
    reports = [_round(newsroom, one, requests, now) for one in enrichers]
    return [report for report in reports if report is not None]


def _round(
    newsroom: Newsroom, enricher: Enricher, requests: int, now: datetime
) -> EnrichReport | None:
    """What became of one service's turn; None when no paper waits for it."""
    taken = _take(newsroom, enricher, requests, now) if _may_ask(newsroom, enricher, now) else []
    if not taken:
        return None
    asking = _Asking(newsroom, enricher, now)
    try:
        for papers in _parts(taken, enricher.size):
            asking.ask(papers)
    except RateLimited as error:
        return asking.end(None, put_off=str(error))
    except (FetchFailed, InvalidInput) as error:
        return asking.end(str(error))
    except Exception as error:  # whatever one service says, the others are asked
        log.exception("enriching from %s failed unexpectedly", enricher.name)
        return asking.end(f"an error of ours, {type(error).__name__}: the log has the whole story")
    return asking.end(None)


def _may_ask(newsroom: Newsroom, enricher: Enricher, now: datetime) -> bool:
    """Whether the service's budget has something left, and it did not fail a moment ago."""
    with newsroom.database.reading() as work:
        failed_at = work.slots.last_beat(_failed(enricher))
        if failed_at is not None and now - failed_at < REST:
            return False
        return all(
            work.rates.count(_budget(enricher), rate.period, now=now) < rate.count
            for rate in enricher.budget
        )


def _budget(enricher: Enricher) -> str:
    return f"enrich/{enricher.name}"


def _failed(enricher: Enricher) -> str:
    return f"{enricher.name} failed"


def _take(newsroom: Newsroom, enricher: Enricher, requests: int, now: datetime) -> list[Paper]:
    """The papers to ask for. Those the service cannot know are done with."""

    def take(work: UnitOfWork) -> list[Paper]:
        due = work.enrichments.take_due(
            enricher.name,
            enricher.kinds,
            since=now - WATCHED,
            until=now + LEASE,
            now=now,
            limit=enricher.size * requests,
        )
        papers = work.papers.load(due)
        known = [papers[one] for one in due if one in papers and enricher.knows(papers[one])]
        strangers = papers.keys() - {paper.id for paper in known}
        work.enrichments.asked(
            enricher.name, _turns([papers[one] for one in strangers], now), now=now
        )
        return known

    return write(newsroom.database, take)


def _parts(papers: Sequence[Paper], size: int) -> list[Sequence[Paper]]:
    return [papers[start : start + size] for start in range(0, len(papers), size)]


def _turns(papers: Sequence[Paper], now: datetime) -> Mapping[PaperId, datetime | None]:
    return {paper.id: next_ask(paper.counts_from, now) for paper in papers}


class _Asking:
    """One service's turn, from its first request to its report."""

    def __init__(self, newsroom: Newsroom, enricher: Enricher, now: datetime) -> None:
        self._newsroom = newsroom
        self._enricher = enricher
        self._now = now
        self._run: Run | None = None
        self._requests = 0
        self._papers = 0

    def ask(self, papers: Sequence[Paper]) -> None:
        """Ask for some papers, store what is said, and note their next turn.

        Raises RateLimited when the budget is spent or the service's turn is far off, and what
        asking raises.
        """
        self._spend()
        batch = self._answer(papers)
        if batch.records or batch.loose_counts or batch.rejects:
            self._begun().add(batch, captured_at=self._newsroom.clock.now(), now=self._now)
        self._papers += len(papers)
        turns = _turns(papers, self._now)
        name = self._enricher.name
        write(
            self._newsroom.database,
            lambda work: work.enrichments.asked(name, turns, now=self._now),
        )

    def _spend(self) -> None:
        key, budget = _budget(self._enricher), self._enricher.budget
        wait = write(
            self._newsroom.database, lambda work: work.rates.hit(key, budget, now=self._now)
        )
        if wait is not None:
            raise RateLimited(f"the budget of {self._enricher.name} is spent", retry_after=wait)
        self._requests += 1

    def _answer(self, papers: Sequence[Paper]) -> ParsedBatch:
        """What the service says; of a single paper also that it does not know it."""
        service = _Service(self._enricher, papers)
        try:
            return ask(self._newsroom, service, self._enricher.request(papers))[1]
        except FetchFailed as error:
            if error.status == _NOT_FOUND and len(papers) == 1:
                return ParsedBatch()
            raise

    def _begun(self) -> Run:
        if self._run is None:
            name = self._enricher.name

            def begin(work: UnitOfWork) -> Run:
                feed = work.feeds.get_or_create(f"{name}-enricher", KIND, now=self._now)
                number = work.feeds.start_run(feed.id, source=name, now=self._now)
                return Run(self._newsroom.database, feed=feed.id, number=number)

            self._run = write(self._newsroom.database, begin)
        return self._run

    def end(self, error: str | None, *, put_off: str | None = None) -> EnrichReport:
        """Close the run, and say what was done."""
        now = self._newsroom.clock.now()
        if self._run is not None and error is None:
            self._run.finish(now=now)
        elif error is not None:
            self._begun().fail(error, now=now)
            slot = _failed(self._enricher)
            write(self._newsroom.database, lambda work: work.slots.beat(slot, now=self._now))
        if error or put_off:
            log.info("enriching from %s stopped: %s", self._enricher.name, error or put_off)
        did = self._run.report if self._run is not None else IngestReport()
        return EnrichReport(
            enricher=self._enricher.name,
            requests=self._requests,
            papers=self._papers,
            changed=did.changed,
            observations=did.observations,
            error=error,
        )


@dataclass(frozen=True, slots=True)
class _Service:
    """An enricher that is asked for certain papers, as the newsroom asks a source."""

    enricher: Enricher
    papers: Sequence[Paper]

    def fetch(self, client: Client, request: FetchRequest) -> Page:
        return client.get(request)

    def parse(self, page: Page) -> ParsedBatch:
        return self.enricher.parse(page, self.papers)
