"""One poll of one feed.

    lent to us ─► plan ─► turn ─► fetch ─► parse ─► ingest ─┐
                   ▲                                        │
                   └──── cursor, validators saved ◄─────────┘
    last page ─► judged ─► stale? another witness is heard ─► health, reason, next poll
                    └────► unusual? an alarm

Every page is stored, then the cursor behind it, so that a poll that is killed goes on where it
was and reads no page for nothing. A feed that an operator points elsewhere is lent no more, and its
poll writes nothing from then on. What goes wrong is a value in the report.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

from paperround.core.errors import (
    Conflict,
    FetchFailed,
    InvalidInput,
    LeaseLost,
    NotFound,
    RateLimited,
)
from paperround.db.transactions import Transaction, write
from paperround.feeds.fetcher import FeedContext, FetchOutcome, Found, ask
from paperround.feeds.health import (
    Findings,
    batch_of,
    cross_checked,
    is_arrival,
    judged,
    name_of,
    next_poll,
    put_off_until,
    set_back,
    size_of,
    tells_size,
    unheard,
    with_alarm,
)
from paperround.feeds.ingest import IngestReport, IngestRun
from paperround.feeds.model import (
    MOST_PAGES,
    FeedHealth,
    FeedShape,
    FeedState,
    LiveFeed,
    Poll,
    PollProgress,
    RunNotes,
)
from paperround.feeds.store.feeds import FeedStore
from paperround.feeds.volume import alarm_of, remembered
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import FeedId, ParsedBatch, Show

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=15)
"""How long a feed that is being polled is no other process's; each page renews it."""

_GONE = 410
_TOO_MANY_REQUESTS = 429
_CONTINUES = timedelta(minutes=1)
_LONGEST_REASON = 500
_VALIDATORS = ("etag", "last-modified")
_PAUSE = "pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class PollReport(IngestReport):
    """What one poll did, over all its pages. `error` is why it ended early, None when it did not.

    A poll whose turn is far off ends without an error and `put_off`; so does one whose feed is
    being read by another, or was changed meanwhile. Its reason says why.
    """

    feed: str
    id: FeedId
    health: FeedHealth
    reason: str
    next_at: datetime
    put_off: bool = False
    error: str | None = None


def poll_feed(newsroom: FeedContext, feed: LiveFeed, *, now: datetime) -> PollReport:
    """Read a feed that is lent to us from where it stands to its end, and write down how it is
    doing."""
    poll = _Polling(newsroom, feed, now)
    try:
        return _polled(poll, feed.name)
    except NotFound:
        return poll.deleted()
    except LeaseLost:
        return poll.lost()


def not_ours(feed: LiveFeed, why: str, next_at: datetime) -> PollReport:
    """The report of a poll that may not write to its feed."""
    return PollReport(
        feed=feed.name,
        id=feed.id,
        health=feed.health,
        reason=f"put off: {why}",
        next_at=next_at,
        put_off=True,
    )


def _polled(poll: "_Polling", name: str) -> PollReport:
    """The end of a poll, however it comes. Raises NotFound when the feed is no more, and LeaseLost
    when it is ours no more."""
    try:
        return poll.read()
    except RateLimited as error:
        return poll.put_off(str(error), timedelta(seconds=error.retry_after))
    except Conflict:
        return poll.put_off("others wrote the same papers at the same time", _CONTINUES)
    except (NotFound, LeaseLost):
        raise
    except (FetchFailed, InvalidInput) as error:
        return poll.fail(str(error), error)
    except Exception as error:  # whatever one feed holds, the others are read
        log.exception("the feed %s failed unexpectedly", name)
        words = f"an error of ours, {type(error).__name__}: the log has the whole story"
        return poll.fail(words, error)


