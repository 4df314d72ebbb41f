"""The minute hand asks for the rounds at once and every minute, and stops when it is told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from threading import Event

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from paperround.bootstrap import AppContext
from paperround.bootstrap.workers import ROUNDS
from paperround.config import Settings
from paperround.core.clock import FixedClock, SystemClock
from paperround.core.errors import DatabaseFailed, RateLimited
from paperround.core.jobs import DELIVER, NOTICES, Job
from paperround.db.migrate import upgrade
from paperround.ops.tick import MAX_TICK_GAP, live
from paperround.plugins.channels.job import POSTS
from paperround.scheduler import (
    BACKUP_SECONDS,
    TICK_SECONDS,
    EveryInterval,
    Scheduler,
    reset_runs_ahead,
)
from tests.queues import SteppedQueue
from tests.waiting import until

PATIENCE = 20.0


@dataclass
class Jobs:
    """A queue that keeps what it was asked for, and says when it has a whole round."""

    ends_in_time: bool = True
    asked: list[Job] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    round: Event = field(default_factory=Event)

    def register(self, task: str, run: Callable[[], object]) -> None:
        raise AssertionError(f"{task} is registered by whoever makes the queue: {run}")

    def put(self, job: Job) -> bool:
        self.asked.append(job)
        if len(self.asked) == len(ROUNDS):
            self.round.set()
        return True

    def start(self) -> None:
        self.calls.append(f"start, {len(self.asked)} asked")

    def stop(self, *, drain_seconds: float) -> bool:
        self.calls.append(f"stop in {drain_seconds:.0f} s")
        return self.ends_in_time


@dataclass(frozen=True)
class Home(AppContext):
    """An installation with these jobs."""

    jobs: Jobs = field(default_factory=Jobs)

    @cached_property
    def queue(self) -> Jobs:
        return self.jobs


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(Settings(data_dir=tmp_path), SystemClock())


def test_the_first_round_is_asked_for_at_once(home: Home) -> None:
    minutes = Scheduler(home)
    minutes.start()
    assert home.jobs.round.wait(PATIENCE)
    assert minutes.stop(drain_seconds=3)
    assert home.jobs.asked == list(ROUNDS)
    assert home.jobs.calls == ["start, 0 asked", "stop in 3 s"]


def test_the_next_round_comes_within_a_minute(home: Home) -> None:
    minutes = Scheduler(home)
    assert minutes.next_tick() is None
    before = home.clock.now()
    minutes.start()
    assert home.jobs.round.wait(PATIENCE)
    due = minutes.next_tick()
    minutes.stop(drain_seconds=0)
    assert due is not None
    assert 0 <= (due - before).total_seconds() <= TICK_SECONDS + PATIENCE
    assert minutes.next_tick() is None


def test_a_scheduler_knows_when_it_last_asked_for_jobs(home: Home) -> None:
    minutes = Scheduler(home)
    assert minutes.last_enqueued_at() is None
    before = home.clock.now()
    minutes.start()
    last = until(minutes.last_enqueued_at)
    minutes.stop(drain_seconds=0)
    assert before <= last <= home.clock.now()


def test_a_schedule_that_stops_is_logged_once_as_an_error(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    upgrade(home.engine)
    minutes = Scheduler(home)
    minutes.start()
    began = until(minutes.last_enqueued_at)
    minutes.stop(drain_seconds=0)

    def errors(*moments: datetime) -> list[str]:
        caplog.clear()
        for now in moments:
            minutes.report_missing_ticks(now)
        return [one.message for one in caplog.records if one.levelname == "ERROR"]

    live(home.database, now=began)
    late = began + 2 * MAX_TICK_GAP
    assert errors(began, late, began) == [], "the clock jumped, and the next tick came"
    [stopped] = errors(late, late, late)
    assert "the scheduler has stopped" in stopped
    assert errors(began) == [], "it runs again"
    live(home.database, now=began - timedelta(hours=1))
    assert errors(began) == [], "found missing once"
    [not_run] = errors(began)
    assert "no tick has run since" in not_run


@pytest.mark.accept("O4", part="delivery is told to stop")
def test_stopping_tells_a_delivery_that_runs_to_take_up_no_more_mail(home: Home) -> None:
    minutes = Scheduler(home)
    minutes.start()
    stopping = home.post().stopping
    assert not stopping()
    minutes.stop(drain_seconds=0)
    assert stopping()


@pytest.mark.parametrize("times", [1, 2])
def test_a_hand_that_never_moved_can_be_stopped(home: Home, times: int) -> None:
    minutes = Scheduler(home)
    assert all(minutes.stop(drain_seconds=0) for _ in range(times))


def test_a_drain_that_took_too_long_is_told(home: Home) -> None:
    home.jobs.ends_in_time = False
    minutes = Scheduler(home)
    minutes.start()
    assert not minutes.stop(drain_seconds=0)


@pytest.mark.accept("T6", part="take-over within a minute")
@pytest.mark.parametrize("job", ROUNDS, ids=lambda job: str(job.task))
def test_a_round_that_failed_is_no_obstacle_to_the_next(home: Home, job: Job) -> None:
    """A failed job's own next try would hold its lock, minutes after the trouble is over."""
    tries: list[str] = []

    def run() -> None:
        tries.append(job.task)
        if len(tries) < 6:
            raise DatabaseFailed("it is down")

    queue = SteppedQueue()
    queue.register(job.task, run)
    for _ in range(6):
        assert queue.put(job)
        assert queue.run_waiting() == 1
    assert len(tries) == 6


