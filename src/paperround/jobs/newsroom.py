"""The newsroom: what reading live feeds needs, and how a service is asked in its turn.

request ─► turn of its service ─► far off, or its breaker open: not now
                 └─► near: wait ─► fetch ─► parse ─► turn released        429, 503 ─► breaker

A turn lasts from the request to the end of its answer: a service is asked over one connection at a
time by all processes on the database.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Protocol, TypeVar

from paperround.domain.errors import FetchFailed, RateLimited
from paperround.domain.feeds import FetchRequest, Page
from paperround.domain.limits import Turn
from paperround.jobs.ports import Client, Clock, Database, Processes, Source, Witness
from paperround.jobs.transactions import write

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
class Newsroom:
    """What reading feeds needs. `pause` lets seconds pass until a service may be asked again;
    `witnesses` are those that can be heard of a kind of feed that looks stale."""

    database: Database
    client: Client
    sources: Mapping[str, Source]
    clock: Clock
    processes: Processes
    pause: Callable[[float], None] = wait
    witnesses: Mapping[str, Witness] = field(default_factory=dict)


class Asked(Protocol[Found]):
    """Who asks a service, and understands its answer."""

    def fetch(self, client: Client, request: FetchRequest) -> Page: ...

    def parse(self, page: Page) -> Found: ...


def ask(newsroom: Newsroom, source: Asked[Found], request: FetchRequest) -> tuple[Page, Found]:
    """The answer to `request` and what it holds, as soon as the service may be asked.

    Raises RateLimited when that is too far off, and what fetching and parsing raise. A service
    that says it is asked too much is left alone from then on.
    """
    with _turn(newsroom, request):
        try:
            page = source.fetch(newsroom.client, request)
            return page, source.parse(page)
        except FetchFailed as error:  # within the turn: nobody asks before the breaker is open
            if error.status in _OVERLOADED and request.limiter:
                _trip(newsroom, request.limiter, error.retry_after)
            raise


@contextmanager
def _turn(newsroom: Newsroom, request: FetchRequest) -> Iterator[None]:
    """Our turn of the service, from the moment it is ours to the end of the answer."""
    if not request.limiter:
        yield
        return
    turn = Turn(interval=timedelta(seconds=request.interval_seconds), lease=LONGEST_ANSWER)
    taken_at = _awaited(newsroom, request, turn)
    try:
        yield
    finally:
        now = newsroom.clock.now()
        write(
            newsroom.database,
            lambda work: work.limiter.release(request.limiter, turn, taken_at=taken_at, now=now),
        )


def _awaited(newsroom: Newsroom, request: FetchRequest, turn: Turn) -> datetime:
    """When our turn began. Raises RateLimited when it is too far off."""
    began = now = newsroom.clock.now()
    while (look_at := _take(newsroom, request.limiter, turn, now)) is not None:
        if look_at - began > LONGEST_PAUSE:
            raise _busy(request, look_at, now)
        newsroom.pause((look_at - now).total_seconds())
        now = max(look_at, newsroom.clock.now())
    return now


def _take(newsroom: Newsroom, limiter: str, turn: Turn, now: datetime) -> datetime | None:
    return write(
        newsroom.database,
        lambda work: work.limiter.take(limiter, turn, newsroom.processes, now=now),
    )


def _busy(request: FetchRequest, turn: datetime, now: datetime) -> RateLimited:
    seconds = (turn - now).total_seconds()
    return RateLimited(
        f"{request.limiter} may not be asked again before {turn:%H:%M} UTC", retry_after=seconds
    )


def _trip(newsroom: Newsroom, limiter: str, retry_after: float | None) -> None:
    now = newsroom.clock.now()
    until = now + max(SHORTEST_BREAK, timedelta(seconds=retry_after or 0))
    write(newsroom.database, lambda work: work.limiter.trip(limiter, until=until, now=now))
