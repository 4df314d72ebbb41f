"""What every way of running jobs must do, whichever adapter runs them."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping

import pytest

from paperround.core.errors import InvalidInput, NotFound
from paperround.core.jobs import Job
from tests.queues import Present, SteppedQueue, TimedQueue

PATIENCE = 20.0
Arguments = Mapping[str, str | int]
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
def ran(queue: AnyQueue) -> list[str | int]:
    """The `n` of every `note` job that ran, in order."""
    notes: list[str | int] = []
    queue.register("note", lambda arguments: notes.append(arguments["n"]))
    return notes


def note(n: int, **more: object) -> Job:
    return Job(task="note", arguments={"n": n}, **more)  # type: ignore[arg-type]


def failing(error: Exception) -> Callable[[Arguments], None]:
    """A task that raises `error`."""

    def run(_: Arguments) -> None:
        raise error

    return run


def test_jobs_run_in_the_order_they_came(queue: AnyQueue, ran: list[int]) -> None:
    for n in range(4):
        assert queue.put(note(n))
    assert queue.run_waiting() == 4
    assert ran == [0, 1, 2, 3]


def test_an_urgent_job_overtakes_those_that_wait(queue: AnyQueue, ran: list[int]) -> None:
    for n, priority in enumerate((20, 0, -10, 0)):
        queue.put(note(n, priority=priority))
    queue.run_waiting()
    assert ran == [2, 1, 3, 0]


def test_a_waiting_job_is_unique_by_its_lock(queue: AnyQueue, ran: list[int]) -> None:
    assert queue.put(note(1, lock="feed:7"))
    assert not queue.put(note(2, lock="feed:7"))
    assert queue.put(note(3, lock="feed:8"))
    queue.run_waiting()
    assert ran == [1, 3]
    assert queue.put(note(4, lock="feed:7"))


def test_a_running_job_may_ask_for_itself_again(queue: AnyQueue) -> None:
    answers: list[bool] = []
    again = Job(task="again", lock="one")

    def run(_: Arguments) -> None:
        if not answers:
            answers.append(queue.put(again))

    queue.register("again", run)
    queue.put(again)
    assert queue.run_waiting() == 2
    assert answers == [True]


def test_jobs_with_one_lock_never_run_side_by_side(queue: AnyQueue) -> None:
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


def test_an_unknown_task_is_refused_with_the_known_ones(queue: AnyQueue, ran: list[int]) -> None:
    with pytest.raises(NotFound, match=r"'nope'.*note"):
        queue.put(Job(task="nope"))


def test_a_task_has_one_meaning(queue: AnyQueue, ran: list[int]) -> None:
    with pytest.raises(ValueError, match="note"):
        queue.register("note", lambda _: None)


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
        assert queue.put(Job(task="hopeless", lock="hopeless"))
        assert queue.run_waiting() == 1
        assert queue.run_waiting() == 0
    told = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert ["hopeless" in one.getMessage() for one in told] == [True, True]
    assert [one.exc_info is None for one in told] == [is_foreseen] * 2


def test_stopping_finishes_what_runs_and_takes_nothing_new(queue: AnyQueue) -> None:
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


def test_a_stopped_queue_can_start_again_with_what_waits(queue: AnyQueue) -> None:
    done = threading.Event()
    queue.register("go", lambda _: done.set())
    assert queue.stop(drain_seconds=0)
    queue.put(Job(task="go"))
    queue.start()
    assert done.wait(PATIENCE)
