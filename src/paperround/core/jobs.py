"""Work by name, for whatever runs it, and the processes that do it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from paperround.core.errors import InvalidInput
from paperround.core.interfaces import Worker


class QueueName(StrEnum):
    """Where jobs wait. Every line has hands of its own, so no line waits for another."""

    NOTICES = "notices"
    """Confirmations, links, alerts: what somebody waits for just now."""
    MAIL = "mail"
    """Digests on their way out."""
    POSTS = "posts"
    """The same to channels, whose services may take their time."""
    EDITIONS = "editions"
    """Freezing editions, planning digests, keeping house."""
    PAPERS = "papers"
    """Reading feeds, and whatever else is asked of other people's services about papers."""
    UPKEEP = "upkeep"
    """Mails that came back, and the night's learning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work by name. `arguments` hold ids only: the rows they name are the truth.

    Of jobs with the same `lock` one may run and one may wait: a third is not taken. One that is
    `shared` may run once in every process. Lower `priority` runs first. A job that fails is not
    tried again by itself: the scheduler asks for it again as long as its rows are due.
    """

    task: str
    arguments: Mapping[str, str | int] = field(default_factory=dict)
    lock: str | None = None
    priority: int = 0
    line: QueueName = QueueName.UPKEEP
    shared: bool = False


NOTICES = Job(task="notices", lock="notices", priority=-20, line=QueueName.NOTICES, shared=True)
DELIVER = Job(task="deliver", lock="deliver", priority=-10, line=QueueName.MAIL, shared=True)
"""The two that rows of the ledgers ask for by being written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    """How many jobs of a line wait, and how many run. `due_since`: since when the first of those
    that wait may run."""

    waiting: int = 0
    running: int = 0
    due_since: datetime | None = field(default=None, compare=False)


def parse_queue_names(text: str) -> tuple[QueueName, ...]:
    """The lines that `notices,mail` names, each once. Raises InvalidInput for any other name."""
    known = {line.value: line for line in QueueName}
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        wrong = f"there is no queue {', '.join(unknown)}" if unknown else "no queue is named"
        raise InvalidInput(f"{wrong}; there are: {', '.join(known)}")
    return tuple(dict.fromkeys(known[name] for name in names))


def format_queue_names(lines: Collection[QueueName]) -> str:
    """Lines as they are typed, in their own order: `notices,mail`."""
    return ",".join(line for line in QueueName if line in lines)


# Which processes make up an installation of many machines, and whether somebody does everything.
#
# A worker and a scheduler leave a sign of life every few seconds. Where none is fresh nobody is.

FRESH = timedelta(seconds=30)
"""How old the last sign of life of a process may be that lives. Signs come every ten seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterStatus:
    """Who lives. `workers` says what each worker serves, by its name (`host/number`)."""

    schedulers: tuple[str, ...] = ()
    workers: Mapping[str, frozenset[QueueName]]

    def serving(self, line: QueueName) -> int:
        """How many workers serve a line."""
        return sum(line in lines for lines in self.workers.values())

    @property
    def unserved(self) -> tuple[QueueName, ...]:
        """The lines that nobody serves: what waits there is not done."""
        return tuple(line for line in QueueName if not self.serving(line))

    @property
    def problem(self) -> str | None:
        """What is missing, with the way out; None when nothing is."""
        if not self.schedulers:
            return "no scheduler runs: start `paperround scheduler`"
        if self.unserved:
            lines = format_queue_names(self.unserved)
            return f"no worker serves {lines}: start `paperround worker --queues {lines}`"
        return None


def name_of(process: Worker) -> str:
    """What a process is called among others: `host/number`."""
    return f"{process.host}/{process.pid}"


def heartbeat_name(process: Worker, lines: tuple[QueueName, ...]) -> str:
    """The name of a worker's sign of life, which says what it serves."""
    return f"{name_of(process)}/{format_queue_names(lines)}"


def live_processes(
    schedulers: Mapping[str, datetime], workers: Mapping[str, datetime], *, now: datetime
) -> ClusterStatus:
    """Who lives at `now`, by the signs of life that were left."""
    known = {line.value: line for line in QueueName}  # a newer worker may serve what we do not know
    serving = {}
    for sign in sorted(sign for sign, at in workers.items() if is_fresh(at, now)):
        name, _, lines = sign.rpartition("/")
        serving[name] = frozenset(known[one] for one in lines.split(",") if one in known)
    return ClusterStatus(
        schedulers=tuple(sorted(name for name, at in schedulers.items() if is_fresh(at, now))),
        workers=serving,
    )


def is_fresh(sign: datetime, now: datetime) -> bool:
    """Whether whoever left this sign of life still lives, as far as it tells."""
    return now - sign <= FRESH


class Queue(Protocol):
    """Runs jobs later, elsewhere or in a thread of this process."""

    def register(self, task: str, run: Callable[[Mapping[str, str | int]], None]) -> None:
        """Say what `task` means; raises ValueError when the name is taken."""

    def put(self, job: Job) -> bool:
        """Take the job; False when one with its lock waits already. Raises NotFound for an
        unregistered task. A job that raises is logged, and never stops the others."""

    def start(self) -> None:
        """Begin running jobs in the background."""

    def stop(self, *, drain_seconds: float) -> bool:
        """Take nothing new, finish what runs; True when all of it ended in time."""


class SharedQueue(Queue, Protocol):
    """A queue that several processes have: its jobs are rows of the database."""

    def put_within(self, connection: Any, job: Job) -> bool:
        """Take the job in the transaction of `connection`, the driver's: no commit, no job."""

    def lined(self) -> Mapping[QueueName, QueueDepth]:
        """How many jobs of all processes wait and run."""

    def strangers(self) -> Mapping[str, int]:
        """How many jobs wait of each task that this version does not know."""

    def down(self) -> frozenset[QueueName]:
        """The queues that this process should serve and does not, just now."""

    def done(self) -> Mapping[tuple[str, str], int]:
        """How many jobs of each task this process has `done`, and how many `failed`."""

    def busy(self) -> Mapping[str, int]:
        """How many jobs of each task run in this process."""
