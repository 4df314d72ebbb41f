"""Counts and durations of this process since it started, for `/metrics`.

They are lost when a process ends, as Prometheus expects; lasting counts are in the database.
Labels come from a fixed set: no path, no address, nothing a visitor chose.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: a duration counts in the first bucket whose bound it does not exceed."""

Labels = tuple[str, ...]


class LabelledCounts:
    """Counts by labels. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts = Counter[Labels]()

    def add(self, *labels: str) -> None:
        """Count one more."""
        with self._lock:
            self._counts[labels] += 1

    def values(self) -> dict[Labels, int]:
        """Return the counts."""
        with self._lock:
            return dict(self._counts)


@dataclass(slots=True)
class Durations:
    """The number of durations per bucket (the last has no upper bound), and their sum."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0


class LabelledDurations:
    """Durations by labels. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._all: dict[Labels, Durations] = {}

    def add(self, seconds: float, *labels: str) -> None:
        """Count a duration."""
        with self._lock:
            found = self._all.setdefault(labels, Durations())
            found.counts[bisect_left(BOUNDS, seconds)] += 1
            found.seconds += seconds

    def values(self) -> Mapping[Labels, Durations]:
        """Return a copy of the durations."""
        with self._lock:
            return {one: Durations([*its.counts], its.seconds) for one, its in self._all.items()}


ATTEMPTS = LabelledCounts()
"""Messages offered to a relay or a channel, by state and by class of the reply."""

REQUESTS = LabelledDurations()
"""Requests by route and by class of the status, such as `2xx`."""
