"""Enriching papers from services that know more of them.

    budget left? ─► papers whose turn it is, taken for a quarter of an hour
                      └─► turn of the service ─► ask ─► ingest ─► when to ask again
                                                  └─► refused ─► halves ─► one paper: its turn
                                                                           is over

What a service does not know, or cannot say now, is asked for again later; a paper is announced
with or without it. Each service has a budget that all processes share, and rests after a failure;
one paper that it never answers for keeps no other paper from it.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperround.core.errors import FetchFailed, InvalidInput, RateLimited
from paperround.db.limits import Limiter, RateStore
from paperround.db.transactions import Transaction, write
from paperround.feeds.fetcher import FeedContext, Share, ask, is_overload
from paperround.feeds.ingest import IngestReport, IngestRun
from paperround.feeds.model import FeedHealth
from paperround.feeds.store.feeds import FeedStore
from paperround.http.model import FetchRequest, HttpClient, Page
from paperround.papers.enrichment import KIND, LEASE, WATCHED, Enricher, feed_name, next_ask
from paperround.papers.model import Paper, PaperId, ParsedBatch, Reject
from paperround.papers.store.enrichment import EnrichmentStore
from paperround.papers.store.papers import PaperStore

log = logging.getLogger(__name__)

REQUESTS = 20
"""Requests to one service in a round: a round comes every minute."""

REST = timedelta(minutes=15)
"""How long a service that failed is left alone, unless it wants more."""

MOST_REFUSALS = 3
"""Papers in a row that a service may refuse before it is taken to refuse us."""

_LONGEST_REASON = 500
_NOT_FOUND, _FORBIDDEN = 404, 403
_OF_THE_SERVICE = frozenset({401, 407, 408, 425, 429})


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
    newsroom: FeedContext, enrichers: Sequence[Enricher], *, now: datetime, requests: int = REQUESTS
) -> list[EnrichReport]:
    """Ask every service for the papers whose turn it is, with at most `requests` of them each.

    A service that cannot be asked, or answers nonsense, is a value in the report: the others are
    asked all the same.
    """
    reports = [_round(newsroom, one, requests, now) for one in enrichers]
    return [report for report in reports if report is not None]


def _round(
    newsroom: FeedContext, enricher: Enricher, requests: int, now: datetime
) -> EnrichReport | None:
    """What became of one service's turn; None when no paper waits for it."""
    asking = _Asking(newsroom, enricher, now)
    taken = asking.take(requests)
    if not taken:
        return None
    try:
        for papers in _parts(taken, enricher.size):
            asking.ask(papers)
    except RateLimited as error:
        return asking.end(None, put_off=error)
    except (FetchFailed, InvalidInput) as error:
        return asking.end(str(error))
    except Exception as error:  # whatever one service says, the others are asked
        log.exception("enriching from %s failed unexpectedly", enricher.name)
        return asking.end(f"an error of ours, {type(error).__name__}: the log has the whole story")
    return asking.end(None)


def _parts(papers: Sequence[Paper], size: int) -> list[Sequence[Paper]]:
    return [papers[start : start + size] for start in range(0, len(papers), size)]


