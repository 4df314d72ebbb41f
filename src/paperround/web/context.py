"""What handlers get from a request: the runtime, the present, who asks; a turn at what costs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from threading import Lock
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from starlette.exceptions import HTTPException

from paperround.access.rate_limiter import client_and_network
from paperround.bootstrap import AppContext
from paperround.core.errors import DatabaseFailed, RateLimited
from paperround.core.languages import marked
from paperround.self_service.preferences import language_kept
from paperround.web.cache import STANDINGS
from paperround.web.language import speak_to
from paperround.web.security import CLIENT
from paperround.web.templates import KEPT


def runtime_of(request: Request) -> AppContext:
    """The installation that serves the request."""
    runtime: AppContext = request.app.state.runtime
    return runtime


def now_of(request: Request) -> datetime:
    """The present, read once for each request."""
    return runtime_of(request).clock.now()


def client_of(request: Request) -> str | None:
    """The client's address as the guard found it."""
    address: str | None = request.scope.get(CLIENT)
    return address


def be_patient(request: Request, cost: int = 1) -> None:
    """Count a visit of the client as `cost` visits; raises RateLimited when that is too much."""
    visits, client, now = runtime_of(request).visits, client_of(request), now_of(request)
    try:
        visits.require_patience(client, now=now, cost=cost)
    finally:
        standing = visits.standing(client, now=now)
        if standing is not None:
            request.scope[STANDINGS].append(standing)


def speak_to_reader(request: Request, token: str) -> None:
    """Speak the language that the reader keeps whose link `token` is; that of the browser while the
    database is away, which is for the handler to say."""
    with suppress(DatabaseFailed):
        speak_to(language_kept(runtime_of(request).desk, token))


def keep_a_minute(response: Response) -> None:
    """Let caches keep what a handler gives back as a value."""
    response.headers.update(KEPT)


# What handlers depend on is looked up on the spot: for a plain `def` the framework goes to another
# thread and back, which costs more than most handlers do.


async def _home(request: Request) -> AppContext:
    return runtime_of(request)


async def _present(request: Request) -> datetime:
    return now_of(request)


async def _client(request: Request) -> str | None:
    return client_of(request)


async def _visit(request: Request) -> None:
    be_patient(request)


Home = Annotated[AppContext, Depends(_home)]
Present = Annotated[datetime, Depends(_present)]
Client = Annotated[str | None, Depends(_client)]
PATIENT = Depends(_visit)
"""Among a route's dependencies: its visitors are counted as those of the search."""
TO_ITS_READER = Depends(speak_to_reader)
"""Among the dependencies of what stands behind a link of one's own: pages are in the language of
its reader, whatever it is still good for."""
LASTING_A_MINUTE = Depends(keep_a_minute)
"""Among a route's dependencies: its answer is the same for everybody."""


# Requests that cost much: two of them run at a time, one of each client, and each counts as
# several visits.
#
#     asked ─► counted against the rate of its client and network ─► 429
#       ─► waits half a second for a turn, without a thread ─► its client's own has not ended: 429
#                                                          └─► those of others have not: 503

MOST_AT_ONCE = 2
PATIENCE, PAUSE = 0.5, 0.05
"""Seconds that a request waits for its turn, and looks for it again."""
RETRY_AFTER = 2

SEARCH, DIGEST = 5, 10
"""What a search and a digest of somebody's own count as."""


class CostlyTurns:
    """Who runs what costs much in one process. Safe to share between threads."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._lock = Lock()
        self._running: set[str] = set()

    def take(self, client: str) -> bool:
        """Take a turn, if there is one for this client."""
        with self._lock:
            is_free = client not in self._running and len(self._running) < MOST_AT_ONCE
            self._running |= {client} if is_free else set()
            return is_free

    def end(self, client: str) -> None:
        """Give the turn back."""
        with self._lock:
            self._running.discard(client)

    async def wait(self, client: str) -> None:
        """Take a turn as soon as there is one.

        Raises RateLimited where the client has one for too long, HTTPException where others have.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._patience
        while not self.take(client):
            if loop.time() >= ends:
                raise self._refusal(client)
            await asyncio.sleep(PAUSE)

    def _refusal(self, client: str) -> Exception:
        with self._lock:
            is_own = client in self._running
        if is_own:
            return RateLimited(
                marked("another request of yours is still being answered: try again in a moment"),
                retry_after=RETRY_AFTER,
            )
        return HTTPException(
            503,
            marked("Too many people ask for that just now. Please try again in a moment."),
            headers={"Retry-After": str(RETRY_AFTER)},
        )


def costly(cost: int) -> Any:
    """Among a route's dependencies: it counts as `cost` visits, and waits for its turn. The turn
    ends with the handler: somebody who reads the answer slowly holds up nobody."""

    async def turn(request: Request) -> AsyncIterator[None]:
        be_patient(request, cost)
        turns: CostlyTurns = request.app.state.turns
        address, network = client_and_network(client_of(request))
        client = network if ":" in network else address
        await turns.wait(client)
        try:
            yield
        finally:
            turns.end(client)

    return Depends(turn, scope="function")
