"""The minute hand: once a minute it asks for the rounds of this installation, and decides nothing.

What is due stands in the database, so several of these may run, stop and start at any moment: a
round that finds nothing due does nothing. Jobs are asked for under a lock, so that a round that
takes longer than a minute is not started twice.

Between two ticks it looks every few seconds whether mail waits: somebody may have signed up through
another process. And it watches the clock: the library reckons in wall time, and a clock that is put
back by an hour would stop the ticks for an hour.
"""

from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from apscheduler.job import Job as Appointment
from apscheduler.schedulers.background import BackgroundScheduler

from paperround.wiring import Runtime
from paperround.wiring.rounds import DELIVER, NOTICES, ROUNDS

EVERY = 60
"""Seconds between two ticks."""

GLANCE = 5
"""Seconds between two looks at whether mail waits."""


class Scheduler:
    """Ticks while it is started, the first time at once."""

    def __init__(self, home: Runtime) -> None:
        self._home = home
        self._minutes = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )
        self._stopping = Event()

    def start(self) -> None:
        """Run the rounds now and every minute from now on, in the queue's threads."""
        self._home.queue.start()
        self._minutes.add_job(
            self._tick, "interval", seconds=EVERY, next_run_time=self._home.clock.now()
        )
        self._minutes.add_job(self._glance, "interval", seconds=GLANCE)
        self._minutes.start()
        Thread(target=self._watch, name="paperround-clock", daemon=True).start()

    def stop(self, *, drain_seconds: float) -> bool:
        """Start nothing new and finish what runs, of a delivery the mails in hand; True when it
        ended in time. Whoever was never started, or stopped already, has nothing to stop."""
        self._stopping.set()
        self._home.stop_sending()
        if self._minutes.running:
            self._minutes.shutdown(wait=False)
        return self._home.queue.stop(drain_seconds=drain_seconds)

    def next_tick(self) -> datetime | None:
        """When the next tick comes, None when none does."""
        due: list[datetime] = [one.next_run_time for one in self._minutes.get_jobs()]
        return max(due, default=None)

    def _tick(self) -> None:
        for job in ROUNDS:
            self._home.queue.put(job)

    def _glance(self) -> None:
        for job in (NOTICES, DELIVER):
            self._home.queue.put(job)

    def _watch(self) -> None:
        while not self._stopping.wait(EVERY):
            keep_appointments(self._minutes.get_jobs(), self._home.clock.now())


def keep_appointments(appointments: list[Appointment], now: datetime) -> None:
    """Move to `now` what lies further ahead than it ever should: the clock was put back."""
    for appointment in appointments:
        due: datetime | None = appointment.next_run_time
        if due is not None and due - now > timedelta(seconds=2 * EVERY):
            appointment.modify(next_run_time=now)
