"""What jobs on PostgreSQL do beyond the contract: they are rows, which many processes see."""

from collections.abc import Callable, Iterator
from functools import partial
from threading import Event
from typing import Any, NoReturn

import pytest
from sqlalchemy import Engine

from paperround.bootstrap.workers import MAIL, ROUNDS
from paperround.core.interfaces import Worker
from paperround.core.jobs import DELIVER, NOTICES, Job, QueueDepth, QueueName
from paperround.db.engine import driver_connection
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, SqlDatabase, Transaction
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.ops.cluster import check_in
from tests.builders import (
    MINUTE,
    NOW,
    new_delivery,
    plan,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
)
from tests.contracts.notices import notice
from tests.databases import run_on
from tests.queues import NOON, Present, TimedQueue
from tests.races import THREADS, at_once

PATIENCE = 20.0
CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
NOTE = Job(task="note")
DEAD = 60
ME = Worker(host="here", pid=7, started="")


@pytest.fixture
def queue(timed_engine: Engine, present: Present) -> Iterator[TimedQueue]:
    """A queue that knows every task of an installation, and does nothing in them."""
    made = with_tasks(TimedQueue(timed_engine, present))
    yield made
    assert made.stop(drain_seconds=PATIENCE), "a job did not end"


@pytest.fixture
def database(timed_engine: Engine, queue: TimedQueue) -> Database:
    """The ledgers beside the queue; what is written there asks for its jobs."""

    def ask(connection: Any, jobs: list[Job]) -> None:
        for job in jobs:
            queue.put_within(connection, job)

    return SqlDatabase(timed_engine, ask=ask)  # type: ignore[arg-type]  # any sequence


def with_tasks(queue: TimedQueue, do: Callable[[str], object] = lambda _: None) -> TimedQueue:
    """The queue, knowing what every task means: `do`, of its name."""

    for job in (*ROUNDS, NOTE):
        queue.register(job.task, partial(do, job.task))
    return queue


def put_many(queue: TimedQueue, count: int, *, priority: int = 0) -> None:
    """Put jobs of tasks that only this queue knows."""
    for number in range(count):
        queue.register(f"novelty {number}", lambda: None)
        queue.put(Job(task=f"novelty {number}", priority=priority))


def waiting(queue: TimedQueue) -> int:
    """How many jobs wait in all lines."""
    return sum(line.waiting for line in queue.queue_depths().values())


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def lose(engine: Engine) -> None:
    """A worker takes the job that waits and dies a minute ago."""
    run_on(
        url_of(engine),
        "WITH gone AS (INSERT INTO procrastinate_workers (last_heartbeat)"
        f" VALUES ('{NOON.isoformat()}'::timestamptz - interval '1 minute') RETURNING id)"
        " UPDATE procrastinate_jobs SET status = 'doing',"
        " worker_id = (SELECT id FROM gone)",
    )


# --- within a transaction ------------------------------------------------------------------------


@pytest.mark.accept("F47", part="a job comes with the rows it speaks of")
def test_a_job_is_there_once_its_transaction_commits(
    timed_engine: Engine, queue: TimedQueue
) -> None:
    with driver_connection(timed_engine) as connection:
        assert queue.put_within(connection, NOTE)
        assert waiting(queue) == 0
    assert waiting(queue) == 1


@pytest.mark.accept("F47", part="no rows, no job")
def test_a_job_of_a_transaction_that_is_undone_never_was(
    timed_engine: Engine, queue: TimedQueue
) -> None:
    def put_and_be_killed(connection: Any) -> NoReturn:
        queue.put_within(connection, NOTE)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), driver_connection(timed_engine) as connection:
        put_and_be_killed(connection)
    assert waiting(queue) == 0
    assert queue.put(NOTE)


def test_a_notice_asks_for_its_sender_by_being_written(
    database: Database, queue: TimedQueue
) -> None:
    with database.writing() as work:
        work[NoticeLedger].put(
            notice(None, "test/1", SystemMailKind.TEST, "me@example.org"), now=NOW
        )
        assert waiting(queue) == 0
    assert queue.queue_depths()[QueueName.NOTICES] == QueueDepth(waiting=1)


