"""When a job that failed is tried again: one rule for every way of running jobs."""

from dataclasses import replace
from datetime import datetime, timedelta

from paperround.domain.errors import PaperroundError
from paperround.domain.work import Job

MOST_TRIES = 6
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(minutes=15)


def retry(job: Job, error: Exception, now: datetime) -> Job | None:
    """The job to run after `error`, 30 s later and then twice as long each time up to 15 min.

    None when another try cannot help: the error is permanent, it was the sixth try, or the job
    is asked for again anyway.
    """
    permanent = isinstance(error, PaperroundError) and error.permanent
    if permanent or job.periodic or job.attempts + 1 >= MOST_TRIES:
        return None
    pause = min(FIRST_RETRY * 2**job.attempts, LONGEST_RETRY)
    return replace(job, attempts=job.attempts + 1, not_before=now + pause)
