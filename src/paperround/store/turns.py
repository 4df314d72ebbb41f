"""Turns of the threads of one process that want to write to one SQLite file.

SQLite has its writers look again after longer and longer pauses, up to a tenth of a second, and
whoever looks at the right moment is next: one who writes all the time keeps the others out for
minutes. In a queue each goes when it is their turn, and at once. Other processes look again as
ever.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Turns:
    """First come, first served. Safe to share between threads."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._taken = False
        self._waiting = deque[Lock]()

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Wait for the turn, and have it meanwhile. Whoever waited that long goes on without one:
        what holds them up is for the database to say."""
        has_turn = self._take(seconds)
        try:
            yield
        finally:
            if has_turn:
                self._pass_on()

    def _take(self, seconds: float) -> bool:
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            mine = Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=seconds):
            return True
        with self._guard:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        return True  # it was handed over in the last moment

    def _pass_on(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
