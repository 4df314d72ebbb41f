"""Run jobs: in threads of this process on SQLite, in any number of processes on PostgreSQL."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from paperround.core.errors import Misconfigured, PaperroundError
from paperround.core.jobs import DELIVER, NOTICES, Job, Queue, QueueName, SharedQueue
from paperround.core.plugins import plugins
from paperround.delivery.deliver import ASKED_TO_STOP
from paperround.digests.sending import DeliveryContext, deliver, deliver_notices
from paperround.ops import cluster
from paperround.ops.plugin_jobs import plugin_jobs
from paperround.signup import worker

if TYPE_CHECKING:  # imported lazily, so that commands start quickly
    from paperround.bootstrap import AppContext

log = logging.getLogger(__name__)


def create_queue(app: "AppContext") -> Queue:
    """Create the job queue. No job runs in this process before you start it."""
    queue: Queue
    if app.settings.embedded:
        from paperround.ops.queue import ThreadQueue

        queue = ThreadQueue()
    else:
        queue = _postgres_queue(app)

    def send_system_mail() -> None:
        with app.requests_first():
            deliver_notices(app.post())

    def invite_workers() -> None:
        if app.settings.embedded:
            return
        try:
            queue.put(DELIVER)
        except PaperroundError as error:  # other workers join at their next poll
            log.warning("other workers cannot be asked to help sending: %s", error)

    def send() -> None:
        send_digests(app.post(), on_first=invite_workers)

    handlers: Sequence[tuple[Job, Callable[[], object]]] = (
        (NOTICES, send_system_mail),
        (DELIVER, send),
        (PUBLISH, app.publish),
        (POLL, app.poll),
        (ENRICH, app.enrich),
        (SUMMARISE, app.summarise),
        (RETURNS, app.read_returns),
        (LEARN, app.learn),
        *((one.job, partial(one.run, app)) for one in plugin_jobs()),
    )
    for job, handler in handlers:
        queue.register(job.task, handler)
    return queue


@contextmanager
def requests_first(app: "AppContext") -> Iterator[None]:
    """Process sign-up requests, then run the block, even if a request fails.

    The failure is logged, unless the block raises the same error.
    """
    trouble = ""
    try:
        worker.process_requests(app.signup_context, now=app.clock.now())
    except PaperroundError as error:
        trouble = str(error)
    try:
        yield
    except PaperroundError as error:
        trouble = "" if str(error) == trouble else trouble
        raise
    finally:
        if trouble:
            log.error("sign-ups and requests for links have to wait: %s", trouble)


def _postgres_queue(app: "AppContext") -> SharedQueue:
    from paperround.db.engine import driver_arguments, driver_connection

    def alive() -> None:
        """Send a heartbeat, and write the outcomes from a database outage.

        They cannot wait for the next delivery run, which may be in another process.
        """
        me, lines = app.processes.current(), app.lines
        cluster.record_worker_heartbeat(app.database, me, lines, now=app.clock.now())
        app.pending_writes.catch_up(app.database)

    queues = plugins("queues")
    if "postgres" not in queues:
        raise Misconfigured(
            "PostgreSQL needs the queue `postgres`, and its plugin is not installed"
        )
    queue: SharedQueue = queues["postgres"](
        partial(driver_connection, app.engine),
        driver_arguments(app.engine),
        now=app.clock.now,
        lines=app.lines,
        wide=app.wide,
        alive=alive,
    )
    return queue


def enqueue_within(app: "AppContext", connection: object, jobs: Sequence[Job]) -> None:
    """Enqueue the jobs of a transaction on its own connection: no commit, no jobs."""
    for job in jobs:
        app.shared_queue.put_within(connection, job)


def ask(app: "AppContext", jobs: Sequence[Job]) -> bool:
    """Enqueue `jobs` on SQLite.

    On PostgreSQL ignore `jobs`: if no other scheduler has claimed this period, enqueue the jobs of
    a tick and return True; else enqueue the sending jobs if something is due.
    """
    if app.settings.embedded:
        for job in jobs:
            app.queue.put(job)
        return False
    me, now = app.processes.current(), app.clock.now()
    return cluster.check_in(app.database, me, ROUNDS, MAIL, now=now)


PUBLISH = Job(task="publish", line=QueueName.EDITIONS)
POLL = Job(task="poll", priority=10, line=QueueName.PAPERS)
ENRICH = Job(task="enrich", priority=20, line=QueueName.PAPERS)
SUMMARISE = Job(task="summarise", priority=30, line=QueueName.PAPERS)
RETURNS = Job(task="returns", priority=15, line=QueueName.UPKEEP)
LEARN = Job(task="learn", priority=40, line=QueueName.UPKEEP)

OF_PLUGINS = tuple(one.job for one in plugin_jobs())

ROUNDS = (NOTICES, PUBLISH, POLL, DELIVER, *OF_PLUGINS, RETURNS, ENRICH, SUMMARISE, LEARN)
"""The jobs of a tick. Each does nothing when nothing is due."""

MAIL = (NOTICES, DELIVER, *OF_PLUGINS)
"""The jobs that may run between two ticks."""


def send_digests(context: DeliveryContext, *, on_first: Callable[[], None]) -> None:
    """Send what is due, and log why a run had to stop. A relay that refuses us is paused, and the
    database stores that: runs during the pause try nothing and log nothing.

    `on_first` is called after the first outcome, so that idle workers can join.
    """
    calls = [on_first]

    def advance(_: int) -> None:
        if calls:
            calls.pop()()

    report = deliver(context, progress=advance)
    if report.troubles and report.stopped not in (None, ASKED_TO_STOP):
        log.error("sending stopped: %s", report.stopped)
