"""The jobs of all processes, as rows of PostgreSQL: put and looked at.

A job that is put within somebody's transaction is there when that commits, and never was when it
does not. Of jobs with one lock one waits; a transaction that finds it there holds on to it until
its own commit, so that nobody runs it before the rows can be seen.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import psycopg
from procrastinate import SyncPsycopgConnector
from procrastinate import jobs as theirs
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.manager import JobManager

from paperround.core.errors import Conflict, DatabaseFailed
from paperround.core.jobs import Job, QueueDepth, QueueName

Connection = psycopg.Connection[Any]
Connections = Callable[[], AbstractContextManager[Connection]]
"""Opens a transaction, which is committed on a clean exit."""

TRIES = 5
"""How often a lock may be taken and given up between looking and putting."""

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
_STRANGERS = """
    SELECT task_name, count(*) FROM procrastinate_jobs
    WHERE status = 'todo' AND task_name <> ALL(%s) GROUP BY 1 ORDER BY 1
"""
_LOST_RACES = frozenset({"40001", "40P01", "55P03"})


class JobStore:
    """The jobs on one database."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._manager = JobManager(SyncPsycopgConnector())

    def put(self, job: Job) -> bool:
        """Put a job by itself; False when one with its lock waits. Raises DatabaseFailed."""
        with self._connections() as connection:
            return self.put_within(connection, job)

    def put_within(self, connection: Connection, job: Job) -> bool:
        """The same within the transaction that `connection` is in. Raises Conflict when that was
        ended in favour of another one, and DatabaseFailed."""
        with _errors_named():
            for _ in range(TRIES):
                if job.lock and connection.execute(_WAITING, [job.lock]).fetchone():
                    return False
                with suppress(AlreadyEnqueued), connection.transaction():
                    self._manager.defer_job(_row_of(job), connection=connection)
                    return True
            return False  # it is put and taken all the time: somebody does what was asked for

    def strangers(self, known: Collection[str]) -> Mapping[str, int]:
        """How many jobs wait of each task that is none of the `known`. Raises DatabaseFailed."""
        with _errors_named(), self._connections() as connection:
            return dict(connection.execute(_STRANGERS, [list(known)]).fetchall())

    def lines(self, known: Collection[str]) -> Mapping[QueueName, QueueDepth]:
        """How many jobs wait and run in each line, and how long those of the tasks that are
        `known`. Raises DatabaseFailed."""
        with _errors_named(), self._connections() as connection:
            rows = connection.execute(_LINES, [list(known)])
            found = {(row[0], row[1]): row[2:] for row in rows}
        lined: dict[QueueName, QueueDepth] = {}
        for line in QueueName:
            waiting, since = found.get((line.value, "todo"), (0, None))
            running, _ = found.get((line.value, "doing"), (0, None))
            lined[line] = QueueDepth(waiting=waiting, running=running, due_since=since)
        return lined


@contextmanager
def _errors_named() -> Iterator[None]:
    try:
        yield
    except (psycopg.Error, ConnectorException) as error:
        cause = (error.__cause__ or error) if isinstance(error, ConnectorException) else error
        if getattr(cause, "sqlstate", None) in _LOST_RACES:
            raise Conflict("another transaction put the same job: try again") from error
        reason = str(cause).strip().partition("\n")[0]
        raise DatabaseFailed(f"the queue failed: {reason}") from error


def _row_of(job: Job) -> theirs.Job:
    return theirs.Job(
        queue=job.line.value,
        task_name=job.task,
        lock=None if job.shared else job.lock,
        queueing_lock=job.lock,
        priority=-job.priority,  # theirs runs the highest first
        task_kwargs={
            "ids": dict(job.arguments),
            # what a worker of the previous release reads
            "lock": job.lock,
            "attempts": 0,
            "periodic": True,
            "shared": job.shared,
        },
    )