def test_digests_that_are_planned_ask_for_their_sender(
    database: Database, queue: TimedQueue
) -> None:
    trending, papers = seed_list(database), seed_papers(database, 3)
    people = seed_subscribers(database, trending, ("alice", "bob"))
    edition = seed_edition(database, trending, papers)
    assert plan(database, edition, [new_delivery(one, papers) for one in people]) == 2
    assert queue.queue_depths()[QueueName.MAIL] == QueueDepth(waiting=1)


def test_nobody_runs_a_job_before_whoever_counts_on_it_has_committed(
    timed_engine: Engine, queue: TimedQueue
) -> None:
    """They found it waiting and put none of their own: run now, it would not see their rows."""
    queue.put(NOTE)
    with driver_connection(timed_engine) as connection:
        assert not queue.put_within(connection, NOTE)
        assert queue.run_waiting() == 0
    assert queue.run_waiting() == 1


@pytest.mark.accept("D2", part="queueing locks")
def test_a_job_that_many_ask_for_at_once_waits_once(
    timed_engine: Engine, queue: TimedQueue
) -> None:
    def ask_often(_: int) -> int:
        taken = 0
        for _ in range(25):
            with driver_connection(timed_engine) as connection:
                taken += queue.put_within(connection, NOTICES)
                taken += queue.put_within(connection, DELIVER)
        return taken

    assert sum(n for n in at_once(THREADS, ask_often) if not isinstance(n, str)) == 2
    assert waiting(queue) == 2


def test_an_urgent_job_overtakes_those_that_wait(queue: TimedQueue) -> None:
    ran: list[int] = []
    for n, priority in enumerate((20, 0, -10, 0)):
        queue.register(f"urgency {n}", partial(ran.append, n))
        queue.put(Job(task=f"urgency {n}", priority=priority))
    queue.run_waiting()
    assert ran == [2, 1, 3, 0]


# --- schedulers ----------------------------------------------------------------------------------


@pytest.mark.accept("T6", part="four schedulers, one tick")
def test_of_four_schedulers_that_look_at_once_one_asks_for_the_rounds(
    database: Database, queue: TimedQueue
) -> None:
    looks = at_once(4, lambda _: check_in(database, ME, ROUNDS, MAIL, now=NOON))
    assert sorted(looks) == [False, False, False, True]
    assert waiting(queue) == len(ROUNDS)


def test_a_tick_that_is_never_committed_is_asked_for_by_another_scheduler(
    database: Database, queue: TimedQueue
) -> None:
    """It took the period, asked, and died: the period is free and nothing was put."""

    def take_and_be_killed(work: Transaction) -> NoReturn:
        work[SlotStore].take("tick", "2026-01-30T12:00:00Z", now=NOON)
        for job in ROUNDS:
            work.ask(job)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), database.writing() as work:
        take_and_be_killed(work)
    assert check_in(database, ME, ROUNDS, MAIL, now=NOON)
    assert waiting(queue) == len(ROUNDS)


def test_mail_that_became_due_is_asked_for_between_two_ticks(
    database: Database, queue: TimedQueue
) -> None:
    check_in(database, ME, (), MAIL, now=NOW)
    assert waiting(queue) == 0
    with database.writing() as work:
        work[NoticeLedger].put(
            notice(None, "test/1", SystemMailKind.TEST, "me@example.org"), now=NOW
        )
    assert queue.run_waiting() == 1
    assert not check_in(database, ME, (), MAIL, now=NOW)
    assert (
        queue.queue_depths()[QueueName.MAIL]
        == queue.queue_depths()[QueueName.NOTICES]
        == QueueDepth(waiting=1)
    )


# --- the dead ------------------------------------------------------------------------------------


@pytest.mark.accept("T6", part="jobs of the dead are taken over")
def test_a_job_of_a_dead_worker_is_done_by_another(timed_engine: Engine, queue: TimedQueue) -> None:
    queue.put(NOTE)
    lose(timed_engine)
    assert queue.run_waiting() == 0
    queue.recover()
    assert queue.run_waiting() == 1
    assert waiting(queue) == 0


def test_a_job_of_a_dead_worker_goes_when_another_of_its_lock_waits(
    timed_engine: Engine, queue: TimedQueue
) -> None:
    queue.put(NOTE)
    lose(timed_engine)
    assert queue.put(NOTE)
    queue.recover()
    assert queue.queue_depths()[NOTE.line] == QueueDepth(waiting=1)
    assert queue.run_waiting() == 1


