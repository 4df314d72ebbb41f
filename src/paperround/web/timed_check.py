"""Run a check that may hang, and wait for it a few seconds only."""

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

    A database that is gone may leave a question without an answer. However often somebody asks
    meanwhile, one thread waits, and none of those that serve pages is needed.
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
