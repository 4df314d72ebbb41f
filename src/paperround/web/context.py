"""Dependencies of handlers: the application context, the time, the client, rate limits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from starlette.exceptions import HTTPException

from paperround.access.rate_limiter import client_and_network
from paperround.bootstrap import AppContext
from paperround.core.errors import DatabaseFailed, RateLimited
from paperround.core.languages import marked
from paperround.self_service.preferences import language_kept
from paperround.web.cache import RATE_STATUSES
from paperround.web.language import set_language
from paperround.web.security import CLIENT
from paperround.web.templates import PUBLIC_HEADERS


def get_app(request: Request) -> AppContext:
    """Return the application context."""
    runtime: AppContext = request.app.state.runtime
    return runtime


def get_now(request: Request) -> datetime:
    """Return the current time, read from the clock once for each request."""
    return get_app(request).clock.now()


def get_client(request: Request) -> str | None:
    """Return the client's IP address, as the security middleware determined it."""
    address: str | None = request.scope.get(CLIENT)
    return address


def check_rate_limit(request: Request, cost: int = 1) -> None:
    """Count this request as `cost` requests of its client. Raises RateLimited above the limit."""
    limiter, client, now = get_app(request).visitor_limiter, get_client(request), get_now(request)
    try:
        limiter.check_rate_limit(client, now=now, cost=cost)
    finally:
        status = limiter.rate_limit_status(client, now=now)
        if status is not None:
            request.scope[RATE_STATUSES].append(status)


def use_reader_language(request: Request, token: str) -> None:
    """Use the language chosen by the reader of the link `token`. Without a database keep the
    browser's language; the handler reports the failure."""
    with suppress(DatabaseFailed):
        set_language(language_kept(get_app(request).signup_context, token))


def allow_caching(response: Response) -> None:
    """Let caches keep the response for a minute, if the handler returns a value."""
    response.headers.update(PUBLIC_HEADERS)


def _depends(function: Callable[[Request], object]) -> Any:
    # `async`, because FastAPI runs a plain `def` in a thread, which takes longer than most
    # handlers.
    async def call(request: Request) -> object:
        return function(request)

    return Depends(call)


App = Annotated[AppContext, _depends(get_app)]
Now = Annotated[datetime, _depends(get_now)]
Client = Annotated[str | None, _depends(get_client)]
RATE_LIMITED = _depends(check_rate_limit)
"""Dependency of a route whose requests count against the client's rate limit, as a search does."""
IN_READER_LANGUAGE = Depends(use_reader_language)
"""Dependency of routes behind a personal link: pages are in the reader's language, even if the link
is no longer valid."""
CACHEABLE = Depends(allow_caching)
"""Dependency of a route whose response is the same for everybody, so caches may keep it."""


# Expensive requests: two run at a time, one for each client, and each counts as several requests.
# Pages, and previews before a sign-up, have slots of their own.
#
#     request ─► rate limit of its client and network ─► 429
#       ─► wait half a second for a slot, without a thread ─► the client's own is running: 429
#                                                         └─► others' are running: 503

MOST_AT_ONCE = 2
MOST_PAGES = 4
MAX_WAIT, MAX_PAGE_WAIT, POLL_INTERVAL = 0.5, 5.0, 0.05
"""Seconds that a request waits for a slot, that one for a page does, and between two attempts."""
RETRY_AFTER = 2

SEARCH_COST, DIGEST_COST = 5, 10
"""Costs of a search and of a personal digest, in requests."""


class CostlyTurns:
    """The slots for expensive requests in one process. It is used in the event loop only."""

    def __init__(self, most: int = MOST_AT_ONCE, max_wait: float = MAX_WAIT) -> None:
        self._most, self._max_wait = most, max_wait
        self._running: set[str] = set()

    def acquire(self, client: str) -> bool:
        """Acquire a slot; return whether one was free for this client."""
        is_free = client not in self._running and len(self._running) < self._most
        self._running |= {client} if is_free else set()
        return is_free

    def release(self, client: str) -> None:
        """Release the slot."""
        self._running.discard(client)

    async def wait(self, client: str) -> None:
        """Acquire a slot as soon as one is free.

        Raises RateLimited if the client keeps its own for too long, HTTPException if others do.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._max_wait
        while not self.acquire(client):
            if loop.time() >= ends:
                raise self._refusal(client)
            await asyncio.sleep(POLL_INTERVAL)

    def _refusal(self, client: str) -> Exception:
        if client in self._running:
            return RateLimited(
                marked("your previous request is still running: try again in a moment"),
                retry_after=RETRY_AFTER,
            )
        return HTTPException(
            503,
            marked("Too many requests right now. Please try again in a moment."),
            headers={"Retry-After": str(RETRY_AFTER)},
        )


def costly(cost: int, slots: str = "turns") -> Any:
    """Return a dependency of an expensive route: it counts as `cost` requests and waits for a slot.
    The slot is released when the handler ends, so a client that reads slowly blocks no other."""

    async def turn(request: Request) -> AsyncIterator[None]:
        if cost:
            check_rate_limit(request, cost)
        limiter: CostlyTurns = getattr(request.app.state, slots)
        address, network = client_and_network(get_client(request))
        client = network if ":" in network else address
        await limiter.wait(client)
        try:
            yield
        finally:
            limiter.release(client)

    return Depends(turn, scope="function")


PAGE_TURN = costly(0, "page_turns")
"""Dependency of a page for everybody that is not rate-limited: of those that are not in the cache,
MOST_PAGES are rendered at a time, one for each client."""
