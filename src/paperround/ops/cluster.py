"""The processes of many machines: their signs of life, and the period that one of them asks for.

Every scheduler looks every few seconds; the first in a period of fifty seconds asks for its rounds,
in the transaction in which it takes it. So a scheduler that dies is replaced within a minute by
whoever else there is, and one that was asleep meanwhile finds its period taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperround.core.interfaces import Worker
from paperround.core.jobs import ClusterStatus, Job, QueueName, name_of, sign_of, staff_of
from paperround.core.times import format_instant
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.store.channel_ledger import PostLedger
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.subscribers.store.requests import RequestStore

PERIODS = "tick"
"""The kind of the slots that schedulers take."""

PERIOD = timedelta(seconds=50)
"""How long what was asked for holds. Schedulers look every five seconds, so that there is never
more than a minute between two ticks, whichever of them has died."""

AHEAD = timedelta(minutes=5)
"""A period that was taken so far in the future was taken by a clock that has been put right since.
It would be without its rounds when it comes; clocks of machines that keep time differ by less."""

SCHEDULERS, WORKERS = "scheduler/", "worker/"
"""What the names of their signs of life begin with."""

GONE = timedelta(hours=1)
"""After so long the last sign of a process that died is forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerLook:
    """What a scheduler found: the period it looked at, and whether it was the first to."""

    period: str
    is_first: bool


def look(
    database: Database, me: Worker, rounds: Sequence[Job], senders: Sequence[Job], *, now: datetime
) -> SchedulerLook:
    """Leave a scheduler's sign of life; ask for `rounds` if nobody did in this period, else for
    `senders` if a request, a mail or a post has become due."""
    period = period_of(now)

    def take(work: Transaction) -> bool:
        work[SlotStore].beat(SCHEDULERS + name_of(me), now=now)
        work[SlotStore].forget_later(PERIODS, than=now + AHEAD)
        is_first = work[SlotStore].take(PERIODS, period, now=now)
        books = (work[RequestStore], work[NoticeLedger], work[Ledger], work[PostLedger])
        if is_first or any(book.has_due(now=now) for book in books):
            for job in rounds if is_first else senders:
                work.ask(job)
        return is_first

    return SchedulerLook(period=period, is_first=write(database, take))


def period_of(now: datetime) -> str:
    """The name of the period that `now` is in, which is when it began."""
    return format_instant(now - timedelta(seconds=now.timestamp() % PERIOD.total_seconds()))


def worker_lives(
    database: Database, me: Worker, lines: tuple[QueueName, ...], *, now: datetime
) -> None:
    """Leave a worker's sign of life, which says what it serves."""
    write(database, lambda work: work[SlotStore].beat(WORKERS + sign_of(me, lines), now=now))


def sign_off(database: Database, me: Worker, lines: tuple[QueueName, ...] | None) -> None:
    """Take back the sign of life of a worker of these lines, or of a scheduler: it has ended."""
    sign = SCHEDULERS + name_of(me) if lines is None else WORKERS + sign_of(me, lines)
    write(database, lambda work: work[SlotStore].give_back("beat", sign))


def staff(work: Transaction, *, now: datetime) -> ClusterStatus:
    """Who lives."""
    slots = work[SlotStore]
    return staff_of(slots.beats(SCHEDULERS), slots.beats(WORKERS), now=now)


def forget_the_gone(work: Transaction, *, now: datetime) -> None:
    """Drop the signs of life of processes that have been silent for an hour."""
    for kind in (SCHEDULERS, WORKERS):
        for name, at in work[SlotStore].beats(kind).items():
            if now - at > GONE:
                work[SlotStore].give_back("beat", kind + name)
