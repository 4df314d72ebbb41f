"""What the jobs of this process came to, for whoever watches it."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counts since the process began. Safe for threads."""

    _done: Counter[tuple[str, str]] = field(default_factory=Counter)
    _running: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def running(self, task: str) -> Iterator[None]:
        """A job runs as long as this lasts."""
        with self._lock:
            self._running[task] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[task] -= 1

    def ended(self, task: str, *, well: bool) -> None:
        """A job has ended."""
        with self._lock:
            self._done[task, "done" if well else "failed"] += 1

    def done(self) -> Mapping[tuple[str, str], int]:
        """How many jobs of each task were `done` or `failed`."""
        with self._lock:
            return dict(self._done)

    def busy(self) -> Mapping[str, int]:
        """How many jobs of each task run just now."""
        with self._lock:
            return {task: count for task, count in self._running.items() if count}
