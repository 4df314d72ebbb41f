"""Work that makes many values at once, and no cycles of them.

Python's collector of cycles looks at all new values after every seven hundred, and now and then at
everything there is. While a page of readers is planned tens of thousands come and go: looking at
them takes a tenth of the time, and finds nothing.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Calm:
    """Keeps the collector away while anybody works. Threads may share one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._workers = 0
        self._was_on = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """No cycles are looked for meanwhile; whoever ends last lets it begin again."""
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def _enter(self) -> None:
        with self._lock:
            if not self._workers:
                self._was_on = gc.isenabled()
                gc.disable()
            self._workers += 1

    def _leave(self) -> None:
        with self._lock:
            self._workers -= 1
            if not self._workers and self._was_on:
                gc.enable()


calm = Calm()
"""The one of this process, as there is one collector."""
