"""The jobs nobody has taken yet. Not safe for threads by itself: its owner holds a lock."""

import heapq
from datetime import datetime
from itertools import count

from paperround.domain.times import require_utc
from paperround.domain.work import Job


class WaitingJobs:
    """Jobs whose time has come, by priority and then age, and the others, by time."""

    def __init__(self) -> None:
        self._ready: list[tuple[int, int, Job]] = []
        self._later: list[tuple[datetime, int, Job]] = []
        self._locks: set[str] = set()
        self._ages = count()

    def __len__(self) -> int:
        return len(self._ready) + len(self._later)

    def add(self, job: Job) -> bool:
        """Keep `job`; False when one with its lock waits already. Refuses a naive `not_before`."""
        due = None if job.not_before is None else require_utc(job.not_before)
        if job.lock is not None:
            if job.lock in self._locks:
                return False
            self._locks.add(job.lock)
        if due is None:
            heapq.heappush(self._ready, (job.priority, next(self._ages), job))
        else:
            heapq.heappush(self._later, (due, next(self._ages), job))
        return True

    def take(self, now: datetime) -> Job | None:
        """The most urgent job that is due at `now`, no longer waiting; None when none is due."""
        while self._later and self._later[0][0] <= now:
            _, age, job = heapq.heappop(self._later)
            heapq.heappush(self._ready, (job.priority, age, job))
        if not self._ready:
            return None
        job = heapq.heappop(self._ready)[2]
        if job.lock is not None:
            self._locks.remove(job.lock)
        return job

    def next_at(self) -> datetime | None:
        """When the first of the jobs that are not due yet becomes due."""
        return self._later[0][0] if self._later else None
