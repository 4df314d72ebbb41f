"""Jobs in threads of one process, for an installation on one machine.

    put ──► waiting ──(its time has come)──► running ──► done
               ▲                                │
               └────(raised, tries are left)────┤
                                                └──(no use in another try)──► given up, logged

Nothing here outlives the process: whoever starts it again finds the work in the database and puts
it again. A job may end with the process, then, but is never lost while the process lives.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from paperround.domain.times import require_utc
from paperround.domain.work import Job
from paperround.queue.retries import put_again
from paperround.queue.tasks import Task, Tasks
from paperround.queue.waiting import WaitingJobs

LONGEST_SLEEP = timedelta(seconds=30)
"""How long a thread waits for a later job before it looks at the clock again: clocks jump."""

_log = logging.getLogger(__name__)


class ThreadQueue:
    """Runs jobs on the caller's thread (`run_until_idle`) or on its own (`start`, `stop`)."""

    def __init__(self, *, now: Callable[[], datetime], threads: int = 2) -> None:
        self._now = now
        self._tasks = Tasks()
        self._waiting = WaitingJobs()
        self._changed = threading.Condition()
        self._stopping = False
        self._wanted = threads
        self._threads: list[threading.Thread] = []

    def register(self, task: str, run: Task) -> None:
        """Say what `task` means; raises ValueError when the name is taken."""
        self._tasks.register(task, run)

    def put(self, job: Job) -> bool:
        """Take the job; False when one with its lock waits that is due as early. Raises NotFound
        for an unknown task."""
        self._tasks.require(job)
        with self._changed:
            taken = self._waiting.add(job)
            self._changed.notify()
        return taken

    def run_until_idle(self, *, now: datetime) -> int:
        """Run what is due at `now`, and what that adds; returns how many jobs ran."""
        moment = require_utc(now)
        ran = 0
        while (job := self._take(moment)) is not None:
            self._run(job, lambda: moment)
            ran += 1
        return ran

    def start(self) -> None:
        """Begin running jobs in the background."""
        with self._changed:
            self._stopping = False
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            for _ in range(self._wanted - len(self._threads)):
                thread = threading.Thread(target=self._work, name="paperround-jobs", daemon=True)
                self._threads.append(thread)
                thread.start()

    def stop(self, *, drain_seconds: float) -> bool:
        """Take nothing new, finish what runs; True when all of it ended in time."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        end = time.monotonic() + drain_seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        if len(self._waiting):
            _log.info(
                "%d jobs still wait; the next start finds their work again", len(self._waiting)
            )
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while (job := self._await_job()) is not None:
            self._run(job, self._now)

    def _take(self, now: datetime) -> Job | None:
        with self._changed:
            return self._waiting.take(now)

    def _await_job(self) -> Job | None:
        """The next job that is due, None once the queue is stopping."""
        with self._changed:
            while not self._stopping:
                now = self._now()
                job = self._waiting.take(now)
                if job is not None:
                    return job
                due = self._waiting.next_at()
                pause = None if due is None else min(due - now, LONGEST_SLEEP).total_seconds()
                self._changed.wait(pause)
        return None

    def _run(self, job: Job, now: Callable[[], datetime]) -> None:
        failure: Exception | None = None
        try:
            self._tasks.run(job)
        except Exception as error:  # the job edge: one failure never stops the others
            failure = error
        with self._changed:
            self._waiting.done(job)
            self._changed.notify()
        if failure is not None:
            put_again(job, failure, self.put, now())