@pytest.mark.accept("T6", part="recovering at once", mutant="a-worker-that-recovers-second-fails")
def test_workers_that_recover_at_once_put_every_job_back(
    timed_engine: Engine, queue: TimedQueue, present: Present
) -> None:
    """Each of many dead workers had one job, and its place in the book goes with it."""
    put_many(queue, DEAD)
    run_on(
        url_of(timed_engine),
        "INSERT INTO procrastinate_workers (last_heartbeat) SELECT"
        f" '{NOON.isoformat()}'::timestamptz - interval '1 minute' FROM procrastinate_jobs;"
        "UPDATE procrastinate_jobs AS job SET status = 'doing', worker_id = dead.id FROM"
        " (SELECT id, row_number() OVER (ORDER BY id) FROM procrastinate_workers) AS dead,"
        " (SELECT id, row_number() OVER (ORDER BY id DESC) FROM procrastinate_jobs) AS one"
        " WHERE one.id = job.id AND one.row_number = dead.row_number",
    )
    crowd = [TimedQueue(timed_engine, present) for _ in range(THREADS)]
    at_once(THREADS, lambda number: crowd[number].recover())
    assert queue.queue_depths()[NOTE.line] == QueueDepth(waiting=DEAD)
    with driver_connection(timed_engine) as connection:
        assert connection.execute("SELECT count(*) FROM procrastinate_workers").fetchone() == (0,)


def test_the_jobs_of_a_worker_that_lives_are_its_own(
    timed_engine: Engine, queue: TimedQueue
) -> None:
    queue.put(NOTE)
    lose(timed_engine)
    run_on(
        url_of(timed_engine),
        f"UPDATE procrastinate_workers SET last_heartbeat = '{NOON.isoformat()}'",
    )
    queue.recover()
    assert queue.queue_depths()[NOTE.line] == QueueDepth(running=1)


def test_a_job_that_its_worker_never_heard_of_goes_back(
    timed_engine: Engine, queue: TimedQueue
) -> None:
    """The answer that gave it to the worker was lost: it is put back at the second look."""
    queue.put(NOTE)
    lose(timed_engine)
    run_on(
        url_of(timed_engine),
        f"UPDATE procrastinate_workers SET last_heartbeat = '{NOON.isoformat()}'",
    )
    with driver_connection(timed_engine) as connection:
        [me] = [row[0] for row in connection.execute("SELECT id FROM procrastinate_workers")]
    queue.once(partial(queue.manager.fetch_job, None, me))
    queue.recover()
    assert queue.queue_depths()[NOTE.line] == QueueDepth(running=1)
    queue.recover()
    assert queue.queue_depths()[NOTE.line] == QueueDepth(waiting=1)


