"""What every way of running jobs must do, whichever adapter runs them."""

import logging
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from paperround.core.errors import InvalidInput, NotFound
from paperround.core.jobs import Job
from tests.queues import Present, SteppedQueue, TimedQueue

PATIENCE = 20.0
AnyQueue = SteppedQueue | TimedQueue


@pytest.fixture(params=["threads", "postgres"])
def queue(request: pytest.FixtureRequest, present: Present) -> Iterator[AnyQueue]:
    adapter: AnyQueue
    if request.param == "threads":
        adapter = SteppedQueue()
    else:
        adapter = TimedQueue(request.getfixturevalue("timed_engine"), present)
    yield adapter
    assert adapter.stop(drain_seconds=PATIENCE), "a job did not end"


@pytest.fixture
def ran(queue: AnyQueue) -> list[int]:
    """The numbers of the `note` jobs that ran, in order."""
    notes: list[int] = []
    for n in range(4):
        queue.register(f"note {n}", partial(notes.append, n))
    return notes


def note(n: int) -> Job:
    return Job(task=f"note {n}")


def failing(error: Exception) -> Callable[[], None]:
    """A task that raises `error`."""

    def run() -> None:
        raise error

    return run


def test_jobs_run_in_the_order_they_came(queue: AnyQueue, ran: list[int]) -> None:
    for n in range(4):
        assert queue.put(note(n))
    assert queue.run_waiting() == 4
    assert ran == [0, 1, 2, 3]


def test_of_the_jobs_of_a_task_one_waits(queue: AnyQueue, ran: list[int]) -> None:
    assert queue.put(note(1))
    assert not queue.put(note(1))
    assert queue.put(note(3))
    queue.run_waiting()
    assert ran == [1, 3]
    assert queue.put(note(1))


def test_a_running_job_may_ask_for_itself_again(queue: AnyQueue) -> None:
    answers: list[bool] = []
    again = Job(task="again")

    def run() -> None:
        if not answers:
            answers.append(queue.put(again))

    queue.register("again", run)
    queue.put(again)
    assert queue.run_waiting() == 2
    assert answers == [True]


def test_jobs_of_one_task_never_run_side_by_side(queue: AnyQueue) -> None:
    inside, release, second = threading.Event(), threading.Event(), threading.Event()
    running: list[int] = []

    def run() -> None:
        running.append(len(running) + 1)
        if running == [1]:
            inside.set()
            release.wait(PATIENCE)
        else:
            second.set()

    queue.register("slow", run)
    queue.register("other", lambda: release.set() if running == [1] else None)
    queue.start()
    queue.put(Job(task="slow"))
    assert inside.wait(PATIENCE)
    assert queue.put(Job(task="slow"))
    assert not queue.put(Job(task="slow"))
    queue.put(Job(task="other"))  # runs beside the first one, and only then the second one
    assert second.wait(PATIENCE)
    assert running == [1, 2]


def test_an_unknown_task_is_refused_with_the_known_ones(queue: AnyQueue, ran: list[int]) -> None:
    with pytest.raises(NotFound, match=r"'nope'.*note"):
        queue.put(Job(task="nope"))


def test_a_task_has_one_meaning(queue: AnyQueue, ran: list[int]) -> None:
    with pytest.raises(ValueError, match="note"):
        queue.register("note 0", lambda: None)


def test_a_job_that_raises_never_stops_the_others(queue: AnyQueue, ran: list[int]) -> None:
    queue.register("break", failing(RuntimeError("disk")))
    queue.put(Job(task="break"))
    queue.put(note(1))
    assert queue.run_waiting() == 2
    assert ran == [1]


@pytest.mark.parametrize(
    ("error", "is_foreseen"), [(RuntimeError("disk"), False), (InvalidInput("a bad row"), True)]
)
def test_a_job_that_failed_is_told_of_and_may_be_asked_for_again(
    queue: AnyQueue, caplog: pytest.LogCaptureFixture, error: Exception, is_foreseen: bool
) -> None:
    queue.register("hopeless", failing(error))
    for _ in range(2):
        assert queue.put(Job(task="hopeless"))
        assert queue.run_waiting() == 1
        assert queue.run_waiting() == 0
    told = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert ["hopeless" in one.getMessage() for one in told] == [True, True]
    assert [one.exc_info is None for one in told] == [is_foreseen] * 2


def test_stopping_finishes_what_runs_and_takes_nothing_new(queue: AnyQueue) -> None:
    running, finish, never = threading.Event(), threading.Event(), threading.Event()

    def run() -> None:
        running.set()
        finish.wait(PATIENCE)

    queue.register("long", run)
    queue.register("never", never.set)
    queue.start()
    queue.put(Job(task="long"))
    assert running.wait(PATIENCE)
    assert not queue.stop(drain_seconds=0)
    queue.put(Job(task="never"))
    finish.set()
    assert queue.stop(drain_seconds=PATIENCE)
    assert not never.is_set()


def test_a_stopped_queue_can_start_again_with_what_waits(queue: AnyQueue) -> None:
    done = threading.Event()
    queue.register("go", done.set)
    assert queue.stop(drain_seconds=0)
    queue.put(Job(task="go"))
    queue.start()
    assert done.wait(PATIENCE)
