"""Before an installation moves to another database: nobody has anything in hand.

Whoever moves has the old database alone, so no process that holds a lease can still be at work. A
mail that was taken up and not marked was never offered, and waits again. One that was marked may be
out: it becomes unknown, and is never sent by itself. All others stay as they are, so nothing has to
be held back afterwards.
"""

from dataclasses import dataclass
from datetime import datetime

from paperround.domain.deliveries import DeliveryState, Worker
from paperround.jobs.ports import Database, UnitOfWork
from paperround.jobs.transactions import write


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Mails that were in hand: they wait again, or may be out."""

    waiting: int
    unknown: int


class _NobodyLives:
    """Knows that every process which took something up has ended."""

    def is_dead(self, worker: Worker) -> bool:  # noqa: ARG002 - as every one that knows
        return True

    def current(self) -> Worker:
        return Worker(host="", pid=0, started="")


def end_leases(database: Database, *, now: datetime) -> Settled:
    """Settle what is in hand, in a database that nobody else works with."""

    def end(work: UnitOfWork) -> Settled:
        found = [book.reclaim(_NobodyLives(), now=now) for book in (work.ledger, work.notices)]
        return Settled(
            waiting=sum(one.get(DeliveryState.QUEUED, 0) for one in found),
            unknown=sum(one.get(DeliveryState.UNKNOWN, 0) for one in found),
        )

    return write(database, end)
