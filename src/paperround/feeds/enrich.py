"""Enrich papers with data of external services.

    budget left? ─► due papers, claimed for 15 minutes
                      └─► wait for the service ─► request ─► ingest ─► next request time
                                                  └─► refused ─► split in halves ─► a single
                                                                 paper: done, kept as a reject

Papers a service does not know yet are requested again later; a paper is announced with or without
enrichment. All processes share one budget per service, which pauses after a failure. A paper that
always fails does not block the others.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from paperround.core.errors import FetchFailed, InvalidInput, RateLimited
from paperround.db.limits import Limiter, RateStore
from paperround.db.transactions import Transaction, write
from paperround.feeds.fetcher import FeedContext, Quota, ask, is_overload
from paperround.feeds.ingest import IngestRun
from paperround.feeds.model import FeedHealth
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.enrichment import KIND, LEASE, WATCHED, Enricher, feed_name, next_ask
from paperround.papers.model import Paper, PaperId, ParsedBatch, Reject
from paperround.papers.store.enrichment import EnrichmentStore
from paperround.papers.store.papers import PaperStore

log = logging.getLogger(__name__)

REQUESTS = 20
"""Requests to one service per run; the scheduler runs every minute."""

REST = timedelta(minutes=15)
"""How long a service is paused after a failure, unless it demands more."""

MOST_REFUSALS = 3
"""Papers a service may refuse in a row before it counts as failed."""

_LONGEST_REASON = 500
_NOT_FOUND, _FORBIDDEN = 404, 403
_SERVICE_STATUSES = frozenset({401, 407, 408, 425, 429})


def enrich(context: FeedContext, enrichers: Sequence[Enricher], *, now: datetime) -> None:
    """Request due papers from every service, with at most `REQUESTS` requests each.

    The error of a service is kept as its health; the other services still run.
    """
    for enricher in enrichers:
        _enrich_from(context, enricher, now)


def _enrich_from(context: FeedContext, enricher: Enricher, now: datetime) -> None:
    """Run one service, if papers are due for it."""
    run = _EnrichRun(context, enricher, now)
    claimed = run.claim_papers()
    if not claimed:
        return
    try:
        for papers in _chunks(claimed, enricher.size):
            run.request_papers(papers)
    except RateLimited as error:
        run.finish(None, put_off=error)
    except (FetchFailed, InvalidInput) as error:
        run.finish(str(error))
    except Exception as error:  # one service must not stop the others
        log.exception("enriching from %s failed unexpectedly", enricher.name)
        run.finish(f"an internal error ({type(error).__name__}): the log has the details")
    else:
        run.finish(None)


def _chunks(papers: Sequence[Paper], size: int) -> list[Sequence[Paper]]:
    return [papers[start : start + size] for start in range(0, len(papers), size)]


def _halves(papers: Sequence[Paper]) -> list[Sequence[Paper]]:
    return _chunks(papers, (len(papers) + 1) // 2)


def _next_requests(papers: Sequence[Paper], now: datetime) -> Mapping[PaperId, datetime | None]:
    return {paper.id: next_ask(paper.counts_from, now) for paper in papers}


def _is_refusal(error: FetchFailed, papers: Sequence[Paper]) -> bool:
    """Return whether the service refuses these papers, not this client. A 403 without a pause
    concerns a single paper (GitHub blocks repositories), or the client if there are several."""
    status = error.status or 0
    if not 400 <= status < 500 or status in _SERVICE_STATUSES or is_overload(error):
        return False
    return status != _FORBIDDEN or len(papers) == 1


class _EnrichRun:
    """One run of one service, from the first request to its recorded health."""

    def __init__(self, context: FeedContext, enricher: Enricher, now: datetime) -> None:
        self._context = context
        self._enricher = enricher
        self._quota = Quota(name=f"enrich/{enricher.name}", rates=enricher.budget)
        self._now = now
        self._run: IngestRun | None = None
        self._papers = 0
        self._successes = 0
        self._refusals = 0

    def claim_papers(self) -> list[Paper]:
        """Return the papers to request; none while the service is paused or its budget is spent.
        Due papers that cannot be requested are scheduled for later."""
        database, now = self._context.database, self._now
        enricher, quota, requests = self._enricher, self._quota, REQUESTS
        with database.reading() as work:
            names = (quota.name, enricher.limiter)
            if any(work[Limiter].open_until(name, now=now) for name in names):
                return []
            for rate in quota.rates:
                used = work[RateStore].count(quota.name, rate.period, now=now)
                requests = min(requests, rate.count - used)
        if requests <= 0:
            return []

        def claim(work: Transaction) -> list[Paper]:
            due = work[EnrichmentStore].take_due(
                enricher.name,
                enricher.kinds,
                since=now - WATCHED,
                until=now + LEASE,
                now=now,
                limit=enricher.size * requests,
            )
            papers = work[PaperStore].load(due)
            feed = work[FeedStore].find(feed_name(enricher.name))
            own = feed.id if feed is not None else None
            known = list[Paper]()
            others = list[Paper]()
            for paper in (papers[one] for one in due if one in papers):
                # The service that withdrew a paper may still take that back.
                is_wanted = not paper.withdrawn or own in paper.withdrawn_by
                (known if is_wanted and enricher.knows(paper) else others).append(paper)
            work[EnrichmentStore].asked(enricher.name, _next_requests(others, now), now=now)
            return known

        return write(database, claim)

    def request_papers(self, papers: Sequence[Paper]) -> None:
        """Request papers, store the answer, and schedule their next request.

        Raises RateLimited when the budget is spent or the wait is too long; the papers then stay
        due. After any other error they move to the end of the queue, and the error is raised.
        """
        try:
            batch = self._fetch_batch(papers)
            self._successes += 1
            self._refusals = 0
            self._store(batch)
            self._papers += len(papers)
            fetched = {one.paper: None for one in batch.figures}
            self._schedule({**_next_requests(papers, self._now), **fetched})
        except RateLimited:
            raise
        except Exception as error:  # on any error the papers must not stay first in the queue
            if isinstance(error, FetchFailed) and _is_refusal(error, papers):
                self._isolate_refused(papers, error)
                return
            if not (isinstance(error, FetchFailed) and is_overload(error)):
                # After the pause other papers come first. The halves of the batch become due at
                # different times, so that a bad paper does not always fail its neighbours.
                halves = enumerate(_halves(papers), start=1)
                self._schedule(
                    {one.id: self._now + n * LEASE for n, half in halves for one in half}
                )
            raise

    def _store(self, batch: ParsedBatch) -> None:
        folder = self._context.figures
        if folder is not None:
            for figure in batch.figures:
                folder.save(figure, now=self._now)
        if batch.records or batch.loose_counts or batch.rejects:
            self._started_run().add(batch, captured_at=self._context.clock.now(), now=self._now)

    def _fetch_batch(self, papers: Sequence[Paper]) -> ParsedBatch:
        """Return the parsed answer; empty when the service does not know a single paper."""
        request = self._enricher.request(papers)
        parse = partial(self._enricher.parse, papers=papers)
        try:
            return ask(self._context, request, parse, self._quota)[1]
        except FetchFailed as error:
            if error.status == _NOT_FOUND and len(papers) == 1:
                return ParsedBatch()
            raise

    def _isolate_refused(self, papers: Sequence[Paper], error: FetchFailed) -> None:
        """Split a refused batch until the refused paper is found, schedule it for later and store a
        reject. Raises `error` after `MOST_REFUSALS` refusals in a row."""
        if len(papers) > 1:
            for half in _halves(papers):
                self.request_papers(half)
            return
        self._refusals += 1
        self._papers += 1
        self._schedule(_next_requests(papers, self._now))
        kind, value = next(iter(papers[0].identifiers.items()))
        refused = Reject(reason="refused", detail=str(error), position=1, excerpt=f"{kind}:{value}")
        self._store(ParsedBatch(rejects=(refused,)))
        if self._refusals == MOST_REFUSALS:
            raise error

    def _schedule(self, turns: Mapping[PaperId, datetime | None]) -> None:
        name, now = self._enricher.name, self._now
        write(
            self._context.database, lambda work: work[EnrichmentStore].asked(name, turns, now=now)
        )

    def _started_run(self) -> IngestRun:
        if self._run is None:
            name = self._enricher.name

            def begin(work: Transaction) -> IngestRun:
                feed = work[FeedStore].get_or_create(feed_name(name), KIND, now=self._now)
                number = work[FeedStore].start_run(feed.id, source=name, now=self._now)
                return IngestRun(self._context.database, feed=feed.id, number=number)

            self._run = write(self._context.database, begin)
        return self._run

    def finish(self, error: str | None, *, put_off: RateLimited | None = None) -> None:
        """Finish the run with the `error` that ended it. `put_off` pauses the service's quota."""
        now = self._context.clock.now()
        if error is not None:
            self._started_run().finish(now=now, state="failed", error=error)
        elif self._run is not None:
            self._run.finish(now=now)
        if error or self._successes:
            write(self._context.database, lambda work: self._record_health(work, error))
        if put_off is not None:
            until = now + timedelta(seconds=put_off.retry_after)
            database, name = self._context.database, self._quota.name
            write(database, lambda work: work[Limiter].trip(name, until=until, now=now))
        if error or put_off:
            log.info("enriching from %s stopped: %s", self._enricher.name, error or put_off)

    def _record_health(self, work: Transaction, error: str | None) -> None:
        """Record the health of the service, and pause it after a failure."""
        feed = work[FeedStore].get_or_create(feed_name(self._enricher.name), KIND, now=self._now)
        failures = 0 if self._successes else work[FeedStore].get_for_update(feed.id).failures
        if error is not None:
            failures += 1
            work[Limiter].trip(self._quota.name, until=self._now + REST, now=self._now)
        work[FeedStore].record_health(
            feed.id,
            FeedHealth.FRESH if error is None else FeedHealth.FAILED,
            (error or f"{self._papers:,} papers asked for")[:_LONGEST_REASON],
            failures=failures,
            good_at=self._now if self._successes else None,
        )
