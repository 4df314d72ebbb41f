"""The jobs of all processes, as rows of PostgreSQL: put, looked at, and taken from the dead.

A job that is put within somebody's transaction is there when that commits, and never was when it
does not. Of jobs with one lock one waits; whoever finds it there holds on to it until their own
commit, so that nobody runs it before their rows can be seen.
"""

import logging
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import psycopg
from procrastinate import App, exceptions
from procrastinate import jobs as theirs
from procrastinate.sql import queries

from paperround.domain.errors import Conflict, DatabaseFailed
from paperround.domain.times import require_utc
from paperround.domain.work import Job, Line, Lined
from paperround.queue.connector import Connections
from paperround.queue.retries import MOST_TRIES

Connection = psycopg.Connection[Any]

STALLED_SECONDS = 30.0
"""A worker that gave no sign of life for that long is dead: its jobs go back into their lines."""

BEAT_SECONDS = 10.0
"""How often a worker gives one."""

TRIES = 5
"""How often a lock may be taken and given up between looking and putting."""

_WAITING = (
    "SELECT id, scheduled_at FROM procrastinate_jobs"
    " WHERE queueing_lock = %s AND status = 'todo' FOR KEY SHARE"
)
_MINE_TO_MOVE = (
    "SELECT 1 FROM procrastinate_jobs WHERE id = %s AND status = 'doing' FOR UPDATE SKIP LOCKED"
)
_HELD = "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = ANY(%s)"
_LINES = """
    SELECT queue_name, status::text, count(*),
        min(greatest(scheduled_at, put.at)) FILTER (WHERE task_name = ANY(%s))
    FROM procrastinate_jobs AS job
    LEFT JOIN procrastinate_events AS put ON put.job_id = job.id AND put.type = 'deferred'
    GROUP BY 1, 2
"""

_RECOVERING = "SELECT pg_try_advisory_xact_lock(7276943052)"
"""Any number, as long as nothing else on the database takes the same advisory lock."""

_STRANGERS = """
    SELECT task_name, count(*) FROM procrastinate_jobs
    WHERE status = 'todo' AND task_name <> ALL(%s) GROUP BY 1 ORDER BY 1
"""

_LOST_RACES = frozenset({"40001", "40P01", "55P03"})

_log = logging.getLogger(__name__)


