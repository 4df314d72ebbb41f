"""Jobs of another version's tasks, as they come while one machine after another is upgraded."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from procrastinate.connector import BaseConnector
from procrastinate.jobs import Job
from procrastinate.manager import JobManager

FETCH = """
    WITH candidate AS (
        SELECT job.id FROM procrastinate_jobs AS job
        WHERE job.status = 'todo'
            AND job.task_name = ANY(%(tasks)s)
            AND (%(queues)s::varchar[] IS NULL OR job.queue_name = ANY(%(queues)s))
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
"""The library's own, but for the clock and for the tasks: a job of another one is not touched, and
holds up none."""


class KnownJobs(JobManager):
    """Gives workers the jobs whose task this process knows. Any other stays where it is, for a
    worker that knows it: the library would fail it, and drop it."""

    def __init__(
        self,
        connector: BaseConnector,
        *,
        known: Callable[[], Sequence[str]],
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(connector)
        self._known = known
        self._now = now

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """The next job that is due and known here; None when there is none."""
        rows = await self.connector.execute_query_all_async(
            query=FETCH,
            queues=None if queues is None else list(queues),
            tasks=list(self._known()),
            now=self._now(),
            worker_id=worker_id,
        )
        return Job.from_row(rows[0]) if rows else None

    async def prune_stalled_workers(self, seconds_since_heartbeat: float) -> list[int]:  # noqa: ARG002 - the library's
        """Nothing: who looks after the dead forgets them, one process at a time."""
        return []
