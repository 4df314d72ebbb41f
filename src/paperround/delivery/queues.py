"""Define the mail queues (digests, and system email, which goes first) and the send context.

A queue has a ledger table, a way to make a message, and a mailer; `deliver` does everything else
for both.
"""

import secrets
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from threading import RLock
from typing import Generic, TypeVar

from paperround.core.errors import Conflict, DatabaseFailed
from paperround.core.interfaces import Clock, Processes
from paperround.core.times import Boot
from paperround.db.transactions import Database, RetryPolicy, Transaction, write
from paperround.delivery.ledger_model import Claimed, Transition
from paperround.delivery.model import Envelope, Evidence, Lease, Mailer, Outcome, ReplyClass
from paperround.delivery.rate_state import Pacing
from paperround.delivery.restore_guard import SendMarks
from paperround.delivery.store.claims import Claims
from paperround.delivery.system_mail_model import ClaimedNotice

# Outcomes to write while the database is unavailable.
#
#     a run ─► outcome or release ─► pending ─► written, in this order
#                                      └─ (the database is still unavailable after the retries) ─►
#                                         written first by the next run of the process
#
# A relay's reply comes once. The process keeps it until it is written, so an email becomes unknown
# only if no reply was received.

Write = Callable[[Transaction], object]


@dataclass(slots=True)
class PendingWrites:
    """The pending writes of a process, shared by its runs. Each run adds at most two."""

    _pending: deque[Write] = field(default_factory=deque)
    _lock: RLock = field(default_factory=RLock)

    def __len__(self) -> int:
        return len(self._pending)

    def write(self, database: Database, do: Write, retry_policy: RetryPolicy) -> None:
        """Run `do` in a transaction of its own, after the writes already pending.

        `do` must be idempotent, because a transaction whose commit seemed to fail is repeated.
        Raises Conflict, and DatabaseFailed after the last retry; `do` then stays pending.
        """
        self._pending.append(do)
        retry_policy.tried(lambda: self.catch_up(database))

    def catch_up(self, database: Database) -> None:
        """Run the pending writes. On DatabaseFailed and Conflict, raises and keeps the rest; on any
        other error, raises and drops the write."""
        with self._lock:
            while self._pending:
                do = self._pending.popleft()
                try:
                    write(database, do)
                except (Conflict, DatabaseFailed):
                    self._pending.appendleft(do)
                    raise


@dataclass(frozen=True, slots=True, kw_only=True)
class SendContext:
    """The dependencies of every delivery run.

    Once `stopping` returns true, messages in flight are finished and no others are claimed.
    `pacing` limits the rate, None for no limit; `wait` sleeps for some seconds and returns whether
    to stop (by default it returns at once). `boot` returns when this machine was booted.
    `pending_writes` are the pending writes of this process. `judge` returns what an outcome proves
    about an address. `marks` detects a database restored from an older copy.
    """

    database: Database
    clock: Clock
    processes: Processes
    lease: timedelta
    jitter: Random = field(default_factory=Random)
    stopping: Callable[[], bool] = lambda: False
    pacing: Pacing | None = None
    wait: Callable[[float], bool] = lambda _: True
    boot: Callable[[], Boot | None] = lambda: None
    pending_writes: PendingWrites = field(default_factory=PendingWrites)
    judge: Callable[[Outcome, ReplyClass], Evidence] = lambda *_: Evidence.NONE
    marks: SendMarks = field(default_factory=SendMarks)


ClaimedRow = Claimed | ClaimedNotice
"""A claimed row of either queue."""

Mail = TypeVar("Mail", bound=ClaimedRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailQueue(Generic[Mail]):
    """A kind of email and how to send it.

    `envelope` makes the message of a row; it raises RenderingFailed if that is impossible, and
    Misconfigured if it may become possible. `settle`
    applies transitions and their consequences in one transaction. `gives_way` returns, in the
    transaction of a claim, whether other email must go first. `signs` is true if messages are
    signed; the queue that is `first` waits for no other.
    """

    name: str
    mailer: Mailer
    ledger: Callable[[Transaction], Claims[Mail]]
    envelope: Callable[[Mail], Envelope]
    settle: Callable[[Transaction, Sequence[Transition], datetime], None]
    gives_way: Callable[[Transaction], bool]
    signs: bool = False
    first: bool = False


def new_lease(context: SendContext, now: datetime) -> Lease:
    """Return a lease for this process with a unique token."""
    return Lease(
        worker=context.processes.current(), until=now + context.lease, token=secrets.token_hex(8)
    )
