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
    """First come, first served, but for those whom somebody waits for: they are next. Safe to share
    between threads."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._taken = False
        self._waiting = deque[Lock]()

    @contextmanager
    def turn(self, seconds: float, *, is_next: bool = False) -> Iterator[None]:
        """Wait for the turn, and have it meanwhile. Whoever waited that long goes on without one:
        what holds them up is for the database to say. `is_next`: before all others that wait. One
        thread that does so keeps nobody out, as another is served before it comes again."""
        has_turn = self._take(seconds, is_next=is_next)
        try:
            yield
        finally:
            if has_turn:
                self._pass_on()

    def _take(self, seconds: float, *, is_next: bool) -> bool:
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            mine = Lock()
            mine.acquire()
            if is_next:
                self._waiting.appendleft(mine)
            else:
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
