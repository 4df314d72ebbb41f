"""The minute hand: once a minute it asks for the rounds of this installation, and decides nothing.

What is due stands in the database, so several of these may run, stop and start at any moment: a
round that finds nothing due does nothing. Jobs are asked for under a lock, so that a round that
takes longer than a minute is not started twice. Where several processes share their work, the first
scheduler that takes a minute asks for its rounds, and the others see that it is taken.

Between two ticks it looks every few seconds whether mail waits: somebody may have signed up through
another process. And it watches the clock: the library reckons in wall time, and a clock that is put
back by an hour would stop the ticks for an hour.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from apscheduler.job import Job as Appointment
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from paperround.bootstrap import AppContext
from paperround.bootstrap.workers import MAIL, ROUNDS, ask
from paperround.core.errors import PaperroundError
from paperround.core.jobs import Job
from paperround.ops.cluster import SchedulerLook

EVERY = 60
"""Seconds between two ticks."""

GLANCE = 5
"""Seconds between two looks at whether mail waits."""

log = logging.getLogger(__name__)


class EveryInterval(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """Every so many seconds. What was missed is made up for once: the library's own trigger counts
    every minute that a clock leapt over, which takes a minute for a machine that began in 1970."""

    def __init__(self, seconds: float) -> None:
        self._pause = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The next time after one, but no time that is over."""
        if previous_fire_time is None:
            return now + self._pause
        due: datetime = previous_fire_time + self._pause
        return due if due > now else now + self._pause


class Scheduler:
    """Ticks while it is started, the first time at once. `works`: what it asks for is done by this
    process; otherwise by those that share the database."""

    def __init__(self, home: AppContext, *, works: bool = True) -> None:
        self._home = home
        self._works = works
        self._ours: str | None = None
        self._period: str | None = None
        self._is_away = False
        self._last: datetime | None = None
        self._minutes = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )
        self._stopping = Event()

    def start(self) -> None:
        """Ask for the rounds now and every minute from now on."""
        if self._works:
            self._home.queue.start()
        now = self._home.clock.now()
        self._minutes.add_job(self._ask, EveryInterval(EVERY), [ROUNDS], next_run_time=now)
        self._minutes.add_job(self._ask, EveryInterval(GLANCE), [MAIL])
        self._minutes.start()
        Thread(target=self._watch, name="paperround-clock", daemon=True).start()

    def stop(self, *, drain_seconds: float) -> bool:
        """Start nothing new and finish what runs, of a delivery the mails in hand; True when it
        ended in time. Whoever was never started, or stopped already, has nothing to stop."""
        self._stopping.set()
        self._home.stop_sending()
        if self._minutes.running:
            self._minutes.shutdown(wait=False)
        return not self._works or self._home.queue.stop(drain_seconds=drain_seconds)

    def next_tick(self) -> datetime | None:
        """When the next tick comes, None when none does."""
        due: list[datetime] = [one.next_run_time for one in self._minutes.get_jobs()]
        return max(due, default=None)

    def last_look(self) -> datetime | None:
        """When it last asked, or saw that it need not; None when it never could."""
        return self._last

    def _ask(self, jobs: Sequence[Job]) -> None:
        """Ask for these jobs; a database that is away is asked again in a moment."""
        try:
            found = ask(self._home, jobs)
        except PaperroundError as error:
            log.log(logging.DEBUG if self._is_away else logging.WARNING, "nothing asked: %s", error)
            self._is_away = True
            return
        if self._is_away:
            log.info("the database is back")
        self._is_away = False
        self._last = self._home.clock.now()
        if found is not None and (found.is_first or found.period != self._ours):
            self._lead(found)

    def _lead(self, found: SchedulerLook) -> None:
        """Say when this scheduler begins to be the one that asks, and when another one is."""
        leads = self._ours is not None
        if found.is_first and not leads:
            log.info("this scheduler asks for the rounds")
        elif not found.is_first and (leads or self._period is None):
            log.info("another scheduler asks for the rounds: this one stands by")
        self._ours = found.period if found.is_first else None
        self._period = found.period

    def _watch(self) -> None:
        while not self._stopping.wait(EVERY):
            keep_appointments(self._minutes.get_jobs(), self._home.clock.now())


def keep_appointments(appointments: list[Appointment], now: datetime) -> None:
    """Move to `now` what lies further ahead than it ever should: the clock was put back."""
    for appointment in appointments:
        due: datetime | None = appointment.next_run_time
        if due is not None and due - now > timedelta(seconds=2 * EVERY):
            appointment.modify(next_run_time=now)
