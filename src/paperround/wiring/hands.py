"""Who does the jobs: threads of this process on SQLite, any number of processes on PostgreSQL."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from paperround.domain.errors import PaperroundError
from paperround.domain.work import Job, Line
from paperround.jobs import roles, signup_worker
from paperround.jobs.deliver import deliver_notices
from paperround.jobs.ports import Queue
from paperround.jobs.resting import Sending
from paperround.wiring.rounds import (
    DELIVER,
    ENRICH,
    JOB_THREADS,
    LEARN,
    MAIL,
    NOTICES,
    POLL,
    POSTS,
    PUBLISH,
    RETURNS,
    ROUNDS,
    SUMMARISE,
)

if TYPE_CHECKING:  # a command imports the rooms it needs, so that it starts quickly
    from paperround.queue.postgres import PostgresQueue
    from paperround.wiring import Runtime

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What this process does of the jobs on PostgreSQL, once its queue is started: the lines it
    serves, and how many jobs of one run at once, where more than one may."""

    lines: tuple[Line, ...] = tuple(Line)
    wide: int = 4


def queue_of(home: "Runtime") -> Queue:
    """The jobs of this installation; nothing runs here before it is started."""
    queue: Queue = _threads() if home.settings.embedded else _postgres(home)
    sending = Sending(post=home.post, clock=home.clock, on_first=partial(_join, home, queue))
    means: Sequence[tuple[Job, Callable[[], object]]] = (
        (NOTICES, lambda: _answer(home)),
        (DELIVER, sending.send),
        (POSTS, home.post_to_channels),
        (PUBLISH, home.publish),
        (POLL, home.poll),
        (ENRICH, home.enrich),
        (SUMMARISE, home.summarise),
        (RETURNS, home.read_returns),
        (LEARN, home.learn),
    )
    for job, do in means:
        queue.register(job.task, partial(_do, do))
    return queue


@contextmanager
def requests_first(home: "Runtime") -> Iterator[None]:
    """Write the mails that people asked for, as far as that can be done, and go on. What keeps them
    waiting is told once, also where it ends what follows."""
    trouble = ""
    try:
        signup_worker.work_on_requests(home.desk, now=home.clock.now())
    except PaperroundError as error:
        trouble = str(error)
    try:
        yield
    except PaperroundError as error:
        trouble = "" if str(error) == trouble else trouble
        raise
    finally:
        if trouble:
            log.error("what people asked for has to wait: %s", trouble)


def _answer(home: "Runtime") -> None:
    with home.requests_first():
        deliver_notices(home.post())


def _do(do: Callable[[], object], _: object) -> None:
    do()


def _join(home: "Runtime", queue: Queue) -> None:
    """Mail leaves: let another process join in, if there is one with nothing to do."""
    if home.settings.embedded:
        return
    try:
        queue.put(DELIVER)
    except PaperroundError as error:  # they join at the next look
        log.warning("nobody is asked to join in sending: %s", error)


def _threads() -> Queue:
    from paperround.queue.threads import ThreadQueue

    return ThreadQueue(threads=JOB_THREADS)


def _postgres(home: "Runtime") -> "PostgresQueue":
    from paperround.queue.postgres import PostgresQueue
    from paperround.store.engine import driver_arguments, driver_connection

    return PostgresQueue(
        partial(driver_connection, home.engine),
        driver_arguments(home.engine),
        now=home.clock.now,
        lines=home.hands.lines,
        wide=home.hands.wide,
        alive=lambda: _live(home),
    )


def _live(home: "Runtime") -> None:
    """Leave a sign of life, and write down what was heard while the database was away: the next run
    of sending may be another process's."""
    me, lines = home.processes.current(), home.hands.lines
    roles.worker_lives(home.database, me, lines, now=home.clock.now())
    home.unwritten.catch_up(home.database)


def put_within(home: "Runtime", connection: object, jobs: Sequence[Job]) -> None:
    """Put what a transaction asks for on its own connection: no commit, no jobs."""
    for job in jobs:
        home.shared_queue.put_within(connection, job)


def tick(home: "Runtime") -> roles.Look | None:
    """Ask for what is done once a minute: on PostgreSQL if no other scheduler has."""
    return _ask(home, ROUNDS)


def glance(home: "Runtime") -> roles.Look | None:
    """Between two ticks: ask for mail and posts to be sent; on PostgreSQL if some are due, and look
    whether it is time for a tick that nobody asked for."""
    return _ask(home, MAIL)


def _ask(home: "Runtime", jobs: Sequence[Job]) -> roles.Look | None:
    if home.settings.embedded:
        for job in jobs:
            home.queue.put(job)
        return None
    me, now = home.processes.current(), home.clock.now()
    return roles.look(home.database, me, ROUNDS, MAIL, now=now)
