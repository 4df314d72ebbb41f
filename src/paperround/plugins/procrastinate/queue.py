"""Jobs on PostgreSQL, for any number of processes on any number of machines.

    put ──► waiting ──► running ──► gone (a failed one is logged)
               ▲           │
               └───────────┘ its worker died

Procrastinate stores the rows, wakes the workers and hands each job to one of them. A job names
its task only: the result of its work is in other rows, so nothing is kept of a finished job.

A job that is put within a transaction exists once that commits, and not at all otherwise. Of the
jobs of a task, one waits; a transaction that finds it locks its row until it commits, so nobody
runs it before the transaction's rows are visible.

A process has one worker, on an event loop in a thread of its own; jobs run in threads beside it.
Every ten seconds it puts back the jobs of dead workers.
"""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import psycopg
from procrastinate import App, JobContext, SyncPsycopgConnector
from procrastinate import jobs as theirs
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.manager import JobManager
from procrastinate.worker import Worker

from paperround.core.errors import Conflict, DatabaseFailed
from paperround.core.jobs import Job, QueueDepth, QueueName
from paperround.ops.queue import Task, Tasks
from paperround.plugins.procrastinate.connector import WorkerConnector
from paperround.plugins.procrastinate.job_manager import KnownJobs

Connection = psycopg.Connection[Any]
Connections = Callable[[], AbstractContextManager[Connection]]
"""Opens a transaction, which is committed on a clean exit."""

TRIES = 5
"""Attempts to put a job whose lock is taken and released meanwhile."""

_WAITING = (
    "SELECT id FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo' FOR KEY SHARE"
)
_LINES = """
    SELECT queue_name, status::text, count(*),
        min(greatest(scheduled_at, put.at)) FILTER (WHERE task_name = ANY(%s))
    FROM procrastinate_jobs AS job
    LEFT JOIN procrastinate_events AS put ON put.job_id = job.id AND put.type = 'deferred'
    GROUP BY 1, 2
"""
_LOST_RACES = frozenset({"40001", "40P01", "55P03"})

T = TypeVar("T")

NARROW = frozenset({QueueName.NOTICES, QueueName.MAIL})
"""Queues from which a process runs one job at a time: more would share its connections to the
relay. More processes send more."""

BEAT_SECONDS = 10.0
"""How often a worker sends a heartbeat, and looks for workers without one."""

POLL_SECONDS = 1.0
"""How often to look for jobs without a notification: those locked until a commit, and those of a
queue that was full. A worker that ended is also restarted after this time."""

_log = logging.getLogger(__name__)


