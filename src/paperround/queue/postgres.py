"""Jobs on PostgreSQL, for any number of processes on any number of machines.

    put ──► waiting ──(its time has come)──► running ──► gone
               ▲                                │
               ├────(raised, tries are left)────┤
               └────(its worker died)───────────┴──(no use in another try)──► gone, logged

Procrastinate keeps the rows, wakes the workers and hands each job to one of them. A job carries ids
only: what became of the work stands in the rows that they name, so nothing is kept of a job.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

from procrastinate import App, JobContext
from procrastinate.worker import Worker

from paperround.domain.times import require_utc
from paperround.domain.work import Job, Line, Lined
from paperround.queue.book import JobBook, unpacked
from paperround.queue.connector import Connections, EngineConnector, in_thread
from paperround.queue.crew import Crew
from paperround.queue.retries import put_again
from paperround.queue.strangers import KnownJobs
from paperround.queue.tally import Tally
from paperround.queue.tasks import Task, Tasks

NARROW = frozenset({Line.NOTICES, Line.MAIL})
"""Lines of which a process runs one job at a time: more of them would share its connections to the
relay. More processes send more."""

WORTH_TELLING = 1.0
"""Seconds from which on the log says how long a job took: most find nothing to do."""

NOW = "now"
"""Under which a worker that is run for a test keeps its clock."""

_log = logging.getLogger(__name__)


class PostgresQueue:
    """Puts jobs for whoever serves their lines, and serves `lines` itself once it is started.

    `wide` is how many jobs of a line run at once, where more than one may. `alive` is called every
    ten seconds while it serves.
    """

    def __init__(
        self,
        connections: Connections,
        listening: Mapping[str, Any],
        *,
        now: Callable[[], datetime],
        lines: tuple[Line, ...] = tuple(Line),
        wide: int = 4,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._now = self._present = now
        self._tasks = Tasks()
        self._app = App(connector=EngineConnector(connections, listening))
        self._app.job_manager = KnownJobs(
            self._app.connector, known=lambda: self._tasks.names, now=lambda: self._present()
        )
        self.book = JobBook(self._app, connections)
        self.tally = Tally()
        self.lines = lines
        self._width = {line: 1 if line in NARROW else wide for line in lines}
        self._alive = alive
        self._crew: Crew | None = None
        self._running: set[int | None] = set()
        self._lost: frozenset[int] = frozenset()
        self._told: set[str] = set()

    def register(self, task: str, run: Task) -> None:
        """Say what `task` means; raises ValueError when the name is taken."""
        self._tasks.register(task, run)
        self._app.task(name=task, pass_context=True)(self._run_theirs)

    def put(self, job: Job) -> bool:
        """Take the job; False when one with its lock waits that is due as early. Raises NotFound
        for an unknown task, DatabaseFailed."""
        self._tasks.require(job)
        return self.book.put(job)

    def put_within(self, connection: Any, job: Job) -> bool:
        """The same in the transaction that `connection` is in: no commit, no job."""
        self._tasks.require(job)
        return self.book.put_within(connection, job)

    def run_until_idle(self, *, now: datetime) -> int:
        """Run what is due at `now`, and what that adds, one after another; returns how many jobs
        ran. A job that fails is tried again some time after that."""
        moment = require_utc(now)
        self._present = lambda: moment
        before = sum(self.tally.done().values())
        worker = Worker(
            self._app,
            wait=False,
            listen_notify=False,
            install_signal_handlers=False,
            delete_jobs="always",
            additional_context={NOW: lambda: moment},
        )
        try:
            asyncio.run(worker.run())  # type: ignore[no-untyped-call]  # theirs names no result
        finally:
            self._present = self._now
        return sum(self.tally.done().values()) - before

    def start(self) -> None:
        """Begin serving lines in the background."""
        self._crew = Crew(self._app, self._width, self.look_after)
        self._crew.start()

    def stop(self, *, drain_seconds: float) -> bool:
        """Take nothing new, finish what runs; True when all of it ended in time."""
        return self._crew is None or self._crew.stop(drain_seconds=drain_seconds)

    def down(self) -> frozenset[Line]:
        """The lines this process should serve and does not, just now."""
        return frozenset(self.lines) if self._crew is None else self._crew.down

    def lined(self) -> Mapping[Line, Lined]:
        """How many jobs of all processes wait and run. Raises DatabaseFailed."""
        return self.book.lines(self._tasks.names)

    def strangers(self) -> Mapping[str, int]:
        """How many jobs wait of each task that this version does not know. Raises
        DatabaseFailed."""
        return self.book.strangers(self._tasks.names)

    def done(self) -> Mapping[tuple[str, str], int]:
        """How many jobs of each task this process has `done`, and how many `failed`."""
        return self.tally.done()

    def busy(self) -> Mapping[str, int]:
        """How many jobs of each task run in this process."""
        return self.tally.busy()

    async def _run_theirs(self, context: JobContext, /, **_: Any) -> None:
        """What every task of the library comes to."""
        job, number = unpacked(context.job), context.job.id
        now = context.additional_context.get(NOW, self._now)
        with self._in_hand(number):
            await in_thread(partial(self._run, job, now))

    @contextmanager
    def _in_hand(self, number: int | None) -> Iterator[None]:
        self._running.add(number)
        try:
            yield
        finally:
            self._running.discard(number)

    def _run(self, job: Job, now: Callable[[], datetime]) -> None:
        failure: Exception | None = None
        began = time.monotonic()
        with self.tally.running(job.task):
            try:
                self._tasks.run(job)
            except Exception as error:  # the job edge: one failure never stops the others
                failure = error
        self.tally.ended(job.task, well=failure is None)
        if (lasted := time.monotonic() - began) >= WORTH_TELLING:
            _log.info("job %s took %.1f seconds", job.task, lasted)
        if failure is not None:
            put_again(job, failure, self.put, now())

    def look_after(self) -> None:
        """Put back what nobody runs: the jobs of dead workers, and those that the book says are
        ours and we do not know of, now and ten seconds ago. Then leave a sign of life, and tell of
        jobs of another version: whatever goes wrong with that holds up no job."""
        now = self._now()
        self.book.recover(now=now)
        crew = self._crew
        lost = self.book.held(crew.names() if crew else ()) - self._running
        self.book.give_back(lost & self._lost, now=now)
        self._lost = lost
        self._alive()
        self._tell_of_strangers()

    def _tell_of_strangers(self) -> None:
        """Once for each task."""
        for task in self.strangers().keys() - self._told:
            self._told.add(task)
            _log.warning(
                "jobs %s are left to others: this version does not know what they mean; upgrade "
                "this worker",
                task,
            )
