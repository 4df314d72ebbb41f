"""A newsroom with a clock that is set by hand and services that answer in real shapes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from paperround.core.errors import FetchFailed
from paperround.db.transactions import SqlDatabase
from paperround.feeds.due import change_feed, create_feed, poll_due
from paperround.feeds.fetcher import FeedContext
from paperround.feeds.model import FeedRun, LiveFeed, NewFeed
from paperround.feeds.poll import PollReport
from paperround.feeds.sources.registry import SOURCES
from paperround.feeds.store.feeds import FeedStore
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import FeedId
from paperround.papers.store.papers import PaperStore
from tests.fakes import Neighbours
from tests.feeds.arxiv_samples import item, rss

NOW = datetime(2026, 1, 28, 12, tzinfo=UTC)  # a Wednesday, when a batch is out since 05:30
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ML = NewFeed(name="arxiv-ml", kind="arxiv", settings={"categories": "cs.AI"})
FOUR = replace(ML, settings={"categories": "cs.AI,cs.CL,cs.LG,hep-th"})
HF = NewFeed(name="hf", kind="hf-daily", settings={"days": "0"})

Answer = bytes | BaseException | Callable[[FetchRequest], "Reply"]


@dataclass(frozen=True)
class Reply:
    """An answer with a status and headers."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class RunningClock:
    """A clock that is set by hand, and moves on while somebody pauses."""

    moment: datetime = NOW
    paused: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.moment += timedelta(seconds=seconds)


@dataclass
class Services:
    """A client for all services. `answers` maps the end of an address to what it says."""

    clock: RunningClock
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[FetchRequest] = field(default_factory=list)

    def get(self, request: FetchRequest) -> Page:
        self.asked.append(request)
        answer = next((said for end, said in self.answers.items() if end in request.url), rss())
        if isinstance(answer, BaseException):
            raise answer
        reply = Reply(answer) if isinstance(answer, bytes) else answer(request)
        return Page(
            request=request,
            url=request.url,
            status=reply.status,
            headers=reply.headers,
            body=reply.body,
            fetched_at=self.clock.now(),
        )

    @property
    def paths(self) -> list[str]:
        return [request.url.rpartition("/")[2] for request in self.asked]


class Room:
    """A newsroom with its clock and services, and what tests ask of it."""

    def __init__(self, database: SqlDatabase, clock: RunningClock | None = None) -> None:
        self.clock = clock or RunningClock()
        self.services = Services(self.clock)
        self.answers = self.services.answers
        self.database = database
        self.feed_context = FeedContext(
            database=database,
            client=self.services,
            sources=SOURCES,
            clock=self.clock,
            processes=Neighbours(),
            pause=self.clock.pause,
        )

    def add(self, feed: NewFeed) -> FeedId:
        return create_feed(self.feed_context, feed, now=self.clock.now()).id

    def poll(self, after: timedelta = timedelta()) -> list[PollReport]:
        self.clock.moment += after
        return poll_due(self.feed_context, now=self.clock.now())

    def poll_next(self, feed: FeedId) -> PollReport:
        """Wait until the feed is due, and poll."""
        due = self.feed(feed).next_at
        assert due is not None
        self.clock.moment = max(self.clock.moment, due)
        return next(report for report in self.poll() if report.id == feed)

    def feed(self, feed: FeedId) -> LiveFeed:
        with self.database.reading() as work:
            return work[FeedStore].get(feed)

    def runs(self, feed: FeedId) -> list[FeedRun]:
        with self.database.reading() as work:
            return work[FeedStore].runs(feed, before=None, limit=50)

    @property
    def papers(self) -> int:
        with self.database.reading() as work:
            return work[PaperStore].count()


def batch(first: int = 1, count: int = 2) -> bytes:
    return rss(*(item(f"2601.{n:05}v1", title=f"Study {n}") for n in range(first, first + count)))


def failing(status: int, retry_after: float | None = None) -> FetchFailed:
    return FetchFailed(
        f"rss.arxiv.org did not answer (status {status})", status=status, retry_after=retry_after
    )


def update_feed(
    feed_context: FeedContext, feed: FeedId, changed: NewFeed, *, now: datetime
) -> LiveFeed:
    """Make a feed `changed`."""
    return change_feed(feed_context, feed, lambda _: changed, now=now)