class _Polling:
    """One poll of one feed, from its first request to what is written down of it."""

    def __init__(self, newsroom: FeedContext, feed: LiveFeed, now: datetime) -> None:
        self._newsroom = newsroom
        self._source = newsroom.sources[feed.kind]
        self._feed = feed
        self._now = now
        self._progress = feed.progress
        self._run: IngestRun | None = None
        self._since = now
        """When the poll was begun that goes on or begins now."""
        if feed.progress.cursor is not None:
            self._since = feed.progress.begun or feed.last_good_at or now
        self._tally = PollTally(continues=feed.progress.cursor is not None)

    def read(self) -> PollReport:
        """Ask for page after page, store each, and judge the whole."""
        for _ in range(MOST_PAGES):
            request = self._source.plan(self._state, self._now)
            page, batch = self._ask(self._source, request)
            batch = shown_as(batch, self._feed.show)
            self._keep(page, batch)
            if batch.next is None:
                break
        return self._judge()

    def _ask(self, source: FetchOutcome[Found], request: FetchRequest) -> tuple[Page, Found]:
        """The answer, in our turn."""
        self._tally.requests += 1
        try:
            return ask(self._newsroom, source, request)
        except RateLimited:  # no request was made
            self._tally.requests -= 1
            raise

    @property
    def _state(self) -> FeedState:
        return replace(self._feed.state, progress=self._progress)

    def _keep(self, page: Page, batch: ParsedBatch) -> None:
        """Store a page, then where the poll stands behind it."""
        run = self._begun()
        before = run.report.unseen
        run.add(batch, captured_at=page.fetched_at, now=self._now)
        self._tally.take(page, batch)
        known = self._progress.validators
        validators = {**known, page.request.url: _validators(page, batch.pause, known)}
        progress = replace(self._progress, cursor=batch.next, validators=validators)
        if batch.next is not None:
            self._progress = replace(progress, begun=self._since)
        else:  # all is read that was told when the poll was begun, which may be long ago
            self._progress = replace(progress, begun=None, read_to=self._since)
        # Keep what was read and the feed to ourselves; how it is doing is said at the end.
        until = self._newsroom.clock.now() + LEASE
        self._write(
            Poll(
                health=self._feed.health,
                reason=self._feed.reason,
                progress=self._progress,
                failures=self._feed.failures,
                next_at=until,
                expects_at=self._feed.expects_at,
                news_at=self._now if run.report.unseen > before else None,
                leased_until=until,
            )
        )

    def _begun(self) -> IngestRun:
        if self._run is None:
            feed = self._feed

            def start(work: Transaction) -> int:
                work[FeedStore].hold_lent(feed.id, feed.lease)
                return work[FeedStore].start_run(feed.id, source=feed.kind, now=self._now)

            number = write(self._newsroom.database, start)
            self._run = IngestRun(
                self._newsroom.database, feed=feed.id, number=number, lease=feed.lease
            )
        return self._run

    def _judge(self) -> PollReport:
        """The end of a poll that met no error."""
        run = self._begun()
        unseen = run.report.unseen
        feed = replace(self._feed, expects_at=self._expects(self._feed.last_news_at))
        found = self._tally.findings(unseen=unseen, ended=self._progress.cursor is None)
        health, reason = self._health(feed, found)
        news_at = self._now if unseen else None
        expects_at = self._expects(news_at or feed.last_news_at)
        progress = self._settled(feed, found, arrives=is_arrival(feed, found, expects_at))
        run.finish(
            now=self._newsroom.clock.now(),
            state="unchanged" if self._tally.is_unchanged else "done",
            notes=self._tally.notes(health),
        )
        poll = Poll(
            health=health,
            reason=with_alarm(reason, progress.alarm)[:_LONGEST_REASON],
            progress=progress,
            failures=0,
            next_at=self._next_poll(expects_at),
            expects_at=expects_at,
            good_at=self._now if progress.cursor is None else None,
            news_at=news_at,
        )
        return self._end(poll)

    def _health(self, feed: LiveFeed, found: Findings) -> tuple[FeedHealth, str]:
        """As this poll tells it; before a feed is called stale another witness is heard. One that
        cannot be heard changes nothing."""
        is_holiday = self._source.holiday(self._now)
        health, reason = judged(feed, found, is_holiday=is_holiday, now=self._now)
        is_unreadable = found.shape is not None and found.shape.rejects > 0
        if health is not FeedHealth.STALE or feed.expects_at is None or is_unreadable:
            return health, reason
        witness = self._newsroom.witnesses.get(self._feed.kind)
        request = witness.plan(self._state) if witness is not None else None
        if witness is None or request is None:
            return health, reason
        try:
            _, said = self._ask(witness, request)
        except (FetchFailed, RateLimited) as error:
            return health, f"{reason}; nobody else could be asked: {error}"
        return cross_checked(reason, said, feed.expects_at)

    def _settled(self, feed: LiveFeed, found: Findings, *, arrives: bool) -> PollProgress:
        """Validators of addresses that are asked no more are forgotten (a poll that went on where
        one stopped asked only the rest), an empty batch never takes the place of one that had
        papers, and what is usual is remembered."""
        before, known = self._progress, self._progress.validators
        asked = {url: known[url] for url in known if url in self._tally.asked}
        usual, tells = before.usual, tells_size(feed, found, arrives=arrives)
        if arrives and found.shape is not None:
            usual = remembered(usual, found.shape)
        return replace(
            before,
            validators=known if self._feed.progress.cursor else asked,
            batch=found.batch if size_of(found.batch) else before.batch,
            alarm=alarm_of(before, found.shape, is_arrival=tells, now=self._now),
            usual=usual,
        )

    def _expects(self, last_news_at: datetime | None) -> datetime | None:
        return self._source.expects(last_news_at or self._feed.created_at)

    def _next_poll(self, expects_at: datetime | None) -> datetime:
        if self._progress.cursor is not None:
            return self._now + _CONTINUES
        known = self._progress.validators
        asked = [int(known[url].get(_PAUSE, "0")) for url in known if url in self._tally.asked]
        wished = timedelta(seconds=max(asked, default=0))
        interval = max(self._source.interval, wished)
        due = next_poll(self._feed, interval=interval, expects_at=expects_at, now=self._now)
        return max(due, self._now + wished)  # never asked earlier, whatever the spread is

    def put_off(self, why: str, pause: timedelta) -> PollReport:
        """It cannot go on now: its place is kept until it goes on after `pause`."""
        now, is_holiday = self._newsroom.clock.now(), self._source.holiday(self._now)
        health, reason = unheard(self._feed, why, is_holiday=is_holiday, now=now)
        self._close_early(health, now)
        poll = Poll(
            health=health,
            reason=reason[:_LONGEST_REASON],
            progress=self._progress,
            failures=self._feed.failures,
            next_at=put_off_until(self._feed, pause, now),
            expects_at=self._feed.expects_at,
        )
        return replace(self._end(poll), reason=f"put off: {why}", put_off=True)

    def _close_early(self, health: FeedHealth | None, now: datetime) -> None:
        if self._run is not None:
            self._run.finish(now=now, state="put-off", notes=self._tally.notes(health))

    def lost(self) -> PollReport:
        """An operator changed the feed while it was read, or this poll was so slow that the feed
        was lent to another: what it is now is not ours to say."""
        now = self._newsroom.clock.now()
        self._close_early(None, now)
        return not_ours(self._feed, "the feed was changed while it was read", now)

    def fail(self, words: str, error: Exception) -> PollReport:
        """The end of a poll that met an error: asked again later and later."""
        reason, now = words[:_LONGEST_REASON], self._newsroom.clock.now()
        notes = self._tally.notes(FeedHealth.FAILED)
        self._begun().finish(now=now, state="failed", error=reason, notes=notes)
        retry_after = error.retry_after if isinstance(error, FetchFailed) else None
        is_refused = isinstance(error, FetchFailed) and error.status == _TOO_MANY_REQUESTS
        setback = set_back(self._feed.failures, retry_after, is_refused=is_refused)
        progress = self._progress
        if setback.begins_anew:
            progress = replace(progress, cursor=None, begun=None)
        poll = Poll(
            health=FeedHealth.FAILED,
            reason=reason,
            progress=progress,
            failures=setback.failures,
            next_at=now + setback.pause,
            expects_at=self._feed.expects_at,
            gone_at=now if isinstance(error, FetchFailed) and error.status == _GONE else None,
        )
        return replace(self._end(poll), error=reason)

    def deleted(self) -> PollReport:
        """The feed was deleted while it was read: there is nothing to write it down in."""
        reason = "the feed was deleted while it was read"
        report = not_ours(self._feed, reason, self._now)
        return replace(report, reason=reason, put_off=False, error=reason)

    def _end(self, poll: Poll) -> PollReport:
        self._write(poll)
        did = self._run.report if self._run is not None else IngestReport()
        return PollReport(
            feed=self._feed.name,
            id=self._feed.id,
            health=poll.health if poll.gone_at is None else FeedHealth.PAUSED,
            reason=poll.reason,
            next_at=poll.next_at,
            **{one.name: getattr(did, one.name) for one in fields(did)},
        )

    def _write(self, poll: Poll) -> None:
        feed = self._feed
        write(
            self._newsroom.database,
            lambda work: work[FeedStore].record(feed.id, poll, lease=feed.lease),
        )


