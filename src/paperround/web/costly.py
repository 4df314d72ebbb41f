"""Requests that cost much: two of them run at a time, one of each client, and each counts as
several visits.

    asked ─► counted against the rate of its client and network ─► 429
      ─► waits half a second for a turn, without a thread ─► its client's own has not ended: 429
                                                         └─► those of others have not: 503
"""

import asyncio
from collections.abc import AsyncIterator
from threading import Lock
from typing import Any

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from paperround.domain.errors import RateLimited
from paperround.domain.languages import marked
from paperround.jobs.signup_limits import client_and_network
from paperround.web.home import be_patient, client_of

MOST_AT_ONCE = 2
PATIENCE, PAUSE = 0.5, 0.05
"""Seconds that a request waits for its turn, and looks for it again."""
RETRY_AFTER = 2

SEARCH, DIGEST = 5, 10
"""What a search and a digest of somebody's own count as."""


class Turns:
    """Who runs what costs much in one process. Safe to share between threads."""

    def __init__(self, most: int = MOST_AT_ONCE, patience: float = PATIENCE) -> None:
        self._most, self._patience = most, patience
        self._lock = Lock()
        self._running: set[str] = set()

    def take(self, client: str) -> bool:
        """Take a turn, if there is one for this client."""
        with self._lock:
            is_free = client not in self._running and len(self._running) < self._most
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
        turns: Turns = request.app.state.turns
        address, network = client_and_network(client_of(request))
        client = network if ":" in network else address
        await turns.wait(client)
        try:
            yield
        finally:
            turns.end(client)

    return Depends(turn, scope="function")
