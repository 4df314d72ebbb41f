"""Run jobs in threads of one process, for an installation on one machine.

    put ──► waiting ──► running ──► done (or failed, and logged)

Nothing here outlives the process: the next start finds the work in the database and enqueues it
again. While the process lives, no job is lost.
"""

import logging
import threading
import time
from collections.abc import Callable

from paperround.core.errors import NotFound, PaperroundError
from paperround.core.jobs import Job

Task = Callable[[], object]


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

    def run(self, task: str) -> bool:
        """Run a task in this thread and return whether it succeeded. A failure is logged,
        with a traceback unless it is a PaperroundError."""
        try:
            self._by_name[task]()
        except PaperroundError as error:
            _log.error("job %s failed: %s", task, error)
        except Exception as error:  # one failure never stops the other jobs
            _log.error("job %s failed: %s", task, type(error).__name__, exc_info=error)
        else:
            return True
        return False


_log = logging.getLogger(__name__)


class ThreadQueue:
    """Runs each task in a thread of its own: a slow feed delays no digest, a long delivery no
    confirmation, an unresponsive hook no email."""

    def __init__(self) -> None:
        self._tasks = Tasks()
        self._waiting: list[str] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._threads: dict[str, threading.Thread] = {}

    def register(self, task: str, run: Task) -> None:
        """Add `task`; raises ValueError when the name is taken."""
        self._tasks.register(task, run)

    def put(self, job: Job) -> bool:
        """Enqueue `job`, unless one of its task waits. Raises NotFound for an unknown task."""
        self._tasks.require(job.task)
        with self._changed:
            if job.task in self._waiting:
                return False
            self._waiting.append(job.task)
            self._changed.notify_all()
        return True

    def start(self) -> None:
        """Start the threads that run jobs."""
        with self._changed:
            self._stopping = False
            for task in self._tasks.names:
                if task in self._threads and self._threads[task].is_alive():
                    continue
                self._threads[task] = threading.Thread(
                    target=self._work, args=(task,), name=f"paperround-{task}", daemon=True
                )
                self._threads[task].start()

    def stop(self, *, drain_seconds: float) -> bool:
        """Start no new jobs and wait up to `drain_seconds`; return whether all ended in time."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        end = time.monotonic() + drain_seconds
        for thread in self._threads.values():
            thread.join(max(0.0, end - time.monotonic()))
        if waiting := len(self._waiting):
            _log.info("%d jobs still wait; they run after the next start", waiting)
        return not any(thread.is_alive() for thread in self._threads.values())

    def _work(self, task: str) -> None:
        """Run the jobs of a task, until the queue stops."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or task in self._waiting)
                if self._stopping:
                    return
                self._waiting.remove(task)
            self._tasks.run(task)
