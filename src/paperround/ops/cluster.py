"""Heartbeats of the processes that share a database, and the election of a scheduler.

Every scheduler checks every few seconds. The first in a period of fifty seconds claims it and
enqueues the periodic jobs, in one transaction. So another scheduler replaces a dead one within a
minute, and one that was suspended finds its period taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperround.core.interfaces import Worker
from paperround.core.jobs import Job, QueueName, format_queue_names
from paperround.core.times import format_instant
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.ops.plugin_jobs import plugin_jobs
from paperround.subscribers.store.requests import RequestStore

PERIODS = "tick"
"""The kind of the slots that schedulers claim."""

PERIOD = timedelta(seconds=50)
"""Length of a period. Schedulers check every five seconds, so ticks are at most a minute apart."""

AHEAD = timedelta(minutes=5)
"""A period further in the future was claimed by a wrong clock; those of working machines differ by
less. Its claim is deleted, because otherwise its jobs would be skipped when it comes."""

SCHEDULERS, WORKERS = "scheduler/", "worker/"
"""Prefixes of the names of heartbeats."""

FRESH = timedelta(seconds=30)
"""The age of a heartbeat up to which a worker counts as alive. Its heartbeats come every ten
seconds."""

SCHEDULER_FRESH = timedelta(seconds=10)
"""The same for a scheduler, whose heartbeats come every five seconds."""

GONE = timedelta(hours=1)
"""Age at which the last heartbeat of a dead process is deleted."""


def check_in(
    database: Database,
    me: Worker,
    tick_jobs: Sequence[Job],
    senders: Sequence[Job],
    *,
    now: datetime,
) -> bool:
    """Record a scheduler's heartbeat, and return whether it is the first in this period.

    The first enqueues `tick_jobs`; the others enqueue `senders` if a request, a message or work of
    a plugin has become due.
    """
    period = format_instant(now - timedelta(seconds=now.timestamp() % PERIOD.total_seconds()))

    def take(work: Transaction) -> bool:
        work[SlotStore].beat(_scheduler_sign(me), now=now)
        work[SlotStore].forget_later(PERIODS, than=now + AHEAD)
        is_first = work[SlotStore].take(PERIODS, period, now=now)
        queues = (work[RequestStore], work[NoticeLedger], work[Ledger])
        is_due = (
            is_first
            or any(queue.has_due(now=now) for queue in queues)
            or any(one.has_due(work, now) for one in plugin_jobs())
        )
        if is_due:
            for job in tick_jobs if is_first else senders:
                work.ask(job)
        return is_first

    return write(database, take)


def record_worker_heartbeat(
    database: Database, me: Worker, lines: tuple[QueueName, ...], *, now: datetime
) -> None:
    """Record a worker's heartbeat, whose name contains the queues it serves."""
    write(database, lambda work: work[SlotStore].beat(_worker_sign(me, lines), now=now))


def sign_off(database: Database, me: Worker, lines: tuple[QueueName, ...] | None) -> None:
    """Delete the heartbeat of a worker of these queues, or of a scheduler, that has ended."""
    sign = _scheduler_sign(me) if lines is None else _worker_sign(me, lines)
    write(database, lambda work: work[SlotStore].give_back("beat", sign))


def _scheduler_sign(process: Worker) -> str:
    return f"{SCHEDULERS}{process.host}/{process.pid}"


def _worker_sign(process: Worker, lines: tuple[QueueName, ...]) -> str:
    return f"{WORKERS}{process.host}/{process.pid}/{format_queue_names(lines)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterStatus:
    """The live processes. `workers` has the queues that each worker serves, by its name."""

    schedulers: tuple[str, ...] = ()
    workers: Mapping[str, frozenset[QueueName]]

    def serving(self, line: QueueName) -> int:
        """Return how many workers serve a queue."""
        return sum(line in lines for lines in self.workers.values())

    @property
    def unserved(self) -> tuple[QueueName, ...]:
        """The queues that no worker serves."""
        return tuple(line for line in QueueName if not self.serving(line))

    @property
    def problem(self) -> str | None:
        """What is missing and what to do; None when nothing is."""
        if not self.schedulers:
            return "no scheduler runs: start `paperround scheduler`"
        if self.unserved:
            lines = format_queue_names(self.unserved)
            return f"no worker serves {lines}: start `paperround worker --queues {lines}`"
        return None


def cluster_status(work: Transaction, *, now: datetime) -> ClusterStatus:
    """Return the schedulers and workers that are alive."""

    def fresh(prefix: str, within: timedelta) -> list[str]:
        beats = work[SlotStore].beats(prefix)
        return sorted(name for name, at in beats.items() if now - at <= within)

    known = {line.value: line for line in QueueName}  # a newer version may have more queues
    workers = {}
    for sign in fresh(WORKERS, FRESH):
        name, _, lines = sign.rpartition("/")
        workers[name] = frozenset(known[one] for one in lines.split(",") if one in known)
    return ClusterStatus(schedulers=tuple(fresh(SCHEDULERS, SCHEDULER_FRESH)), workers=workers)


def forget_dead_processes(work: Transaction, *, now: datetime) -> None:
    """Delete the heartbeats of processes that have been silent for an hour."""
    for kind in (SCHEDULERS, WORKERS):
        for name, at in work[SlotStore].beats(kind).items():
            if now - at > GONE:
                work[SlotStore].give_back("beat", kind + name)
