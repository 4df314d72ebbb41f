"""Poll a single feed.

    leased ─► plan ─► wait ─► fetch ─► parse ─► ingest ─┐
               ▲                                        │
               └──── cursor, validators saved ◄─────────┘
    last page ─► judged ─► stale? cross-check ─► health, reason, next poll
                    └────► unusual? alarm

Every page is stored, then its cursor, so that a poll that is killed resumes there and reads no page
twice. When an operator changes the feed, its lease ends and the running poll writes nothing more.
Errors are returned in the report.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from paperround.core.errors import (
    Conflict,
    FetchFailed,
    InvalidInput,
    LeaseLost,
    NotFound,
    RateLimited,
)
from paperround.db.transactions import Transaction, write
from paperround.feeds.fetcher import FeedContext, Found, ask
from paperround.feeds.health import (
    Findings,
    apply_cross_check,
    back_off,
    batch_digest,
    batch_size,
    health_after_delay,
    health_after_poll,
    is_arrival,
    next_poll,
    put_off_until,
    record_key,
    restarts,
)
from paperround.feeds.ingest import IngestReport, IngestRun, shown_as
from paperround.feeds.model import (
    MOST_PAGES,
    FeedHealth,
    FeedShape,
    FeedState,
    LiveFeed,
    PollProgress,
)
from paperround.feeds.store.feeds import FeedStore
from paperround.feeds.volume import add_volume, describe_size, find_alarm
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import FeedId, ParsedBatch

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=15)
"""How long a polled feed is leased; each page renews it."""

_GONE = 410
_TOO_MANY_REQUESTS = 429
_RESUME_AFTER = timedelta(minutes=1)
_LONGEST_REASON = 500
_VALIDATORS = ("etag", "last-modified")


@dataclass(frozen=True, slots=True, kw_only=True)
class PollReport(IngestReport):
    """The result of one poll over all pages. `error` is why it ended early, or None.

    A poll is `put_off` without an error when its rate limit is far off, when another process reads
    the feed, or when the feed was changed meanwhile. `reason` says why.
    """

    feed: str
    id: FeedId
    health: FeedHealth
    reason: str
    next_at: datetime
    put_off: bool = False
    error: str | None = None


def poll_feed(context: FeedContext, feed: LiveFeed, *, now: datetime) -> PollReport:
    """Poll a leased feed from its cursor to the end; record and return the result."""
    poll = _PollRun(context, feed, now)
    try:
        return _run_poll(poll, feed.name)
    except (NotFound, LeaseLost):
        return poll.lost()


def skipped_report(feed: LiveFeed, why: str, next_at: datetime) -> PollReport:
    """Return the report of a poll that must not write to its feed."""
    return PollReport(
        feed=feed.name,
        id=feed.id,
        health=feed.health,
        reason=f"put off: {why}",
        next_at=next_at,
        put_off=True,
    )


def _run_poll(poll: "_PollRun", name: str) -> PollReport:
    """Run the poll and return its report. Raises NotFound and LeaseLost."""
    try:
        return poll.read()
    except RateLimited as error:
        return poll.put_off(str(error), timedelta(seconds=error.retry_after))
    except Conflict:
        return poll.put_off("another process wrote the same papers at the same time", _RESUME_AFTER)
    except (NotFound, LeaseLost):
        raise
    except (FetchFailed, InvalidInput) as error:
        return poll.fail(str(error), error)
    except Exception as error:  # one feed must not stop the others
        log.exception("the feed %s failed unexpectedly", name)
        reason = f"an internal error ({type(error).__name__}): the log has the details"
        return poll.fail(reason, error)


class _PollRun:
    """One poll of one feed, from its first request to the recorded result."""

    def __init__(self, context: FeedContext, feed: LiveFeed, now: datetime) -> None:
        self._context = context
        self._source = context.sources[feed.kind]
        self._feed = feed
        self._now = now
        self._progress = feed.progress
        self._last_news_at = feed.last_news_at
        self._run: IngestRun | None = None
        self._since = now  # when this poll, or the one it resumes, began
        if feed.progress.cursor is not None:
            self._since = feed.progress.begun or feed.last_good_at or now
        self._tally = PollTally(continues=feed.progress.cursor is not None)

    def read(self) -> PollReport:
        """Request and store page after page, then judge the whole."""
        for _ in range(MOST_PAGES):
            request = self._source.plan(self._state, self._now)
            page, batch = self._request(request, self._source.parse)
            batch = shown_as(batch, self._feed.show)
            self._store_page(page, batch)
            if batch.next is None:
                break
        return self._judge()

    def _request(self, request: FetchRequest, parse: Callable[[Page], Found]) -> tuple[Page, Found]:
        """Send a request within the rate limit."""
        self._tally.requests += 1
        try:
            return ask(self._context, request, parse)
        except RateLimited:  # no request was made
            self._tally.requests -= 1
            raise

    @property
    def _state(self) -> FeedState:
        return replace(self._feed.state, progress=self._progress)

    def _store_page(self, page: Page, batch: ParsedBatch) -> None:
        """Store a page, then the position after it."""
        run = self._started_run()
        before = run.report.unseen
        run.add(batch, captured_at=page.fetched_at, now=self._now)
        self._tally.take(page, batch)
        known = self._progress.validators
        validators = {**known, page.request.url: _validators(page, known)}
        progress = replace(self._progress, cursor=batch.next, validators=validators)
        if batch.next is not None:
            self._progress = replace(progress, begun=self._since)
        else:  # everything up to the start of the poll, which may be long ago, is read
            self._progress = replace(progress, begun=None, read_to=self._since)
        if run.report.unseen > before:
            self._last_news_at = self._now
        # Save the position and renew the lease; the health is decided at the end.
        until = self._context.clock.now() + LEASE
        self._record(next_at=until, leased_until=until)

    def _started_run(self) -> IngestRun:
        if self._run is None:
            feed = self._feed

            def start(work: Transaction) -> int:
                work[FeedStore].require_lease(feed.id, feed.lease)
                return work[FeedStore].start_run(feed.id, source=feed.kind, now=self._now)

            number = write(self._context.database, start)
            self._run = IngestRun(
                self._context.database, feed=feed.id, number=number, lease=feed.lease
            )
        return self._run

    def _judge(self) -> PollReport:
        """Finish a poll that met no error."""
        run = self._started_run()
        unseen = run.report.unseen
        feed = replace(self._feed, expects_at=self._next_batch_at(self._feed.last_news_at))
        found = self._tally.findings(unseen=unseen, ended=self._progress.cursor is None)
        health, reason = self._health(feed, found)
        expects_at = self._next_batch_at(self._last_news_at)
        arrives = is_arrival(feed, found, expects_at)
        self._progress = self._next_progress(feed, found, arrives=arrives)
        if words := describe_size(self._progress, batch_size(self._progress.batch)):
            reason = f"{reason}; {words}"
        run.finish(
            now=self._context.clock.now(),
            state="unchanged" if self._tally.is_unchanged else "done",
            counts=self._tally.counts,
            health=health,
        )
        has_ended = self._progress.cursor is None
        return self._finish(
            health=health,
            reason=reason[:_LONGEST_REASON],
            failures=0,
            next_at=self._next_poll(expects_at),
            expects_at=expects_at,
            last_good_at=self._now if has_ended else self._feed.last_good_at,
        )

    def _health(self, feed: LiveFeed, found: Findings) -> tuple[FeedHealth, str]:
        """Return the health after this poll, with a cross-check before a feed is called stale. A
        failed cross-check changes nothing."""
        is_holiday = self._source.holiday(self._now)
        health, reason = health_after_poll(feed, found, is_holiday=is_holiday, now=self._now)
        is_unreadable = found.shape is not None and found.shape.rejects > 0
        if health is not FeedHealth.STALE or feed.expects_at is None or is_unreadable:
            return health, reason
        request = self._source.cross_check(self._state)
        if request is None:
            return health, reason
        try:
            _, checked = self._request(request, self._source.read_cross_check)
        except (FetchFailed, RateLimited) as error:
            return health, f"{reason}; no other source could be asked: {error}"
        return apply_cross_check(reason, checked, feed.expects_at)

    def _next_progress(self, feed: LiveFeed, found: Findings, *, arrives: bool) -> PollProgress:
        """Return the progress to store. Validators of addresses no longer requested are dropped,
        unless the poll resumed, which requested only the rest. An empty batch never replaces one
        with papers. The shape of an expected batch is remembered."""
        before, known = self._progress, self._progress.validators
        requested = {url: known[url] for url in known if url in self._tally.responded}
        usual = before.usual
        if arrives and found.shape is not None:
            usual = add_volume(usual, found.shape)
        # A feed without a schedule shows the same stretch of papers at every poll, so its size can
        # be compared without news, too.
        is_comparable = arrives or (
            feed.expects_at is None and found.shape is not None and found.shape.records > 0
        )
        return replace(
            before,
            validators=known if self._feed.progress.cursor else requested,
            batch=found.batch if batch_size(found.batch) else before.batch,
            alarm=find_alarm(before, found.shape, is_arrival=is_comparable, now=self._now),
            usual=usual,
        )

    def _next_batch_at(self, last_news_at: datetime | None) -> datetime | None:
        return self._source.expects(last_news_at or self._feed.created_at)

    def _next_poll(self, expects_at: datetime | None) -> datetime:
        if self._progress.cursor is not None:
            return self._now + _RESUME_AFTER
        interval = self._source.interval
        return next_poll(self._feed, interval=interval, expects_at=expects_at, now=self._now)

    def put_off(self, why: str, pause: timedelta) -> PollReport:
        """End a poll that cannot continue now; it resumes at its cursor after `pause`."""
        now, is_holiday = self._context.clock.now(), self._source.holiday(self._now)
        health, reason = health_after_delay(self._feed, why, is_holiday=is_holiday, now=now)
        self._close_early(health, now)
        report = self._finish(
            health=health,
            reason=reason[:_LONGEST_REASON],
            next_at=put_off_until(self._feed, pause, now),
        )
        return replace(report, reason=f"put off: {why}", put_off=True)

    def _close_early(self, health: FeedHealth | None, now: datetime) -> None:
        if self._run is not None:
            self._run.finish(now=now, state="put-off", counts=self._tally.counts, health=health)

    def lost(self) -> PollReport:
        """End a poll whose feed was changed or deleted while it was read, or leased to another
        process because this one was slow. The feed is left alone."""
        now = self._context.clock.now()
        self._close_early(None, now)
        return skipped_report(self._feed, "the feed was changed or deleted while it was read", now)

    def fail(self, reason: str, error: Exception) -> PollReport:
        """End a poll that met an error; the pauses grow with every failure."""
        reason, now = reason[:_LONGEST_REASON], self._context.clock.now()
        self._started_run().finish(
            now=now,
            state="failed",
            error=reason,
            counts=self._tally.counts,
            health=FeedHealth.FAILED,
        )
        retry_after = error.retry_after if isinstance(error, FetchFailed) else None
        is_refused = isinstance(error, FetchFailed) and error.status == _TOO_MANY_REQUESTS
        failures = self._feed.failures + 1
        if restarts(failures, is_refused=is_refused):
            self._progress = replace(self._progress, cursor=None, begun=None)
        report = self._finish(
            health=FeedHealth.FAILED,
            reason=reason,
            failures=failures,
            next_at=now + back_off(failures, retry_after),
            gone_at=now if isinstance(error, FetchFailed) and error.status == _GONE else None,
        )
        return replace(report, error=reason)

    def _finish(self, *, gone_at: datetime | None = None, **changes: Any) -> PollReport:
        feed = self._record(gone_at=gone_at, **changes)
        ingested = self._run.report if self._run is not None else IngestReport()
        return PollReport(
            feed=feed.name,
            id=feed.id,
            health=feed.health if gone_at is None else FeedHealth.PAUSED,
            reason=feed.reason,
            next_at=changes["next_at"],
            **{one.name: getattr(ingested, one.name) for one in fields(ingested)},
        )

    def _record(
        self,
        *,
        leased_until: datetime | None = None,
        gone_at: datetime | None = None,
        **changes: Any,
    ) -> LiveFeed:
        """Store the feed with `changes`, and return it."""
        feed = replace(
            self._feed, progress=self._progress, last_news_at=self._last_news_at, **changes
        )

        def record(work: Transaction) -> None:
            work[FeedStore].record_poll(feed, leased_until=leased_until, gone_at=gone_at)

        write(self._context.database, record)
        return feed


def _validators(page: Page, before: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the validators of the page. An unchanged page may state fewer than the page itself;
    then the known ones are kept."""
    known = {name: page.headers[name] for name in _VALIDATORS if page.headers.get(name)}
    return {**before.get(page.request.url, {}), **known} if page.not_modified else known