def test_a_job_that_was_taken_while_its_worker_was_told_to_stop_goes_back(
    queue: TimedQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which tasks are taken is read before the statement that takes one, and may change."""
    queue.put(NOTE)
    taken = iter([[NOTE.task], []])
    monkeypatch.setattr(queue.manager, "_known", lambda: next(taken))
    queue.once(partial(queue.manager.fetch_job, None, 1))
    assert queue.queue_depths()[NOTE.line] == QueueDepth(waiting=1)


# --- another version ---------------------------------------------------------------------------


@pytest.mark.accept(
    "F47", part="a job of a newer version", mutant="jobs-of-a-newer-version-are-taken"
)
def test_a_job_of_a_task_that_is_not_known_here_is_left_to_others(
    timed_engine: Engine, queue: TimedQueue, present: Present
) -> None:
    newer = TimedQueue(timed_engine, present)
    put_many(newer, 2)
    queue.put(NOTE)
    assert queue.run_waiting() == 1
    queue.once(queue.look_after)
    assert waiting(queue) == 2
    assert queue.queue_depths()[NOTE.line].due_since is None
    with driver_connection(timed_engine) as connection:
        tries = connection.execute("SELECT sum(attempts) FROM procrastinate_jobs").fetchone()
    assert tries == (0,)
    assert newer.run_waiting() == 2


@pytest.mark.accept("F47", part="starves nobody", mutant="a-job-of-a-newer-version-holds-its-lock")
def test_jobs_of_a_newer_version_hold_up_no_other(
    timed_engine: Engine, queue: TimedQueue, present: Present
) -> None:
    """Not even one of the same lock, put later and less urgent."""
    newer = TimedQueue(timed_engine, present)
    put_many(newer, 100, priority=-10)
    queue.put(NOTE)
    run_on(
        url_of(timed_engine),
        "UPDATE procrastinate_jobs SET lock = 'novelty 7' WHERE task_name = 'note'",
    )
    assert queue.run_waiting() == 1


def test_a_job_that_is_left_to_others_goes_when_another_of_its_lock_waits(
    timed_engine: Engine, queue: TimedQueue, present: Present
) -> None:
    newer = TimedQueue(timed_engine, present)
    novelty = Job(task="novelty")
    newer.register("novelty", lambda: None)
    newer.put(novelty)
    lose(timed_engine)
    newer.put(novelty)
    present.moment = NOON + MINUTE
    assert queue.run_waiting() == 0
    queue.recover()
    assert waiting(queue) == 1


# --- many processes ------------------------------------------------------------------------------


def test_two_processes_send_side_by_side_and_each_only_once(
    timed_engine: Engine, present: Present
) -> None:
    inside, release = [Event(), Event(), Event()], Event()
    begun: list[str] = []

    def send(name: str) -> None:
        begun.append(name)
        inside[len(begun) - 1].set()
        release.wait(PATIENCE)

    crowd = [TimedQueue(timed_engine, present, QueueName.MAIL) for _ in range(2)]
    for name, one in zip("ab", crowd, strict=True):
        one.register("deliver", partial(send, name))
        one.start()
    for place in range(2):
        crowd[0].put(DELIVER)
        assert inside[place].wait(PATIENCE)
    crowd[0].put(DELIVER)
    assert sorted(begun) == ["a", "b"]
    assert crowd[0].queue_depths()[QueueName.MAIL] == QueueDepth(waiting=1, running=2)
    release.set()
    assert inside[2].wait(PATIENCE)
    assert all(one.stop(drain_seconds=PATIENCE) for one in crowd)


def test_a_process_sends_in_one_job_at_a_time(timed_engine: Engine, present: Present) -> None:
    inside, release, overtaken = Event(), Event(), Event()

    def send() -> None:
        inside.set()
        release.wait(PATIENCE)

    queue = TimedQueue(timed_engine, present)
    queue.register("deliver", send)
    queue.register("note", overtaken.set)
    queue.start()
    queue.put(DELIVER)
    assert inside.wait(PATIENCE)
    queue.put(DELIVER)
    queue.put(NOTE)  # of lower priority: a worker with room for the other one takes that first
    assert overtaken.wait(PATIENCE)
    assert queue.queue_depths()[QueueName.MAIL] == QueueDepth(waiting=1, running=1)
    release.set()
    assert queue.stop(drain_seconds=PATIENCE)


def test_a_worker_takes_jobs_of_its_own_lines_only(timed_engine: Engine, present: Present) -> None:
    done = Event()
    ran: list[str] = []

    def run(task: str) -> None:
        ran.append(task)
        done.set()

    queue = with_tasks(TimedQueue(timed_engine, present, QueueName.NOTICES), run)
    queue.start()
    queue.put(NOTE)
    queue.put(NOTICES)
    assert done.wait(PATIENCE)
    assert queue.stop(drain_seconds=PATIENCE)
    assert ran == ["notices"]
    assert waiting(queue) == 1


@pytest.mark.parametrize(
    "harm",
    [
        CUT,
        "DELETE FROM procrastinate_workers",
    ],
    ids=["its connections are cut", "it was taken for dead"],
)
def test_a_worker_begins_anew(
    timed_engine: Engine, present: Present, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    done = [Event(), Event()]
    left = list(done)
    queue = with_tasks(TimedQueue(timed_engine, present, NOTE.line), lambda _: left.pop(0).set())
    queue.start()
    queue.put(NOTE)
    assert done[0].wait(PATIENCE)
    run_on(url_of(timed_engine), harm)
    queue.put(NOTE)
    assert done[1].wait(PATIENCE)
    assert queue.stop(drain_seconds=PATIENCE)