def _halves(papers: Sequence[Paper]) -> list[Sequence[Paper]]:
    return _parts(papers, (len(papers) + 1) // 2)


def _turns(papers: Sequence[Paper], now: datetime) -> Mapping[PaperId, datetime | None]:
    return {paper.id: next_ask(paper.counts_from, now) for paper in papers}


def _is_refusal(error: FetchFailed, papers: Sequence[Paper]) -> bool:
    """Whether the service refuses what it was asked for, and not us. A 403 that names no pause is
    about a single paper (GitHub blocks repositories), or about us where many were asked for."""
    status = error.status or 0
    if not 400 <= status < 500 or status in _OF_THE_SERVICE or is_overload(error):
        return False
    return status != _FORBIDDEN or len(papers) == 1


class _Asking:
    """One service's turn, from its first request to its report."""

    def __init__(self, newsroom: FeedContext, enricher: Enricher, now: datetime) -> None:
        self._newsroom = newsroom
        self._enricher = enricher
        self._share = Share(name=f"enrich/{enricher.name}", rates=enricher.budget)
        self._now = now
        self._run: IngestRun | None = None
        self._requests = 0
        self._papers = 0
        self._answers = 0
        self._refusals = 0

    def take(self, requests: int) -> list[Paper]:
        """The papers to ask for, none while the service is left alone or its budget is spent. Those
        that it is not asked for have had their turn."""
        database, now = self._newsroom.database, self._now
        enricher, share = self._enricher, self._share
        with database.reading() as work:
            names = (share.name, enricher.limiter)
            if any(work[Limiter].open_until(name, now=now) for name in names):
                return []
            for rate in share.rates:
                asked = work[RateStore].count(share.name, rate.period, now=now)
                requests = min(requests, rate.count - asked)
        if requests <= 0:
            return []

        def take(work: Transaction) -> list[Paper]:
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
                # A withdrawn paper only where this service withdrew it: it may take that back.
                is_asked = not paper.withdrawn or own in paper.withdrawn_by
                (known if is_asked and enricher.knows(paper) else others).append(paper)
            work[EnrichmentStore].asked(enricher.name, _turns(others, now), now=now)
            return known

        return write(database, take)

    def ask(self, papers: Sequence[Paper]) -> None:
        """Ask for some papers, store what is said, and note their next turn.

        Raises RateLimited when the budget is spent or the service's turn is far off: these papers
        keep their place. Raises what asking raises: they are at the end of the queue then.
        """
        try:
            batch = self._answer(papers)
            self._answers += 1
            self._refusals = 0
            self._keep(batch)
            self._papers += len(papers)
            self._note(_turns(papers, self._now))
        except RateLimited:
            raise
        except Exception as error:  # whatever it is, it must not come first again
            if isinstance(error, FetchFailed) and _is_refusal(error, papers):
                self._refused(papers, error)
                return
            if not (isinstance(error, FetchFailed) and is_overload(error)):
                # Others are asked for first when the service rested. The halves of a batch come
                # back one after the other, so that what fails with a bad neighbour does not always
                # fail with it.
                halves = enumerate(_halves(papers), start=1)
                self._note({one.id: self._now + n * LEASE for n, half in halves for one in half})
            raise

    def _keep(self, batch: ParsedBatch) -> None:
        if batch.records or batch.loose_counts or batch.rejects:
            self._begun().add(batch, captured_at=self._newsroom.clock.now(), now=self._now)

    def _answer(self, papers: Sequence[Paper]) -> ParsedBatch:
        """What the service says; of a single paper also that it does not know it."""
        service = _EnrichingService(self._enricher, papers)
        request = self._enricher.request(papers)
        self._requests += 1
        try:
            return ask(self._newsroom, service, request, self._share)[1]
        except RateLimited:  # no request was made
            self._requests -= 1
            raise
        except FetchFailed as error:
            if error.status == _NOT_FOUND and len(papers) == 1:
                return ParsedBatch()
            raise

    def _refused(self, papers: Sequence[Paper], error: FetchFailed) -> None:
        """Find the paper that is refused among those asked for at once: its turn is over, and it is
        kept as a reject. Raises `error` when the service refuses one after another."""
        if len(papers) > 1:
            for half in _halves(papers):
                self.ask(half)
            return
        self._refusals += 1
        self._papers += 1
        self._note(_turns(papers, self._now))
        kind, value = next(iter(papers[0].identifiers.items()))
        refused = Reject(reason="refused", detail=str(error), position=1, excerpt=f"{kind}:{value}")
        self._keep(ParsedBatch(rejects=(refused,)))
        if self._refusals == MOST_REFUSALS:
            raise error

    def _note(self, turns: Mapping[PaperId, datetime | None]) -> None:
        name, now = self._enricher.name, self._now
        write(
            self._newsroom.database, lambda work: work[EnrichmentStore].asked(name, turns, now=now)
        )

    def _begun(self) -> IngestRun:
        if self._run is None:
            name = self._enricher.name

            def begin(work: Transaction) -> IngestRun:
                feed = work[FeedStore].get_or_create(feed_name(name), KIND, now=self._now)
                number = work[FeedStore].start_run(feed.id, source=name, now=self._now)
                return IngestRun(self._newsroom.database, feed=feed.id, number=number)

            self._run = write(self._newsroom.database, begin)
        return self._run

    def end(self, error: str | None, *, put_off: RateLimited | None = None) -> EnrichReport:
        """Close the run, and say what was done. Who is put off comes back when they may ask."""
        now = self._newsroom.clock.now()
        if error is not None:
            self._begun().finish(now=now, state="failed", error=error)
        elif self._run is not None:
            self._run.finish(now=now)
        if error or self._answers:
            write(self._newsroom.database, lambda work: self._tell(work, error))
        if put_off is not None:
            until = now + timedelta(seconds=put_off.retry_after)
            database, name = self._newsroom.database, self._share.name
            write(database, lambda work: work[Limiter].trip(name, until=until, now=now))
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

    def _tell(self, work: Transaction, error: str | None) -> None:
        """Write down how the service is doing, and let one that failed rest."""
        feed = work[FeedStore].get_or_create(feed_name(self._enricher.name), KIND, now=self._now)
        failures = 0 if self._answers else work[FeedStore].hold(feed.id).failures
        if error is not None:
            failures += 1
            work[Limiter].trip(self._share.name, until=self._now + REST, now=self._now)
        work[FeedStore].tell(
            feed.id,
            FeedHealth.FRESH if error is None else FeedHealth.FAILED,
            (error or f"{self._papers:,} papers asked for")[:_LONGEST_REASON],
            failures=failures,
            good_at=self._now if self._answers else None,
        )


@dataclass(frozen=True, slots=True)
class _EnrichingService:
    """An enricher that is asked for certain papers, as the newsroom asks a source."""

    enricher: Enricher
    papers: Sequence[Paper]

    def fetch(self, client: HttpClient, request: FetchRequest) -> Page:
        return client.get(request)

    def parse(self, page: Page) -> ParsedBatch:
        return self.enricher.parse(page, self.papers)
