"""Jobs of another version's tasks, as they come while one machine after another is upgraded."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from procrastinate.connector import BaseConnector
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

PUT_OFF = timedelta(seconds=30)
"""How long a job that nobody here knows is left to others."""

_log = logging.getLogger(__name__)


class KnownJobs(JobManager):
    """Gives workers the jobs whose task this process knows. Any other stays in its line, for a
    worker that knows it: the library would fail it, and drop it."""

    def __init__(
        self,
        connector: BaseConnector,
        *,
        knows: Callable[[str], bool],
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(connector)
        self._knows = knows
        self._now = now
        self._told: set[str] = set()

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """The next job that is due and known here; None when there is none."""
        while (job := await super().fetch_job(queues, worker_id)) is not None:
            if self._knows(job.task_name):
                return job
            await self._leave(job)
        return None

    async def _leave(self, job: Job) -> None:
        if job.task_name not in self._told:
            self._told.add(job.task_name)
            _log.warning(
                "a job %s is left to others: this version does not know what it means; upgrade "
                "this worker",
                job.task_name,
            )
        try:
            await self.retry_job(job, retry_at=self._now() + PUT_OFF)
        except UniqueViolation:  # another of its lock waits already
            await self.finish_job(job, Status.FAILED, delete_job=True)
