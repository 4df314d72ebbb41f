"""Enqueue the periodic jobs of an installation once a minute.

The database knows what is due, so you may run, stop and start several schedulers at any time: a
job that finds nothing due does nothing. Jobs carry a lock, so one that takes longer than a minute
is not started twice. On PostgreSQL the first scheduler to claim a period enqueues its jobs.

Between two ticks the scheduler checks every few seconds for mail that is due, since a sign-up may
come in through another process. It also watches the clock: APScheduler counts in wall time, and a
clock set back by an hour would stop the ticks for an hour.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from apscheduler.job import Job as ScheduledJob
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from paperround.bootstrap import AppContext
from paperround.bootstrap.workers import MAIL, ROUNDS, ask
from paperround.core.errors import PaperroundError
from paperround.core.jobs import Job
from paperround.core.times import format_instant
from paperround.db.slots import SlotStore
from paperround.ops.cluster import PERIOD
from paperround.ops.tick import SCHEDULER, is_ticking

TICK_SECONDS = 60
"""Seconds between two ticks."""

POLL_SECONDS = 5
"""Seconds between two checks for mail that is due."""

BACKUP_SECONDS = 3600
"""Seconds between two checks whether a backup is due."""

MISSED_BEFORE_ERROR = 2
"""Checks in a row that find no recent tick before an error is logged."""

STOPPED = "the scheduler has stopped: it has enqueued nothing since %s; restart this process"
NOT_RUN = "no tick has run since %s, though they are enqueued: restart this process or the workers"

log = logging.getLogger(__name__)


class EveryInterval(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """Fire every `seconds`. Missed runs are made up for only once. APScheduler's own trigger steps
    through each of them, which takes a minute when a clock jumps from 1970 to today."""

    def __init__(self, seconds: float) -> None:
        self.interval = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the next time after `previous_fire_time` that is later than `now`."""
        if previous_fire_time is None:
            return now + self.interval
        due: datetime = previous_fire_time + self.interval
        return due if due > now else now + self.interval


class Scheduler:
    """Tick every minute from `start` to `stop`, the first time at once.

    With `runs_jobs` this process runs the jobs; otherwise workers that share the database do.
    """

    def __init__(self, context: AppContext, *, runs_jobs: bool = True) -> None:
        self._context = context
        self._runs_jobs = runs_jobs
        self._led_at: datetime | None = None
        self._is_away = False
        self._last_enqueued_at: datetime | None = None
        self._missed = 0
        self._jobs = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )
        self._tick: ScheduledJob | None = None
        self._stopping = Event()

    def start(self) -> None:
        """Enqueue the periodic jobs now and every minute from now on."""
        if self._runs_jobs:
            self._context.start_jobs()
        now = self._context.clock.now()
        self._tick = self._jobs.add_job(
            self._enqueue, EveryInterval(TICK_SECONDS), [ROUNDS], next_run_time=now
        )
        self._jobs.add_job(self._enqueue, EveryInterval(POLL_SECONDS), [MAIL])
        self._jobs.add_job(
            self._context.back_up_if_due,
            EveryInterval(BACKUP_SECONDS),
            next_run_time=now + timedelta(seconds=TICK_SECONDS),  # even if it never runs an hour
        )
        self._jobs.start()
        Thread(target=self._watch, name="paperround-clock", daemon=True).start()

    def stop(self, *, drain_seconds: float) -> bool:
        """Start no new jobs and wait up to `drain_seconds` for those that run; a delivery finishes
        the messages in flight. Return whether all ended in time. You may call it at any time."""
        self._stopping.set()
        self._context.stop_sending()
        if self._jobs.running:
            self._jobs.shutdown(wait=False)
        return not self._runs_jobs or self._context.queue.stop(drain_seconds=drain_seconds)

    def next_tick(self) -> datetime | None:
        """Return when the next tick is, None if the scheduler is not running."""
        return self._tick.next_run_time if self._tick and self._jobs.running else None

    def last_enqueued_at(self) -> datetime | None:
        """Return when jobs were last enqueued or found enqueued, None if they never were."""
        return self._last_enqueued_at

    def _enqueue(self, jobs: Sequence[Job]) -> None:
        """Enqueue these jobs. If the database is unavailable, the next run tries again."""
        try:
            is_first = ask(self._context, jobs)
        except PaperroundError as error:
            log.log(
                logging.DEBUG if self._is_away else logging.WARNING,
                "no jobs were enqueued: %s",
                error,
            )
            self._is_away = True
            return
        if self._is_away:
            log.info("the database is back")
        self._is_away = False
        now = self._last_enqueued_at = self._context.clock.now()
        if is_first:
            if self._led_at is None or now - self._led_at > 2 * PERIOD:
                log.info("this scheduler starts the periodic jobs")
            self._led_at = now

    def _watch(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            now = self._context.clock.now()
            reset_runs_ahead(self._jobs.get_jobs(), now)
            self.report_missing_ticks(now)

    def report_missing_ticks(self, now: datetime) -> None:
        """Log an error when this scheduler has stopped, or when the ticks it enqueues do not run.

        It is logged once, at the second check in a row that finds this: after a clock jump, the
        first check may come before the next tick.
        """
        try:
            with self._context.database.reading() as work:
                ticked_at = work[SlotStore].last_beat(SCHEDULER)
        except PaperroundError:  # `_enqueue` logs that the database is unavailable
            return
        enqueues = is_ticking(self._last_enqueued_at, now=now)
        if enqueues and is_ticking(ticked_at, now=now):
            if self._missed >= MISSED_BEFORE_ERROR:
                log.info("the schedule runs again")
            self._missed = 0
            return
        self._missed += 1
        if self._missed != MISSED_BEFORE_ERROR:
            return
        problem, last = (NOT_RUN, ticked_at) if enqueues else (STOPPED, self._last_enqueued_at)
        log.error(problem, "the start" if last is None else format_instant(last))


def reset_runs_ahead(jobs: list[ScheduledJob], now: datetime) -> None:
    """Move runs to `now` that are further ahead than their interval plus a minute: then the clock
    was set back."""
    for job in jobs:
        due: datetime | None = job.next_run_time
        furthest = job.trigger.interval + timedelta(seconds=TICK_SECONDS)
        if due is not None and due - now > furthest:
            job.modify(next_run_time=now)
