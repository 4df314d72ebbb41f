"""What every way of running jobs must do, whichever adapter runs them."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

import pytest

from paperround.domain.errors import Conflict, InvalidInput, NotFound
from paperround.domain.work import Job
from paperround.jobs.ports import Queue
from paperround.queue.retries import FIRST_RETRY, LONGEST_RETRY, MOST_TRIES, retry
from paperround.queue.threads import ThreadQueue
from tests.queues import NOON, Present, TimedQueue

PATIENCE = 20.0
Arguments = Mapping[str, str | int]


@pytest.fixture(params=["threads", "postgres"])
def queue(request: pytest.FixtureRequest, present: Present) -> Iterator[Queue]:
    adapter: Queue
    if request.param == "threads":
        adapter = ThreadQueue(now=present)
    else:
        adapter = TimedQueue(request.getfixturevalue("timed_engine"), present)
    yield adapter
    assert adapter.stop(drain_seconds=PATIENCE), "a job did not end"


@pytest.fixture
def ran(queue: Queue) -> list[str | int]:
    """The `n` of every `note` job that ran, in order."""
    notes: list[str | int] = []
    queue.register("note", lambda arguments: notes.append(arguments["n"]))
    return notes


def note(n: int, **more: object) -> Job:
    return Job(task="note", arguments={"n": n}, **more)  # type: ignore[arg-type]


def failing(error: Exception, times: int, tries: list[int]) -> Callable[[Arguments], None]:
    """A task that raises `error` the first `times` times."""

    def run(_: Arguments) -> None:
        tries.append(len(tries))
        if len(tries) <= times:
            raise error

    return run


def run_for(queue: Queue, span: timedelta) -> int:
    """Run what becomes due within `span`, a minute at a time; returns how many jobs ran."""
    minutes = range(int(span.total_seconds() // 60) + 1)
    return sum(queue.run_until_idle(now=NOON + timedelta(minutes=minute)) for minute in minutes)


def test_jobs_run_in_the_order_they_came(queue: Queue, ran: list[int]) -> None:
    for n in range(4):
        assert queue.put(note(n))
    assert queue.run_until_idle(now=NOON) == 4
    assert ran == [0, 1, 2, 3]


def test_an_urgent_job_overtakes_one_that_became_due_earlier(queue: Queue, ran: list[int]) -> None:
    queue.put(note(0, not_before=NOON - timedelta(hours=1)))
    queue.put(note(1, priority=-1, not_before=NOON))
    queue.run_until_idle(now=NOON)
    assert ran == [1, 0]


def test_a_job_waits_for_its_time(queue: Queue, ran: list[int]) -> None:
    queue.put(note(1, not_before=NOON + timedelta(seconds=1)))
    assert queue.run_until_idle(now=NOON) == 0
    assert queue.run_until_idle(now=NOON + timedelta(seconds=1)) == 1
    assert ran == [1]


def test_a_waiting_job_is_unique_by_its_lock(queue: Queue, ran: list[int]) -> None:
    assert queue.put(note(1, lock="feed:7"))
    assert not queue.put(note(2, lock="feed:7"))
    assert queue.put(note(3, lock="feed:8"))
    queue.run_until_idle(now=NOON)
    assert ran == [1, 3]
    assert queue.put(note(4, lock="feed:7"))


def test_a_running_job_may_ask_for_itself_again(queue: Queue) -> None:
    answers: list[bool] = []
    again = Job(task="again", lock="one", not_before=NOON)

    def run(_: Arguments) -> None:
        if not answers:
            answers.append(queue.put(again))

    queue.register("again", run)
    queue.put(again)
    assert queue.run_until_idle(now=NOON) == 2
    assert answers == [True]


def test_jobs_with_one_lock_never_run_side_by_side(queue: Queue) -> None:
    inside, release, second = threading.Event(), threading.Event(), threading.Event()
    running: list[int] = []

    def run(arguments: Arguments) -> None:
        running.append(int(arguments["n"]))
        if len(running) == 1:
            inside.set()
            release.wait(PATIENCE)
        else:
            second.set()

    queue.register("slow", run)
    queue.register("other", lambda _: release.set() if running == [1] else None)
    queue.start()
    queue.put(Job(task="slow", arguments={"n": 1}, lock="mail"))
    assert inside.wait(PATIENCE)
    assert queue.put(Job(task="slow", arguments={"n": 2}, lock="mail"))
    assert not queue.put(Job(task="slow", arguments={"n": 3}, lock="mail"))
    queue.put(Job(task="other"))  # runs on the free thread, and only then the second one
    assert second.wait(PATIENCE)
    assert running == [1, 2]


def test_an_unknown_task_is_refused_with_the_known_ones(queue: Queue, ran: list[int]) -> None:
    with pytest.raises(NotFound, match=r"'nope'.*note"):
        queue.put(Job(task="nope"))


def test_a_task_has_one_meaning(queue: Queue, ran: list[int]) -> None:
    with pytest.raises(ValueError, match="note"):
        queue.register("note", lambda _: None)


def test_a_job_that_waits_for_its_next_try_gives_way_to_one_asked_for_now(queue: Queue) -> None:
    tries: list[int] = []
    queue.register("deliver", failing(RuntimeError("busy"), 1, tries))
    job = Job(task="deliver", lock="deliver")
    queue.put(job)
    queue.run_until_idle(now=NOON)
    assert queue.put(job)
    queue.run_until_idle(now=NOON + timedelta(seconds=1))
    assert len(tries) == 2
    assert run_for(queue, timedelta(hours=1)) == 0


def test_a_job_does_not_give_way_to_a_later_one_of_its_lock(queue: Queue, ran: list[int]) -> None:
    soon, late = NOON + timedelta(minutes=1), NOON + timedelta(minutes=2)
    assert queue.put(note(1, lock="x", not_before=soon))
    assert not queue.put(note(2, lock="x", not_before=late))
    assert not queue.put(note(3, lock="x", not_before=soon))
    assert queue.put(note(4, lock="y", not_before=late))
    run_for(queue, timedelta(hours=1))
    assert ran == [1, 4]


def test_a_naive_time_is_refused(queue: Queue, ran: list[int]) -> None:
    with pytest.raises(ValueError, match="naive"):
        queue.put(note(1, not_before=NOON.replace(tzinfo=None)))
    with pytest.raises(ValueError, match="naive"):
        queue.run_until_idle(now=NOON.replace(tzinfo=None))


def test_a_job_that_raises_never_stops_the_others(queue: Queue, ran: list[int]) -> None:
    queue.register("break", failing(RuntimeError("disk"), 1, []))
    queue.put(Job(task="break"))
    queue.put(note(1))
    assert queue.run_until_idle(now=NOON) == 2
    assert ran == [1]


def test_a_hopeless_job_is_given_up_and_said_so(
    queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[int] = []
    queue.register("hopeless", failing(RuntimeError("disk"), 99, tries))
    queue.put(Job(task="hopeless"))
    run_for(queue, timedelta(hours=3))
    assert len(tries) == MOST_TRIES
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert ["hopeless" in record.getMessage() for record in errors] == [True]


def test_a_permanent_error_is_not_tried_again(queue: Queue) -> None:
    tries: list[int] = []
    queue.register("wrong", failing(InvalidInput("a bad row"), 99, tries))
    queue.put(Job(task="wrong"))
    run_for(queue, timedelta(hours=3))
    assert len(tries) == 1


def test_a_background_job_waits_for_its_time(queue: Queue, present: Present) -> None:
    late, soon = threading.Event(), threading.Event()
    queue.register("late", lambda _: late.set())
    queue.register("soon", lambda _: soon.set())
    queue.start()
    queue.put(Job(task="late", not_before=NOON + timedelta(hours=1)))
    queue.put(Job(task="soon"))
    assert soon.wait(PATIENCE)
    assert not late.is_set()
    present.moment += timedelta(hours=1)
    queue.put(Job(task="soon", not_before=NOON + timedelta(hours=9)))
    assert late.wait(PATIENCE)


def test_stopping_finishes_what_runs_and_takes_nothing_new(queue: Queue) -> None:
    running, finish, never = threading.Event(), threading.Event(), threading.Event()

    def run(_: Arguments) -> None:
        running.set()
        finish.wait(PATIENCE)

    queue.register("long", run)
    queue.register("never", lambda _: never.set())
    queue.start()
    queue.put(Job(task="long"))
    assert running.wait(PATIENCE)
    assert not queue.stop(drain_seconds=0)
    queue.put(Job(task="never"))
    finish.set()
    assert queue.stop(drain_seconds=PATIENCE)
    assert not never.is_set()


def test_a_stopped_queue_can_start_again_with_what_waits(queue: Queue) -> None:
    done = threading.Event()
    queue.register("go", lambda _: done.set())
    assert queue.stop(drain_seconds=0)
    queue.put(Job(task="go"))
    queue.start()
    assert done.wait(PATIENCE)


def test_the_pause_before_another_try_doubles_up_to_a_bound() -> None:
    pauses = []
    job: Job | None = Job(task="shaky")
    while job is not None:
        pauses.append((job.not_before or NOON) - NOON)
        job = retry(job, Conflict(), NOON)
    assert pauses[1:3] == [FIRST_RETRY, 2 * FIRST_RETRY]
    assert len(pauses) == MOST_TRIES
    assert max(pauses) <= LONGEST_RETRY
