"""The two lanes that mail leaves by: digests, and the notices that go before them.

A lane says which ledger its rows stand in, how the bytes of one are made, and by what they leave;
everything else is the same for both, and is in `deliver`.
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

# What a process has to write down and could not yet: the database was away.
#
#     a run ─► heard, or let go ─► in line ─► written, in this order
#                                    └─ (the database is away, also at the end of patience) ─► the
#                                       next run of the process, which takes up nothing before
#
# Answers of a relay are heard once. Whoever heard them keeps them as long as the process lives, so
# a mail is in doubt only where nobody heard an answer.

Write = Callable[[Transaction], object]


@dataclass(slots=True)
class PendingWrites:
    """The line of one process, shared by all of its runs. Each adds two at most, and ends then."""

    _line: deque[Write] = field(default_factory=deque)
    _lock: RLock = field(default_factory=RLock)

    def __len__(self) -> int:
        return len(self._line)

    def write(self, database: Database, do: Write, patience: RetryPolicy) -> None:
        """Write down what must not be forgotten, after all that stands in line before it.

        Each is a transaction. It may come to count although it is done again, so it must be the
        same twice. Raises DatabaseFailed at the end of patience, and Conflict: then it stays in
        line.
        """
        self._line.append(do)
        patience.tried(lambda: self.catch_up(database))

    def catch_up(self, database: Database) -> None:
        """Write down what stands in line. Raises DatabaseFailed and Conflict, and keeps the rest;
        what cannot be written for another reason leaves the line with its error."""
        with self._lock:
            while self._line:
                do = self._line.popleft()
                try:
                    write(database, do)
                except (Conflict, DatabaseFailed):
                    self._line.appendleft(do)
                    raise


@dataclass(frozen=True, slots=True, kw_only=True)
class SendContext:
    """What every run of sending needs.

    Once `stopping` says so, the mails in hand are finished and no others are taken up. `pacing` is
    how fast mail may leave, None where nothing holds it; `wait` waits for so many seconds and says
    whether to stop. Without one nothing is waited for. `boot` says how long this machine runs.
    `unwritten` is what this process could not write down yet. `judge` says what an answer proves of
    an address. `marks` tells a database that was
    put back.
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
    unwritten: PendingWrites = field(default_factory=PendingWrites)
    judge: Callable[[Outcome, ReplyClass], Evidence] = lambda *_: Evidence.NONE
    marks: SendMarks = field(default_factory=SendMarks)


ClaimedRow = Claimed | ClaimedNotice
"""A claimed row of either lane."""

Mail = TypeVar("Mail", bound=ClaimedRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailQueue(Generic[Mail]):
    """One kind of mail on its way out by `mailer`.

    `envelope` makes the mail of a row; raises RenderingFailed for one that cannot be made. `settle`
    writes down what became of mails, and what follows from it, in one transaction. `gives_way`
    says, within the transaction of a claim, whether other mail has to go first. A row without the
    key that `has_key` looks for waits. `signs` says whether the mails are signed. Mail of the lane
    that goes `first` waits for no other.
    """

    name: str
    mailer: Mailer
    ledger: Callable[[Transaction], Claims[Mail]]
    envelope: Callable[[Mail], Envelope]
    settle: Callable[[Transaction, Sequence[Transition], datetime], None]
    gives_way: Callable[[Transaction], bool]
    has_key: Callable[[Mail], bool] = lambda _: True
    signs: bool = False
    first: bool = False


def new_lease(post: SendContext, now: datetime) -> Lease:
    """A claim by this process that nobody else's can be taken for."""
    return Lease(
        worker=post.processes.current(), until=now + post.lease, token=secrets.token_hex(8)
    )
