"""Run jobs in threads of one process, for an installation on one machine.

    put ──► waiting ──► running ──► done (or failed, and logged)

Nothing here outlives the process: the next start finds the work in the database and enqueues it
again. While the process lives, no job is lost.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping

from paperround.core.errors import NotFound, PaperroundError
from paperround.core.jobs import Job

Arguments = Mapping[str, str | int]
Task = Callable[[Arguments], None]


class Tasks:
    """Tasks by name."""

    def __init__(self) -> None:
        self._by_name: dict[str, Task] = {}

    def register(self, task: str, run: Task) -> None:
        """Add `task`; raises ValueError when the name is taken."""
        if task in self._by_name:
            raise ValueError(f"the task {task!r} is registered already")
        self._by_name[task] = run

    @property
    def names(self) -> list[str]:
        """The names of the registered tasks, sorted."""
        return sorted(self._by_name)

    def require(self, task: str) -> None:
        """Raise NotFound when the task is not registered."""
        if task not in self._by_name:
            known = ", ".join(self.names) or "none"
            raise NotFound(f"no task is called {task!r}; there are: {known}")

    def run(self, task: str, arguments: Arguments) -> bool:
        """Run a task in this thread and return whether it succeeded. A failure is logged,
        with a traceback unless it is a PaperroundError."""
        try:
            self._by_name[task](arguments)
        except PaperroundError as error:
            _log.error("job %s failed: %s", task, error)
        except Exception as error:  # one failure never stops the other jobs
            _log.error("job %s failed: %s", task, type(error).__name__, exc_info=error)
        else:
            return True
        return False


_log = logging.getLogger(__name__)


class ThreadQueue:
    """Runs jobs in threads of its own."""

    def __init__(self, *, threads: int = 2) -> None:
        self._tasks = Tasks()
        self._waiting: list[Job] = []
        self._locked: set[str] = set()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread_count = threads
        self._threads: list[threading.Thread] = []

    def register(self, task: str, run: Task) -> None:
        """Add `task`; raises ValueError when the name is taken."""
        self._tasks.register(task, run)

    def put(self, job: Job) -> bool:
        """Enqueue `job`, unless one with its lock waits. Raises NotFound for an unknown task."""
        self._tasks.require(job.task)
        with self._changed:
            if job.lock is not None and any(one.lock == job.lock for one in self._waiting):
                return False
            self._waiting.append(job)
            self._changed.notify()
        return True

    def start(self) -> None:
        """Start the threads that run jobs."""
        with self._changed:
            self._stopping = False
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            for _ in range(self._thread_count - len(self._threads)):
                thread = threading.Thread(target=self._work, name="paperround-jobs", daemon=True)
                self._threads.append(thread)
                thread.start()

    def stop(self, *, drain_seconds: float) -> bool:
        """Start no new jobs and wait up to `drain_seconds`; return whether all ended in time."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        end = time.monotonic() + drain_seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        if waiting := len(self._waiting):
            _log.info("%d jobs still wait; the next start finds their work again", waiting)
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while (job := self._await_job()) is not None:
            self._run(job)

    def _await_job(self) -> Job | None:
        """Wait for the next job; return None once the queue is stopping."""
        with self._changed:
            while not self._stopping:
                job = self._pop()
                if job is not None:
                    return job
                self._changed.wait()
        return None

    def _pop(self) -> Job | None:
        """Remove and return the most urgent job that may run, None if there is none."""
        free = [job for job in self._waiting if job.lock not in self._locked]
        job = min(free, key=lambda one: one.priority, default=None)
        if job is not None:
            self._waiting.remove(job)
            if job.lock is not None:
                self._locked.add(job.lock)
        return job

    def _run(self, job: Job) -> None:
        self._tasks.run(job.task, job.arguments)
        if job.lock is not None:
            with self._changed:
                self._locked.discard(job.lock)
                self._changed.notify()