@pytest.mark.accept("O4", part="polls")
def test_a_poll_that_waits_for_its_turn_is_put_off_when_the_process_ends(home: Home) -> None:
    home.feed_context.pause(0)
    home.stop_sending()
    with pytest.raises(RateLimited, match="asked to stop"):
        home.feed_context.pause(PATIENCE)


@pytest.mark.accept("F46", part="alerts")
@pytest.mark.parametrize(
    ("contact", "to"),
    [
        ("keeper@example.org", "keeper@example.org"),
        ("https://social.example/@group", None),
        ("write to @ada", None),
        ("", None),
        (None, None),
    ],
)
def test_alerts_are_mailed_only_to_what_is_an_address(
    tmp_path: Path, contact: str | None, to: str | None
) -> None:
    home = Home(Settings(data_dir=tmp_path, contact=contact), SystemClock())
    assert home.tick_context.alerts_to == to


@pytest.mark.accept("T5", part="the clock is put back")
@pytest.mark.parametrize("hours", [0.05, 2, 40])
def test_a_clock_that_is_put_back_stops_no_tick(home: Home, hours: float) -> None:
    now = home.clock.now()
    minutes = BackgroundScheduler(timezone=UTC)
    minutes.start(paused=True)
    ahead = now + timedelta(hours=hours)
    minutes.add_job(home.stop_sending, "interval", seconds=TICK_SECONDS, next_run_time=ahead)
    reset_runs_ahead(minutes.get_jobs(), now)
    (appointment,) = minutes.get_jobs()
    minutes.shutdown(wait=False)
    assert appointment.next_run_time == now


def test_a_run_that_is_due_within_its_interval_is_not_moved(home: Home) -> None:
    now = home.clock.now()
    jobs = BackgroundScheduler(timezone=UTC)
    jobs.start(paused=True)
    due = now + timedelta(seconds=BACKUP_SECONDS)
    jobs.add_job(home.back_up_if_due, EveryInterval(BACKUP_SECONDS), next_run_time=due)
    reset_runs_ahead(jobs.get_jobs(), now)
    (backup,) = jobs.get_jobs()
    jobs.shutdown(wait=False)
    assert backup.next_run_time == due


@pytest.mark.accept("T5", part="a machine that began in 1970")
def test_the_minutes_that_a_clock_leapt_over_are_not_counted_one_by_one(tmp_path: Path) -> None:
    began = FixedClock(datetime(1970, 1, 1, tzinfo=UTC))
    home = Home(Settings(data_dir=tmp_path), began)
    minutes = Scheduler(home)
    minutes.start()
    assert home.jobs.round.wait(PATIENCE)

    def is_made_up_for() -> bool:
        due = minutes.next_tick()
        return due is not None and due > SystemClock().now() - timedelta(seconds=PATIENCE)

    until(is_made_up_for)
    minutes.stop(drain_seconds=0)


@pytest.mark.parametrize(
    ("before", "after"),
    [(0, 60), (-59, 1), (-60, 60), (-3600, 60), (30, 90)],
    ids=["on time", "late", "by a whole pause", "by an hour", "early"],
)
def test_the_next_time_keeps_its_pace_and_is_never_over(before: int, after: int) -> None:
    now = datetime(2026, 3, 2, 8, tzinfo=UTC)
    due = EveryInterval(60).get_next_fire_time(now + timedelta(seconds=before), now)
    assert due == now + timedelta(seconds=after)


def test_mail_that_waits_is_looked_for_between_two_ticks(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paperround.scheduler.POLL_SECONDS", 0.5)
    minutes = Scheduler(home)
    minutes.start()
    until(lambda: len(home.jobs.asked) >= len(ROUNDS) + 3)
    minutes.stop(drain_seconds=0)
    assert home.jobs.asked[: len(ROUNDS) + 3] == [*ROUNDS, NOTICES, DELIVER, POSTS.job]
