"""When a job that failed is tried again: one rule for every way of running jobs."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from paperround.domain.errors import PaperroundError
from paperround.domain.work import Job

MOST_TRIES = 6
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(minutes=15)

_log = logging.getLogger(__name__)


def put_again(job: Job, error: Exception, put: Callable[[Job], bool], now: datetime) -> None:
    """Put a job that ended with `error` once more, if it is to be tried again, and log it. Where in
    the code it failed is told only of what nobody foresaw."""
    again = retry(job, error, now)
    if isinstance(error, PaperroundError):
        said, unforeseen = str(error), None
    else:
        said, unforeseen = type(error).__name__, error
    if job.periodic:
        words = "job %s failed, and is asked for again anyway: %s"
        _log.error(words, job.task, said, exc_info=unforeseen)
        return
    if again is None:
        tries = job.attempts + 1
        _log.error("gave up job %s, try %d: %s", job.task, tries, said, exc_info=unforeseen)
        return
    after = again.not_before
    _log.warning("job %s failed, next try at %s: %s", job.task, after, said, exc_info=unforeseen)
    if not put(again):
        _log.info("job %s is not repeated: one with its lock waits already", job.task)


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
