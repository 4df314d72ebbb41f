"""The model of jobs and their queues."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from paperround.core.errors import InvalidInput


class QueueName(StrEnum):
    """The queues. Each has threads of its own, so that none waits for another."""

    NOTICES = "notices"
    """Confirmations, links and alerts: somebody is waiting for them."""
    MAIL = "mail"
    """Sending digests."""
    POSTS = "posts"
    """Posting digests to channels, whose services may be slow."""
    EDITIONS = "editions"
    """Freezing editions, planning digests, cleanup."""
    PAPERS = "papers"
    """Polling feeds, and other requests about papers."""
    UPKEEP = "upkeep"
    """Reading bounces, and training every night."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A task to run. It has no arguments: the rows of the database say what is due.

    Per task, one job may run and one may wait; a third is dropped. A `shared` job may run once in
    every process. On PostgreSQL a lower `priority` runs first; elsewhere tasks do not wait
    for each other. A failed job is not retried: the scheduler enqueues it again while its rows are
    due.
    """

    task: str
    priority: int = 0
    line: QueueName = QueueName.UPKEEP
    shared: bool = False


NOTICES = Job(task="notices", priority=-20, line=QueueName.NOTICES, shared=True)
DELIVER = Job(task="deliver", priority=-10, line=QueueName.MAIL, shared=True)
"""The jobs that the ledgers enqueue with their rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    """How many jobs of a queue wait and run. `due_since` is when the first waiting job was due."""

    waiting: int = 0
    running: int = 0
    due_since: datetime | None = field(default=None, compare=False)


def parse_queue_names(text: str) -> tuple[QueueName, ...]:
    """Return the queues that a text such as `notices,mail` names. Raises InvalidInput."""
    known = {line.value: line for line in QueueName}
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        wrong = f"there is no queue {', '.join(unknown)}" if unknown else "name at least one queue"
        raise InvalidInput(f"{wrong}; there are: {', '.join(known)}")
    return tuple(dict.fromkeys(known[name] for name in names))


def format_queue_names(lines: Collection[QueueName]) -> str:
    """Return a text such as `notices,mail`, in a fixed order."""
    return ",".join(line for line in QueueName if line in lines)


class Queue(Protocol):
    """Runs jobs in threads of this process, or in another one."""

    def register(self, task: str, run: Callable[[], object]) -> None:
        """Set the function of `task`. Raises ValueError when it already has one."""

    def put(self, job: Job) -> bool:
        """Enqueue the job; return False when one of its task is waiting. Raises NotFound for an
        unregistered task. The error of a job is logged, and does not stop the others."""

    def start(self) -> None:
        """Start running jobs in the background."""

    def stop(self, *, drain_seconds: float) -> bool:
        """Start no more jobs, and return whether the running ones ended in time."""


class SharedQueue(Queue, Protocol):
    """A queue that processes share: its jobs are rows of the database."""

    def put_within(self, connection: Any, job: Job) -> bool:
        """Enqueue the job in the transaction of the driver's `connection`."""

    def queue_depths(self) -> Mapping[QueueName, QueueDepth]:
        """Return how many jobs of all processes wait and run, by queue."""

    def down(self) -> frozenset[QueueName]:
        """Return the queues that this process should serve, but does not at the moment."""

    def done(self) -> Mapping[tuple[str, str], int]:
        """Return how many jobs this process has run, by task and outcome (`done`, `failed`)."""

    def busy(self) -> Mapping[str, int]:
        """Return how many jobs run in this process, by task."""