class PostgresQueue:
    """Puts jobs for the workers of their queues, and works on the queues `lines` once started.

    The driver opens connections with `arguments`. `wide` is how many jobs of a queue run at once,
    except for those in NARROW. `alive` is called every ten seconds while it works.
    """

    def __init__(
        self,
        connections: Connections,
        arguments: Mapping[str, Any],
        *,
        now: Callable[[], datetime],
        lines: tuple[QueueName, ...] = tuple(QueueName),
        wide: int = 4,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._tasks = Tasks()
        self._connections = connections
        self._jobs = JobManager(SyncPsycopgConnector())
        self._stopping = threading.Event()
        self._connector = WorkerConnector(arguments, self._stopping)
        self._app = App(connector=self._connector)
        width = {line: 1 if line in NARROW else wide for line in lines}
        self.manager = KnownJobs(self._connector, known=self._taken, width=width, now=now)
        self._app.job_manager = self.manager
        self.lines = lines
        self._concurrency = sum(width.values())
        self._alive = alive
        self._thread: threading.Thread | None = None
        self._done: Counter[tuple[str, str]] = Counter()

    def register(self, task: str, run: Task) -> None:
        """Register the function of a task; raise ValueError if the name is taken."""
        self._tasks.register(task, run)
        self._app.task(name=task, pass_context=True)(self._run)

    def put(self, job: Job) -> bool:
        """Enqueue a job; return False if one of its task waits. Raises NotFound for an unknown
        task, and DatabaseFailed."""
        with self._connections() as connection:
            return self.put_within(connection, job)

    def put_within(self, connection: Connection, job: Job) -> bool:
        """Do the same in the transaction of `connection`, the driver's: without its commit there is
        no job. Raises Conflict if the transaction lost to another one."""
        self._tasks.require(job.task)
        with _errors_named():
            for _ in range(TRIES):
                if connection.execute(_WAITING, [job.task]).fetchone():
                    return False
                with suppress(AlreadyEnqueued), connection.transaction():
                    self._jobs.defer_job(_row_of(job), connection=connection)
                    return True
            return False  # others put and run such jobs all the time: one of them does the work

    def start(self) -> None:
        """Start working in the background."""
        self._stopping.clear()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name="paperround-queue", daemon=True
        )
        self._thread.start()

    def stop(self, *, drain_seconds: float) -> bool:
        """Take no new job, and finish those that run; return whether all ended in time."""
        self._stopping.set()
        if self._thread is None:
            return True
        self._thread.join(drain_seconds)
        return not self._thread.is_alive()

    def down(self) -> frozenset[QueueName]:
        """Return the queues that this process should work on and does not at the moment."""
        is_up = self._thread is not None and self._thread.is_alive()
        return frozenset() if is_up and not self._connector.is_away else frozenset(self.lines)

    def queue_depths(self) -> Mapping[QueueName, QueueDepth]:
        """Return how many jobs of all processes wait and run in each queue, and since when those of
        known tasks are due. Raises DatabaseFailed."""
        with _errors_named(), self._connections() as connection:
            rows = connection.execute(_LINES, [list(self._tasks.names)])
            found = {(row[0], row[1]): row[2:] for row in rows}
        depths: dict[QueueName, QueueDepth] = {}
        for line in QueueName:
            waiting, since = found.get((line.value, "todo"), (0, None))
            running, _ = found.get((line.value, "doing"), (0, None))
            depths[line] = QueueDepth(waiting=waiting, running=running, due_since=since)
        return depths

    def done(self) -> Mapping[tuple[str, str], int]:
        """Return how many jobs of each task this process has `done`, and how many `failed`."""
        return dict(self._done)

    def busy(self) -> Mapping[str, int]:
        """Return how many jobs of each task run in this process."""
        return Counter(job.task_name for job in tuple(self.manager.running.values()))

    async def look_after(self) -> None:
        """Put back jobs that nobody runs, and send a heartbeat."""
        await self.manager.recover()
        await in_thread(self._alive)

    async def _serve(self) -> None:
        async with self._app.open_async():
            tasks = [asyncio.create_task(run()) for run in (self._keep_working, self._keep_looking)]
            await in_thread(self._stopping.wait)
            for task in tasks:
                task.cancel()  # a cancelled worker finishes the jobs it runs
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_working(self) -> None:
        """Work until cancelled. A worker that ends is replaced by another one."""
        while True:
            worker = Worker(
                self._app,
                queues=[line.value for line in self.lines],
                concurrency=self._concurrency,
                install_signal_handlers=False,
                delete_jobs="always",  # the ledger says what they did
                fetch_job_polling_interval=POLL_SECONDS,
                update_heartbeat_interval=BEAT_SECONDS,
            )
            work = worker.run()  # type: ignore[no-untyped-call]  # theirs names no result
            await _logged("the worker stopped and restarts", work)
            await asyncio.sleep(POLL_SECONDS)

    async def _keep_looking(self) -> None:
        while True:
            await _logged("maintenance of the queue failed", self.look_after())
            await asyncio.sleep(BEAT_SECONDS)

    def _taken(self) -> Sequence[str]:
        """Return the tasks whose jobs are taken: none once it stops."""
        return [] if self._stopping.is_set() else self._tasks.names

    async def _run(self, context: JobContext, /, **_: Any) -> None:
        """Run a job; every task of the library is this function."""
        job = context.job
        is_done = await in_thread(partial(self._tasks.run, job.task_name))
        self._done[job.task_name, "done" if is_done else "failed"] += 1


def in_thread(do: Callable[[], T]) -> Awaitable[T]:
    """Return what `do` returns or raises, run in a daemon thread: a call that hangs must not keep
    the process alive."""
    future: Future[T] = Future()

    def work() -> None:
        future.set_running_or_notify_cancel()
        try:
            future.set_result(do())
        except Exception as error:  # raised again where it is awaited
            future.set_exception(error)

    threading.Thread(target=work, name="paperround-job", daemon=True).start()
    return asyncio.wrap_future(future)


async def _logged(what: str, work: Awaitable[None]) -> None:
    """Log the error that ends `work`, in one line; the caller starts it again."""
    try:
        await work
    except Exception as error:  # whatever it is, the work goes on
        reason = str(error.__cause__ or error).strip().partition("\n")[0]
        _log.warning("%s: %s: %s", what, type(error).__name__, reason)


@contextmanager
def _errors_named() -> Iterator[None]:
    try:
        yield
    except (psycopg.Error, ConnectorException) as error:
        cause = (error.__cause__ or error) if isinstance(error, ConnectorException) else error
        if getattr(cause, "sqlstate", None) in _LOST_RACES:
            raise Conflict("another transaction enqueued the same job: try again") from error
        reason = str(cause).strip().partition("\n")[0]
        raise DatabaseFailed(f"the queue failed: {reason}") from error


def _row_of(job: Job) -> theirs.Job:
    return theirs.Job(
        queue=job.line.value,
        task_name=job.task,
        lock=None if job.shared else job.task,
        queueing_lock=job.task,
        priority=-job.priority,  # the library runs the highest first
        task_kwargs={
            # read by workers of the previous release
            "ids": {},
            "lock": job.task,
            "attempts": 0,
            "periodic": True,
            "shared": job.shared,
        },
    )
