"""The jobs nobody has taken yet. Not safe for threads by itself: its owner holds a lock."""

import heapq
from datetime import datetime
from itertools import count

from paperround.domain.times import require_utc
from paperround.domain.work import Job


class WaitingJobs:
    """Jobs whose time has come, by priority and then age, and the others, by time.

    Of jobs with one lock, one may run and one may wait: a job that is taken keeps its lock until
    `done`, and the one that waits for it is passed over that long. A job that is due earlier takes
    the place of the one that waits: who asks for work now need not wait for another's next try.
    """

    def __init__(self) -> None:
        self._ready: list[tuple[int, int, Job]] = []
        self._later: list[tuple[datetime, int, Job]] = []
        self._locks: set[str] = set()
        self._running: set[str] = set()
        self._held: dict[str, tuple[int, int, Job]] = {}
        self._ages = count()

    def __len__(self) -> int:
        return len(self._ready) + len(self._later) + len(self._held)

    def add(self, job: Job) -> bool:
        """Keep `job`; False when one with its lock waits that is due as early. Refuses a naive
        `not_before`."""
        due = None if job.not_before is None else require_utc(job.not_before)
        if job.lock is not None:
            if job.lock in self._locks and not self._drop_later(job.lock, due):
                return False
            self._locks.add(job.lock)
        if due is None:
            heapq.heappush(self._ready, (job.priority, next(self._ages), job))
        else:
            heapq.heappush(self._later, (due, next(self._ages), job))
        return True

    def _drop_later(self, lock: str, due: datetime | None) -> bool:
        """Drop the job that waits with `lock`, if it waits for a time after `due`."""
        kept = [
            entry
            for entry in self._later
            if entry[2].lock != lock or (due is not None and entry[0] <= due)
        ]
        dropped = len(kept) < len(self._later)
        if dropped:
            heapq.heapify(kept)
            self._later = kept
        return dropped

    def take(self, now: datetime) -> Job | None:
        """The most urgent job that is due at `now`, no longer waiting; None when none is due."""
        while self._later and self._later[0][0] <= now:
            _, age, job = heapq.heappop(self._later)
            heapq.heappush(self._ready, (job.priority, age, job))
        while self._ready:
            entry = heapq.heappop(self._ready)
            job = entry[2]
            if job.lock is None:
                return job
            if job.lock not in self._running:
                self._locks.remove(job.lock)
                self._running.add(job.lock)
                return job
            self._held[job.lock] = entry
        return None

    def done(self, job: Job) -> None:
        """A job that was taken has ended: whoever waited for its lock may run."""
        if job.lock is None:
            return
        self._running.discard(job.lock)
        waiting = self._held.pop(job.lock, None)
        if waiting is not None:
            heapq.heappush(self._ready, waiting)

    def next_at(self) -> datetime | None:
        """When the first of the jobs that are not due yet becomes due."""
        return self._later[0][0] if self._later else None
