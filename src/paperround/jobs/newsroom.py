"""The newsroom: what reading live feeds needs, and how a service is asked in its turn.

request ─► turn of its service ─► far off, or its breaker open: not now
                 └─► near: wait ─► fetch ─► parse          429, 503 ─► breaker
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Protocol

from paperround.domain.errors import FetchFailed, RateLimited
from paperround.domain.feeds import FetchRequest, Page
from paperround.domain.papers import ParsedBatch
from paperround.jobs.ports import Client, Clock, Database, Source, UnitOfWork
from paperround.jobs.transactions import write

LONGEST_PAUSE = timedelta(seconds=60)
"""How long a poll waits for its turn; a turn that is farther off is another poll's."""

SHORTEST_BREAK = timedelta(minutes=10)
"""How long a service is left alone, by every feed, after it said that it is asked too much."""

_OVERLOADED = frozenset({429, 503})


class Service(Protocol):
    """What can be asked, and can read its own answers."""

    def fetch(self, client: Client, request: FetchRequest) -> Page: ...

    def parse(self, page: Page) -> ParsedBatch: ...


def wait(seconds: float) -> None:
    """Let the thread rest for that long."""
    Event().wait(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsroom:
    """What reading feeds needs. `pause` lets seconds pass until a service may be asked again."""

    database: Database
    client: Client
    sources: Mapping[str, Source]
    clock: Clock
    pause: Callable[[float], None] = wait


def ask(newsroom: Newsroom, source: Service, request: FetchRequest) -> tuple[Page, ParsedBatch]:
    """The answer to `request` and what it holds, as soon as the service may be asked.

    Raises RateLimited when that is too far off, and what fetching and parsing raise. A service
    that says it is asked too much is left alone from then on.
    """
    _await_turn(newsroom, request)
    try:
        page = source.fetch(newsroom.client, request)
        return page, source.parse(page)
    except FetchFailed as error:
        if error.status in _OVERLOADED and request.limiter:
            _trip(newsroom, request.limiter, error.retry_after)
        raise


def _await_turn(newsroom: Newsroom, request: FetchRequest) -> None:
    if not request.limiter:
        return
    now = newsroom.clock.now()
    turn = write(newsroom.database, lambda work: _turn(work, request, now))
    if turn - now > LONGEST_PAUSE:
        raise _busy(request, turn, now)
    if turn > now:
        newsroom.pause((turn - now).total_seconds())
        now = max(turn, newsroom.clock.now())
    with newsroom.database.reading() as work:
        opened = work.limiter.open_until(request.limiter, now=now)
    if opened is not None:
        raise _busy(request, opened, now)


def _turn(work: UnitOfWork, request: FetchRequest, now: datetime) -> datetime:
    """Our turn; while the breaker is open its end, without using up a turn."""
    opened = work.limiter.open_until(request.limiter, now=now)
    if opened is not None and opened - now > LONGEST_PAUSE:
        return opened
    return work.limiter.reserve(request.limiter, interval_seconds=request.interval_seconds, now=now)


def _busy(request: FetchRequest, turn: datetime, now: datetime) -> RateLimited:
    seconds = (turn - now).total_seconds()
    return RateLimited(
        f"{request.limiter} may not be asked again before {turn:%H:%M} UTC", retry_after=seconds
    )


def _trip(newsroom: Newsroom, limiter: str, retry_after: float | None) -> None:
    now = newsroom.clock.now()
    until = now + max(SHORTEST_BREAK, timedelta(seconds=retry_after or 0))
    write(newsroom.database, lambda work: work.limiter.trip(limiter, until=until, now=now))