class JobBook:
    """The jobs on one database."""

    def __init__(self, app: App, connections: Connections) -> None:
        self._app = app
        self._connections = connections

    def put(self, job: Job) -> bool:
        """Put a job by itself; False when one with its lock waits that is due as early. Raises
        DatabaseFailed."""
        with self._connections() as connection:
            return self.put_within(connection, job)

    def put_within(self, connection: Connection, job: Job) -> bool:
        """The same within the transaction that `connection` is in. Raises Conflict when that was
        ended in favour of another one, and DatabaseFailed."""
        due = None if job.not_before is None else require_utc(job.not_before)
        try:
            return self._put(connection, job, due)
        except psycopg.Error as error:
            raise _named(error) from error
        except exceptions.ConnectorException as error:
            raise _named(error.__cause__) from error

    def _put(self, connection: Connection, job: Job, due: datetime | None) -> bool:
        if job.lock is None:
            self._defer(connection, job, due)
            return True
        for _ in range(TRIES):
            waiting = connection.execute(_WAITING, [job.lock]).fetchone()
            if waiting is not None and not _is_later(waiting[1], due):
                return False
            if waiting is not None:
                self._app.job_manager.cancel_job_by_id(
                    waiting[0], delete_job=True, connection=connection
                )
            with suppress(exceptions.AlreadyEnqueued), connection.transaction():
                self._defer(connection, job, due)
                return True
        return False  # it is put and taken all the time: somebody does what was asked for

    def _defer(self, connection: Connection, job: Job, due: datetime | None) -> None:
        deferrer = self._app.configure_task(
            job.task,
            queue=job.line.value,
            lock=None if job.shared else job.lock,
            queueing_lock=job.lock,
            priority=-job.priority,  # theirs runs the highest first
            schedule_at=due,
            connection=connection,
        )
        deferrer.defer(**_packed(job))

    def recover(self, *, now: datetime) -> int:
        """Put jobs of dead workers back into their lines; returns how many there were. One process
        at a time: to forget a worker is to change its jobs, which another may have in hand."""
        with self._connections() as connection:
            if connection.execute(_RECOVERING).fetchone() != (True,):
                return 0
            rows = self._app.connector.get_sync_connector().execute_query_all_with_connection(
                connection,
                queries["select_stalled_jobs_by_heartbeat"],
                queue=None,
                task_name=None,
                seconds_since_heartbeat=STALLED_SECONDS,
            )
            for row in sorted(rows, key=lambda row: row["queueing_lock"] or ""):
                self._give_back(connection, theirs.Job.from_row(row), now)
            connection.execute(
                queries["prune_stalled_workers"], {"seconds_since_heartbeat": STALLED_SECONDS}
            )
        return len(rows)

    def held(self, workers: Collection[int]) -> frozenset[int]:
        """The jobs that these workers have, by the book."""
        with self._connections() as connection:
            return frozenset(row[0] for row in connection.execute(_HELD, [list(workers)]))

    def give_back(self, jobs: Collection[int], *, now: datetime) -> None:
        """Put jobs back that their worker does not know of: the answer that gave them to it was
        lost, or the one that took them from it."""
        with self._connections() as connection:
            for one in jobs:
                rows = self._app.connector.get_sync_connector().execute_query_all_with_connection(
                    connection,
                    queries["list_jobs"],
                    **dict.fromkeys(_FILTERS) | {"id": one, "status": "doing"},
                )
                for row in rows:
                    self._give_back(connection, theirs.Job.from_row(row), now)

    def _give_back(self, connection: Connection, job: theirs.Job, now: datetime) -> None:
        """Back into its line; away with it when another of its lock waits there, and when it has
        ended so many workers that it is likely the reason. What somebody else sees to is left."""
        if connection.execute(_MINE_TO_MOVE, [job.id]).fetchone() is None:
            return
        if job.attempts + 1 < MOST_TRIES:
            with suppress(psycopg.errors.UniqueViolation), connection.transaction():
                again = {"new_priority": None, "new_queue_name": None, "new_lock": None}
                connection.execute(
                    queries["retry_job"], {"job_id": job.id, "retry_at": now, **again}
                )
                _log.warning("job %s (%d) of a dead worker is taken over", job.task_name, job.id)
                return
        else:
            _log.error("gave up job %s (%d): its workers died", job.task_name, job.id)
        connection.execute(
            queries["finish_job"], {"job_id": job.id, "status": "failed", "delete_job": True}
        )

    def strangers(self, known: Collection[str]) -> Mapping[str, int]:
        """How many jobs wait of each task that is none of the `known`. Raises DatabaseFailed."""
        try:
            with self._connections() as connection:
                return {row[0]: row[1] for row in connection.execute(_STRANGERS, [list(known)])}
        except psycopg.Error as error:
            raise _named(error) from error

    def lines(self, known: Collection[str]) -> Mapping[Line, Lined]:
        """How many jobs wait and run in each line, and how long those of the tasks that are
        `known`. Raises DatabaseFailed."""
        try:
            with self._connections() as connection:
                rows = connection.execute(_LINES, [list(known)])
                found = {(row[0], row[1]): row[2:] for row in rows}
        except psycopg.Error as error:
            raise _named(error) from error
        lined: dict[Line, Lined] = {}
        for line in Line:
            waiting, since = found.get((line.value, "todo"), (0, None))
            running, _ = found.get((line.value, "doing"), (0, None))
            lined[line] = Lined(waiting=waiting, running=running, due_since=since)
        return lined


_FILTERS = ("id", "queue_name", "task_name", "status", "lock", "queueing_lock", "worker_id")


def _is_later(waits_until: datetime | None, due: datetime | None) -> bool:
    return waits_until is not None and (due is None or waits_until > due)


def _named(error: BaseException | None) -> Conflict | DatabaseFailed:
    if getattr(error, "sqlstate", None) in _LOST_RACES:
        return Conflict("another transaction put the same job: try again")
    return DatabaseFailed(f"the queue failed: {str(error).strip().partition(chr(10))[0]}")


def _packed(job: Job) -> dict[str, Any]:
    """What their row keeps of a job beside its own columns."""
    return {
        "ids": dict(job.arguments),
        "lock": job.lock,
        "attempts": job.attempts,
        "periodic": job.periodic,
        "shared": job.shared,
    }


def unpacked(job: theirs.Job) -> Job:
    """The job that a row of theirs stands for."""
    kept: dict[str, Any] = job.task_kwargs
    return Job(
        task=job.task_name,
        arguments=kept["ids"],
        lock=kept["lock"],
        priority=-job.priority,
        attempts=kept["attempts"],
        periodic=kept["periodic"],
        shared=kept["shared"],
        line=Line(job.queue),
    )
