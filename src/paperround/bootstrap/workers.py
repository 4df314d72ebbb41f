"""Who does the jobs: threads of this process on SQLite, any number of processes on PostgreSQL."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from paperround.core.errors import Misconfigured, PaperroundError
from paperround.core.interfaces import Clock
from paperround.core.jobs import DELIVER, NOTICES, Job, Queue, QueueName, SharedQueue
from paperround.delivery.deliver import ASKED_TO_STOP
from paperround.digests.sending import DeliveryContext, deliver, deliver_notices
from paperround.ops import cluster
from paperround.signup import worker

if TYPE_CHECKING:  # a command imports the rooms it needs, so that it starts quickly
    from paperround.bootstrap import AppContext

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """What this process does of the jobs on PostgreSQL, once its queue is started: the lines it
    serves, and how many jobs of one run at once, where more than one may."""

    lines: tuple[QueueName, ...] = tuple(QueueName)
    wide: int = 4


def queue_of(home: "AppContext") -> Queue:
    """The jobs of this installation; nothing runs here before it is started."""
    queue: Queue
    if home.settings.embedded:
        from paperround.ops.queue import ThreadQueue

        queue = ThreadQueue(threads=JOB_THREADS)
    else:
        queue = _postgres(home)

    def answer() -> None:
        with home.requests_first():
            deliver_notices(home.post())

    sending = Sending(post=home.post, clock=home.clock, on_first=partial(_join, home, queue))
    means: Sequence[tuple[Job, Callable[[], object]]] = (
        (NOTICES, answer),
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
def requests_first(home: "AppContext") -> Iterator[None]:
    """Write the mails that people asked for, as far as that can be done, and go on. What keeps them
    waiting is told once, also where it ends what follows."""
    trouble = ""
    try:
        worker.work_on_requests(home.desk, now=home.clock.now())
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


def _do(do: Callable[[], object], _: object) -> None:
    do()


def _join(home: "AppContext", queue: Queue) -> None:
    """Mail leaves: let another process join in, if there is one with nothing to do."""
    if home.settings.embedded:
        return
    try:
        queue.put(DELIVER)
    except PaperroundError as error:  # they join at the next look
        log.warning("nobody is asked to join in sending: %s", error)


def _postgres(home: "AppContext") -> SharedQueue:
    from paperround.core.plugins import plugins
    from paperround.db.engine import driver_arguments, driver_connection

    def alive() -> None:
        """Leave a sign of life, and write down what was heard while the database was away: the next
        run of sending may be another process's."""
        me, lines = home.processes.current(), home.hands.lines
        cluster.worker_lives(home.database, me, lines, now=home.clock.now())
        home.unwritten.catch_up(home.database)

    queues = plugins("queues")
    if "postgres" not in queues:
        raise Misconfigured(
            "PostgreSQL needs the queue `postgres`, and its plugin is not installed"
        )
    queue: SharedQueue = queues["postgres"](
        partial(driver_connection, home.engine),
        driver_arguments(home.engine),
        now=home.clock.now,
        lines=home.hands.lines,
        wide=home.hands.wide,
        alive=alive,
    )
    return queue


def put_within(home: "AppContext", connection: object, jobs: Sequence[Job]) -> None:
    """Put what a transaction asks for on its own connection: no commit, no jobs."""
    for job in jobs:
        home.shared_queue.put_within(connection, job)


def ask(home: "AppContext", jobs: Sequence[Job]) -> cluster.SchedulerLook | None:
    """Ask for `jobs` to be done. On PostgreSQL, whatever they are: ask for what is done once a
    minute if no other scheduler has, else for mail and posts to be sent if some are due."""
    if home.settings.embedded:
        for job in jobs:
            home.queue.put(job)
        return None
    me, now = home.processes.current(), home.clock.now()
    return cluster.look(home.database, me, ROUNDS, MAIL, now=now)


POSTS = Job(task="posts", lock="posts", priority=-5, line=QueueName.POSTS)
PUBLISH = Job(task="publish", lock="publish", line=QueueName.EDITIONS)
POLL = Job(task="poll", lock="poll", priority=10, line=QueueName.PAPERS)
ENRICH = Job(task="enrich", lock="enrich", priority=20, line=QueueName.PAPERS)
SUMMARISE = Job(task="summarise", lock="summarise", priority=30, line=QueueName.PAPERS)
RETURNS = Job(task="returns", lock="returns", priority=15, line=QueueName.UPKEEP)
LEARN = Job(task="learn", lock="learn", priority=40, line=QueueName.UPKEEP)

ROUNDS = (NOTICES, PUBLISH, POLL, DELIVER, POSTS, RETURNS, ENRICH, SUMMARISE, LEARN)
"""What a tick asks for. Each is harmless when nothing is due."""

MAIL = (NOTICES, DELIVER, POSTS)
"""What is asked for between two ticks."""

JOB_THREADS = 9
"""One for each of them: a slow feed keeps no digest, a long delivery no confirmation, a hook that
does not answer no mail."""


# Sending again and again, with a rest after a round that had to stop.
#
# Ten mails in a row that a relay refuses for what we are end a round. Whatever asks for mails to be
# sent asks every few seconds, and a relay that is asked so often only trusts us less.

REST = timedelta(minutes=5)
"""As long as the first mail that was refused waits for its next try."""


@dataclass(slots=True)
class Sending:
    """The rounds of one process. `post` makes what each of them sends with; `on_first` is called
    in each once a mail has its outcome: whoever has nothing to do may join in."""

    post: Callable[[], DeliveryContext]
    clock: Clock
    on_first: Callable[[], None] = lambda: None
    _until: datetime | None = None

    def send(self) -> None:
        """Send what is due, unless the last round had to stop just before."""
        now = self.clock.now()
        # A rest that seems longer than any: the clock was put back.
        if self._until is not None and timedelta(0) < self._until - now <= REST:
            return
        self._until = None
        calls = [self.on_first]

        def advance(_: int) -> None:
            if calls:
                calls.pop()()

        stopped = deliver(self.post(), progress=advance).stopped
        if stopped is not None and stopped != ASKED_TO_STOP:
            self._until = now + REST
            log.error("sending rests for %d minutes: %s", REST.seconds // 60, stopped)
