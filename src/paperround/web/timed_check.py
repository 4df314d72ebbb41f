"""Run a check that may hang, and wait only a few seconds for it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Generic, TypeVar

T = TypeVar("T")

SECONDS = 5.0
"""How long to wait for a check."""


class TimedCheck(Generic[T]):
    """A check in a thread of its own, one at a time.

    A query to a database that is gone may never return. However often the check is requested
    meanwhile, only one thread waits, and none of those that serve pages.
    """

    def __init__(self, check: Callable[[], T], *, seconds: float = SECONDS) -> None:
        self._check = check
        self._seconds = seconds
        self._lock = Lock()
        self._running: Future[T | None] | None = None

    async def result(self) -> T | None:
        """Return what the check returns, None if it takes too long or fails."""
        waiting = asyncio.wrap_future(self._start())
        try:
            return await asyncio.wait_for(asyncio.shield(waiting), self._seconds)
        except TimeoutError:
            return None

    def _start(self) -> Future[T | None]:
        with self._lock:
            if self._running is None or self._running.done():
                self._running = Future()
                Thread(target=self._run, args=(self._running,), daemon=True).start()
            return self._running

    def _run(self, found: Future[T | None]) -> None:
        try:
            found.set_result(self._check())
        finally:
            if not found.done():  # it failed, and the thread's end logs why
                found.set_result(None)
