"""Procrastinate's job manager for a worker that runs known tasks only, and a limited number of jobs
of each queue. Tasks are unknown while machines are upgraded one after another."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from paperround.core.jobs import QueueName

FETCH = """
    WITH myself AS (
        INSERT INTO procrastinate_workers (id) OVERRIDING SYSTEM VALUE VALUES (%(worker_id)s)
        ON CONFLICT (id) DO NOTHING
    ), candidate AS (
        SELECT job.id FROM procrastinate_jobs AS job
        WHERE job.status = 'todo'
            AND job.task_name = ANY(%(tasks)s)
            AND job.queue_name = ANY(%(queues)s)
            AND (job.scheduled_at IS NULL OR job.scheduled_at <= %(now)s)
            AND NOT EXISTS (
                SELECT 1 FROM procrastinate_jobs AS other
                WHERE other.lock = job.lock
                    AND (
                        other.status = 'doing'
                        OR other.status = 'todo'
                        AND other.task_name = ANY(%(tasks)s)
                        AND (
                            other.priority > job.priority
                            OR other.priority = job.priority AND other.id < job.id
                        )
                    )
            )
        ORDER BY job.priority DESC, job.id LIMIT 1
        FOR UPDATE OF job SKIP LOCKED
    )
    UPDATE procrastinate_jobs AS job SET status = 'doing', worker_id = %(worker_id)s
    FROM candidate WHERE job.id = candidate.id
    RETURNING job.id, job.status, job.task_name, job.priority, job.lock, job.queueing_lock,
        job.args, job.scheduled_at, job.queue_name, job.attempts, job.worker_id
"""
"""The library's own statement, except for the clock and the tasks: a job of an unknown task is left
alone and delays no other. A worker that was taken for dead is registered again."""

STALLED_SECONDS = 30.0
"""A worker without a heartbeat for that long is dead: its jobs are put back."""

_log = logging.getLogger(__name__)


class KnownJobs(JobManager):
    """Gives a worker the jobs whose task this process knows. Others are left to a worker that knows
    them: the library would fail and drop them. `width` is how many jobs of each queue run at
    once."""

    def __init__(
        self,
        connector: BaseConnector,
        *,
        known: Callable[[], Sequence[str]],
        width: Mapping[QueueName, int],
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(connector)
        self._known = known
        self._width = width
        self._now = now
        self.running: dict[int | None, Job] = {}
        self._me: int | None = None
        self._lost: set[int | None] = set()

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:  # noqa: ARG002 - the library's
        """Return the next due job of a known task, in a queue that is not full; None if there is
        none."""
        self._me = worker_id
        busy = Counter(job.queue for job in self.running.values())
        rows = await self.connector.execute_query_all_async(
            query=FETCH,
            queues=[line.value for line, wide in self._width.items() if busy[line.value] < wide],
            tasks=list(self._known()),
            now=self._now(),
            worker_id=worker_id,
        )
        if not rows:
            return None
        job = Job.from_row(rows[0])
        if job.task_name not in self._known():  # the worker was told to stop meanwhile
            await self._put_back(job, "claimed by a worker that is stopping")
            return None
        self.running[job.id] = job
        return job

    async def finish_job_by_id_async(self, job_id: int, status: Status, delete_job: bool) -> None:
        """Finish a job, unless another worker took it over."""
        try:
            await super().finish_job_by_id_async(job_id, status, delete_job)
        except ConnectorException as error:
            _log.debug("job %d was finished by another worker: %s", job_id, error.__cause__)
        finally:
            self.running.pop(job_id, None)

    async def recover(self) -> None:
        """Put back jobs that nobody runs: those of dead workers, and those that this worker runs by
        the database but did not know of, now and at the last check: the response to its fetch was
        lost."""
        mine = await self.list_jobs_async(status=Status.DOING.value, worker_id=self._me or 0)
        lost = {job.id: job for job in mine if job.id not in self.running}
        stalled = await self.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS)
        for job in [*stalled, *(lost[number] for number in lost.keys() & self._lost)]:
            await self._put_back(job, "of a dead worker")
        self._lost = set(lost)
        await self.prune_stalled_workers(STALLED_SECONDS)

    async def _put_back(self, job: Job, which: str) -> None:
        """Put a job back into its queue, unless another one with its lock waits there."""
        try:
            await self.retry_job(job, retry_at=self._now())
            _log.warning("job %s (%d) %s is put back", job.task_name, job.id, which)
        except UniqueViolation:
            await self.finish_job(job, Status.FAILED, delete_job=True)
        except ConnectorException as error:
            _log.debug("job %s was taken over by another worker: %s", job.task_name, error)
