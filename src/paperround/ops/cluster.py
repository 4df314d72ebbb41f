"""Heartbeats of the processes that share a database, and the election of a scheduler.

Every scheduler checks every few seconds. The first in a period of fifty seconds claims it and
enqueues the periodic jobs, in one transaction. So another scheduler replaces a dead one within a
minute, and one that was suspended finds its period taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperround.core.interfaces import Worker
from paperround.core.jobs import (
    ClusterStatus,
    Job,
    QueueName,
    heartbeat_name,
    live_processes,
    name_of,
)
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
"""A period claimed further ahead was claimed by a clock that was wrong. It is freed, or its jobs
would be skipped when it comes; the clocks of working machines differ by less."""

SCHEDULERS, WORKERS = "scheduler/", "worker/"
"""Prefixes of the names of heartbeats."""

GONE = timedelta(hours=1)
"""Age at which the last heartbeat of a dead process is deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerLook:
    """The period a scheduler checked, named by its start, and whether it was the first to do so."""

    period: str
    is_first: bool


def look(
    database: Database,
    me: Worker,
    tick_jobs: Sequence[Job],
    senders: Sequence[Job],
    *,
    now: datetime,
) -> SchedulerLook:
    """Record a scheduler's heartbeat. Enqueue `tick_jobs` if no scheduler did in this period, else
    `senders` if a request, a message or work of a plugin has become due."""
    period = format_instant(now - timedelta(seconds=now.timestamp() % PERIOD.total_seconds()))

    def take(work: Transaction) -> bool:
        work[SlotStore].beat(SCHEDULERS + name_of(me), now=now)
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

    return SchedulerLook(period=period, is_first=write(database, take))


def record_worker_heartbeat(
    database: Database, me: Worker, lines: tuple[QueueName, ...], *, now: datetime
) -> None:
    """Record a worker's heartbeat, whose name contains the queues it serves."""
    write(database, lambda work: work[SlotStore].beat(WORKERS + heartbeat_name(me, lines), now=now))


def sign_off(database: Database, me: Worker, lines: tuple[QueueName, ...] | None) -> None:
    """Delete the heartbeat of a worker of these queues, or of a scheduler, that has ended."""
    sign = SCHEDULERS + name_of(me) if lines is None else WORKERS + heartbeat_name(me, lines)
    write(database, lambda work: work[SlotStore].give_back("beat", sign))


def staff(work: Transaction, *, now: datetime) -> ClusterStatus:
    """Return the schedulers and workers that are alive."""
    slots = work[SlotStore]
    return live_processes(slots.beats(SCHEDULERS), slots.beats(WORKERS), now=now)


def forget_dead_processes(work: Transaction, *, now: datetime) -> None:
    """Delete the heartbeats of processes that have been silent for an hour."""
    for kind in (SCHEDULERS, WORKERS):
        for name, at in work[SlotStore].beats(kind).items():
            if now - at > GONE:
                work[SlotStore].give_back("beat", kind + name)
