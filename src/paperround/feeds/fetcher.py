"""Send rate-limited requests to the services that feeds are read from.

    request ─► turn at the service ─► far off, or its breaker open: RateLimited
                     └─► near: wait ─► budget ─► fetch ─► parse ─► turn released
                                         │         └─► 429, 503, a Retry-After ─► open breaker
                                         └─► spent: RateLimited

A turn lasts from the request to the end of the response: all processes of the database together use
one connection per service. A user with a quota has its own breaker, so that a long
pause demanded of it barely delays the others.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Any, TypeVar

from paperround.core.errors import FetchFailed, RateLimited
from paperround.core.interfaces import Clock, Processes
from paperround.core.rates import Rate, Turn
from paperround.db.limits import Limiter, RateStore
from paperround.db.transactions import Database, Transaction, write
from paperround.feeds.sources.base import Source
from paperround.http.model import FetchRequest, HttpClient, Page
from paperround.papers.figures import FigureFolder

LONGEST_WAIT = timedelta(seconds=60)
"""How long a poll waits for its turn; otherwise it is put off."""

LONGEST_RESPONSE = timedelta(seconds=60)
"""How long a turn is held when it is unknown whether its process is alive: twice the limit of one
response. A dead process on the same machine holds none."""

SHORTEST_BREAK = timedelta(minutes=10)
"""How long all feeds leave a service alone after it reports overload."""

_OVERLOADED = frozenset({429, 503})


Found = TypeVar("Found")


def wait(seconds: float) -> None:
    """Sleep for that many seconds."""
    Event().wait(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedContext:
    """The dependencies of reading feeds. `pause` sleeps for some seconds, `figures` is None where
    figures are off."""

    database: Database
    client: HttpClient
    sources: Mapping[str, Source[Any]]
    clock: Clock
    processes: Processes
    pause: Callable[[float], None] = wait
    figures: FigureFolder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """One user's part of a service. `name` is the key of its counter and its own breaker."""

    name: str
    rates: tuple[Rate, ...]


def ask(
    context: FeedContext,
    request: FetchRequest,
    parse: Callable[[Page], Found],
    quota: Quota | None = None,
) -> tuple[Page, Found]:
    """Send `request` as soon as the service allows it; return the page and its parsed content.

    Raises RateLimited when the wait is too long or a budget is spent, and the errors of fetching
    and parsing. A service that reports overload is paused.
    """
    with _hold_turn(context, request, quota):
        _spend_budgets(context, request, quota)
        try:
            page = context.client.get(request)
            return page, parse(page)
        except FetchFailed as error:  # within the turn: no other request before the breaker is open
            if is_overload(error) and request.limiter:
                _open_breaker(context, request.limiter, quota, error.retry_after)
            raise


def is_overload(error: FetchFailed) -> bool:
    """Return whether the service reports overload, with any status: GitHub uses 403."""
    return error.status in _OVERLOADED or error.retry_after is not None


@contextmanager
def _hold_turn(context: FeedContext, request: FetchRequest, quota: Quota | None) -> Iterator[None]:
    """Hold a turn until the response is complete. Raises RateLimited when it is far off."""
    if not request.limiter:
        yield
        return
    database, limiter = context.database, request.limiter
    turn = Turn(interval=timedelta(seconds=request.interval_seconds), lease=LONGEST_RESPONSE)

    def take(work: Transaction) -> datetime | None:
        paused_until = work[Limiter].open_until(quota.name, now=now) if quota else None
        return paused_until or work[Limiter].take(limiter, turn, context.processes, now=now)

    began = now = context.clock.now()
    while (retry_at := write(database, take)) is not None:
        seconds = (retry_at - now).total_seconds()
        if retry_at - began > LONGEST_WAIT:
            reason = f"{limiter} must not be queried before {retry_at:%H:%M} UTC"
            raise RateLimited(reason, retry_after=seconds)
        context.pause(seconds)
        now = max(retry_at, context.clock.now())
    try:
        yield
    finally:
        end = context.clock.now()
        write(database, lambda work: work[Limiter].release(limiter, turn, taken_at=now, now=end))


def _spend_budgets(context: FeedContext, request: FetchRequest, quota: Quota | None) -> None:
    """Count the request in the quota and the service's budget, or in neither.

    Raises RateLimited when one of them is spent.
    """
    budgets = {quota.name: quota.rates} if quota is not None else {}
    budgets |= {f"service/{request.limiter}": request.budget} if request.limiter else {}
    now = context.clock.now()

    def spend(work: Transaction) -> None:
        for key, rates in budgets.items():
            wait = work[RateStore].hit(key, rates, now=now) if rates else None
            if wait is not None:
                reason = f"the request budget of {key.rpartition('/')[2]} is used up"
                raise RateLimited(reason, retry_after=wait)

    write(context.database, spend)


def _open_breaker(
    context: FeedContext, limiter: str, quota: Quota | None, retry_after: float | None
) -> None:
    """Pause the service for as long as it demands. With a quota, the quota is paused for that long
    and the whole service for the shortest time."""
    now = context.clock.now()
    until = now + max(SHORTEST_BREAK, timedelta(seconds=retry_after or 0))
    ends = {limiter: until} if quota is None else {limiter: now + SHORTEST_BREAK, quota.name: until}

    def trip(work: Transaction) -> None:
        for name, end in sorted(ends.items()):
            work[Limiter].trip(name, until=end, now=now)

    write(context.database, trip)