class PollTally:
    """Counts of a poll. When it `continues` an interrupted one, the whole batch is unknown and no
    names are kept. Records are never kept."""

    def __init__(self, *, continues: bool) -> None:
        self._continues = continues
        self._has_unchanged_pages = False
        self.requests = 0
        self._bytes = 0
        self._rejects = 0
        self.names: set[str] = set()
        """Keys of the papers of the whole batch, as far as it is known."""
        self._papers = self._abstracts = self._authors = 0
        self.responded: set[str] = set()
        """Addresses that responded."""

    def take(self, page: Page, batch: ParsedBatch) -> None:
        """Count a page and its entries."""
        self.responded.add(page.request.url)
        self._bytes += len(page.body)
        self._has_unchanged_pages |= page.not_modified
        self._rejects += len(batch.rejects)
        for record in batch.records:
            if not self._continues:
                name = record_key(record)
                if name in self.names:
                    continue  # a paper on two pages counts once
                self.names.add(name)
            self._papers += 1
            self._abstracts += bool(record.abstract.strip())
            self._authors += bool(record.authors)

    @property
    def is_unchanged(self) -> bool:
        """Whether nothing was read because nothing had changed."""
        return self._has_unchanged_pages and not self._papers

    def findings(self, *, unseen: int, ended: bool) -> Findings:
        """Return the findings; the batch is known when the poll saw all pages (`ended`)."""
        if self._continues or self._has_unchanged_pages or not ended:
            return Findings(unseen=unseen, batch=None, ended=ended)
        shape = FeedShape(
            records=self._papers,
            rejects=self._rejects,
            abstracts=self._abstracts,
            authors=self._authors,
        )
        return Findings(unseen=unseen, batch=batch_digest(self.names), shape=shape)

    @property
    def counts(self) -> dict[str, int]:
        """The requests, the bytes and the papers of the poll."""
        return {"requests": self.requests, "bytes": self._bytes, "batch": self._papers}