def shown_as(batch: ParsedBatch, show: Show | None) -> ParsedBatch:
    """The batch as its operator lets it be shown; None leaves that to the records."""
    if show is None:
        return batch
    return replace(batch, records=tuple(replace(one, show=show) for one in batch.records))


def _validators(
    page: Page, pause: timedelta | None, before: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """What lets us ask for this address only when it has changed, and no sooner than it wants; an
    unchanged page may say less than the page itself did, and then what is known stays."""
    known = {name: page.headers[name] for name in _VALIDATORS if page.headers.get(name)}
    if pause:
        known[_PAUSE] = str(int(pause.total_seconds()))
    return {**before.get(page.request.url, {}), **known} if page.not_modified else known


class PollTally:
    """What a poll asked for and got. `continues` says that it goes on where another stopped; then
    nobody asks what the batch was, and no names are kept. No record ever is."""

    def __init__(self, *, continues: bool) -> None:
        self._continues = continues
        self._has_unchanged_pages = False
        self.requests = 0
        self._bytes = 0
        self._rejects = 0
        self.names: set[str] = set()
        """Of the papers of the whole batch, as far as it is known."""
        self._papers = self._abstracts = self._authors = 0
        self.asked: set[str] = set()
        """Addresses that answered."""

    def take(self, page: Page, batch: ParsedBatch) -> None:
        """Count an answer and what it held."""
        self.asked.add(page.request.url)
        self._bytes += len(page.body)
        self._has_unchanged_pages |= page.not_modified
        self._rejects += len(batch.rejects)
        for record in batch.records:
            if not self._continues:
                name = name_of(record)
                if name in self.names:
                    continue  # a paper that stands on two pages is one paper
                self.names.add(name)
            self._papers += 1
            self._abstracts += bool(record.abstract.strip())
            self._authors += bool(record.authors)

    @property
    def is_unchanged(self) -> bool:
        """Whether nothing was read because nothing had changed."""
        return self._has_unchanged_pages and not self._papers

    def findings(self, *, unseen: int, ended: bool) -> Findings:
        """What the poll found; `ended` says that no page is left to read. The batch is known when
        the poll saw all of it."""
        if self._continues or self._has_unchanged_pages or not ended:
            return Findings(unseen=unseen, batch=None, ended=ended)
        shape = FeedShape(
            records=self._papers,
            rejects=self._rejects,
            abstracts=self._abstracts,
            authors=self._authors,
        )
        return Findings(unseen=unseen, batch=batch_of(self.names), shape=shape)

    def notes(self, health: FeedHealth | None) -> RunNotes:
        """For the history: what was asked, how much came back, and how the feed is, None when the
        poll does not tell."""
        counts = {"requests": self.requests, "bytes": self._bytes, "batch": self._papers}
        return RunNotes(counts=counts, health=health)
