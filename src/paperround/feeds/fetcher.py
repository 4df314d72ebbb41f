"""The newsroom: what reading live feeds needs, and how a service is asked in its turn.

request ─► turn of its service ─► far off, or its breaker open: not now
                 └─► near: wait ─► budget ─► fetch ─► parse ─► turn released
                                     │         └─► 429, 503, a Retry-After ─► breaker
                                     └─► spent: not now

A turn lasts from the request to the end of its answer: a service is asked over one connection at a
time by all processes on the database. Who has only a share of a service has a breaker of its own:
what it is told to wait for long keeps nobody else from the service for long.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Protocol, TypeVar

from paperround.core.errors import FetchFailed, RateLimited
from paperround.core.interfaces import Clock, Processes
from paperround.core.rates import Rate, Turn
from paperround.db.limits import Limiter, RateStore
from paperround.db.transactions import Database, Transaction, write
from paperround.feeds.model import CrossCheck, Source
from paperround.http.model import FetchRequest, HttpClient, Page

LONGEST_PAUSE = timedelta(seconds=60)
"""How long a poll waits for its turn; a turn that is farther off is another poll's."""

LONGEST_ANSWER = timedelta(seconds=60)
"""How long a turn is kept from others when nobody can tell whether its process still lives: twice
what one answer may take. A dead process of the same machine keeps none."""

SHORTEST_BREAK = timedelta(minutes=10)
"""How long a service is left alone, by every feed, after it said that it is asked too much."""

_OVERLOADED = frozenset({429, 503})


Found = TypeVar("Found", covariant=True)


def wait(seconds: float) -> None:
    """Let the thread rest for that long."""
    Event().wait(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedContext:
    """What reading feeds needs. `pause` lets seconds pass until a service may be asked again;
    `witnesses` are those that can be heard of a kind of feed that looks stale."""

    database: Database
    client: HttpClient
    sources: Mapping[str, Source]
    clock: Clock
    processes: Processes
    pause: Callable[[float], None] = wait
    witnesses: Mapping[str, CrossCheck] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one of those who ask a service may use of it. `name` is that of its count, and of its
    breaker, which keeps it away when the service's own is closed."""

    name: str
    rates: tuple[Rate, ...]


class FetchOutcome(Protocol[Found]):
    """Who asks a service, and understands its answer."""

    def fetch(self, client: HttpClient, request: FetchRequest) -> Page: ...

    def parse(self, page: Page) -> Found: ...


def ask(
    newsroom: FeedContext,
    source: FetchOutcome[Found],
    request: FetchRequest,
    share: Share | None = None,
) -> tuple[Page, Found]:
    """The answer to `request` and what it holds, as soon as the service may be asked.

    Raises RateLimited when that is too far off, or a budget is spent, and what fetching and
    parsing raise. A service that says it is asked too much is left alone from then on.
    """
    with _turn(newsroom, request, share):
        _spend(newsroom, request, share)
        try:
            page = source.fetch(newsroom.client, request)
            return page, source.parse(page)
        except FetchFailed as error:  # within the turn: nobody asks before the breaker is open
            if is_overload(error) and request.limiter:
                _trip(newsroom, request.limiter, share, error.retry_after)
            raise


def is_overload(error: FetchFailed) -> bool:
    """Whether the service says that it is asked too much, in whatever status: GitHub says 403."""
    return error.status in _OVERLOADED or error.retry_after is not None


@contextmanager
def _turn(newsroom: FeedContext, request: FetchRequest, share: Share | None) -> Iterator[None]:
    """Our turn of the service, from the moment it is ours to the end of the answer. Raises
    RateLimited when it is too far off."""
    if not request.limiter:
        yield
        return
    database, limiter = newsroom.database, request.limiter
    turn = Turn(interval=timedelta(seconds=request.interval_seconds), lease=LONGEST_ANSWER)

    def take(work: Transaction) -> datetime | None:
        barred = work[Limiter].open_until(share.name, now=now) if share is not None else None
        return barred or work[Limiter].take(limiter, turn, newsroom.processes, now=now)

    began = now = newsroom.clock.now()
    while (look_at := write(database, take)) is not None:
        seconds = (look_at - now).total_seconds()
        if look_at - began > LONGEST_PAUSE:
            words = f"{limiter} may not be asked again before {look_at:%H:%M} UTC"
            raise RateLimited(words, retry_after=seconds)
        newsroom.pause(seconds)
        now = max(look_at, newsroom.clock.now())
    try:
        yield
    finally:
        end = newsroom.clock.now()
        write(database, lambda work: work[Limiter].release(limiter, turn, taken_at=now, now=end))


def _spend(newsroom: FeedContext, request: FetchRequest, share: Share | None) -> None:
    """Count the request in the share and in the service's budget, or in neither.

    Raises RateLimited when one of them is spent.
    """
    budgets = {share.name: share.rates} if share is not None else {}
    budgets |= {f"service/{request.limiter}": request.budget} if request.limiter else {}
    now = newsroom.clock.now()

    def spend(work: Transaction) -> None:
        for key, rates in budgets.items():
            wait = work[RateStore].hit(key, rates, now=now) if rates else None
            if wait is not None:
                words = f"the budget of {key.rpartition('/')[2]} is spent"
                raise RateLimited(words, retry_after=wait)

    write(newsroom.database, spend)


def _trip(
    newsroom: FeedContext, limiter: str, share: Share | None, retry_after: float | None
) -> None:
    """Leave the service alone for as long as it says: all of it, or, when it said so of a share,
    that share, and all of it for the shortest time."""
    now = newsroom.clock.now()
    until = now + max(SHORTEST_BREAK, timedelta(seconds=retry_after or 0))
    ends = {limiter: until} if share is None else {limiter: now + SHORTEST_BREAK, share.name: until}

    def trip(work: Transaction) -> None:
        for name, end in sorted(ends.items()):
            work[Limiter].trip(name, until=end, now=now)

    write(newsroom.database, trip)
