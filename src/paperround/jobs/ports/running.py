"""Time, processes, queues, and what must hold over all processes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from paperround.domain.deliveries import Worker
from paperround.domain.keys import ApiKey, KeyId, NewKey
from paperround.domain.limits import Rate, Standing, Turn
from paperround.domain.repeats import Answer, Asked, Earlier
from paperround.domain.send_mark import SendMark
from paperround.domain.work import Job, Line, Lined


class Clock(Protocol):
    """The only source of the present."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class Processes(Protocol):
    """Which process are we, and does another one still live?"""

    def current(self) -> Worker:
        """This process."""
        ...

    def is_dead(self, worker: Worker) -> bool:
        """True only when `worker` ran on this host and is certainly gone."""
        ...


class Queue(Protocol):
    """Runs jobs later, elsewhere or in a thread of this process."""

    def register(self, task: str, run: Callable[[Mapping[str, str | int]], None]) -> None:
        """Say what `task` means; raises ValueError when the name is taken."""
        ...

    def put(self, job: Job) -> bool:
        """Take the job; False when one with its lock waits already that is due as early: one that
        waits for a later time gives up its place. Raises NotFound for an unregistered task."""
        ...

    def run_until_idle(self, *, now: datetime) -> int:
        """Run what is due at `now`, and what that adds, while the caller waits; returns how many
        jobs ran. A job that raises is retried later by its own rule and never stops the others.
        Where PostgreSQL keeps the jobs, its clock says what is due."""
        ...

    def start(self) -> None:
        """Begin running jobs in the background."""
        ...

    def stop(self, *, drain_seconds: float) -> bool:
        """Take nothing new, finish what runs; True when all of it ended in time."""
        ...


class SharedQueue(Queue, Protocol):
    """A queue whose jobs are rows of the database, for every process that uses it."""

    def put_within(self, connection: Any, job: Job) -> bool:
        """Take the job in the transaction that `connection`, the driver's, is in: no commit, no
        job. Raises Conflict when that was ended in favour of another one."""
        ...

    def strangers(self) -> Mapping[str, int]:
        """How many jobs wait of each task that this version does not know. Raises
        DatabaseFailed."""
        ...

    def lined(self) -> Mapping[Line, Lined]:
        """How many jobs of all processes wait and run in each line. Raises DatabaseFailed."""
        ...

    def down(self) -> frozenset[Line]:
        """The lines that this process should serve and does not, just now."""
        ...

    def done(self) -> Mapping[tuple[str, str], int]:
        """How many jobs of each task this process has `done`, and how many `failed`."""
        ...

    def busy(self) -> Mapping[str, int]:
        """How many jobs of each task run in this process."""
        ...


class Limiter(Protocol):
    """Budgets shared by every process on the same database: one for each service we ask."""

    def take(
        self, name: str, turn: Turn, processes: Processes, *, now: datetime
    ) -> datetime | None:
        """None when the turn is the caller's, from `now` until it is released or its lease ends:
        nobody else has one meanwhile. Else when to look again; no turn is kept for anybody. While
        the breaker of `name` is open that is its end. A turn whose process is certainly dead is
        over; the pause after it is kept."""
        ...

    def release(self, name: str, turn: Turn, *, taken_at: datetime, now: datetime) -> None:
        """The turn that was taken at `taken_at` is over. A turn that is somebody else's by now,
        because the lease of this one ended, is left alone."""
        ...

    def trip(self, name: str, *, until: datetime, now: datetime) -> None:
        """Open the breaker: nobody asks before `until`."""
        ...

    def open_until(self, name: str, *, now: datetime) -> datetime | None:
        """When the breaker of `name` closes again, None when it is closed."""
        ...


class RateStore(Protocol):
    """How often something happened, for limits that must survive a restart."""

    def hit(self, key: str, rates: Sequence[Rate], *, now: datetime) -> float | None:
        """Count one and return None; or, when one of `rates` would be exceeded, count nothing and
        return the seconds after which it would not be. Never more than a rate's count happen in any
        stretch of its period. `key` holds no address: hash it first."""
        ...

    def foresee(self, hits: Sequence[tuple[str, Sequence[Rate]]], *, now: datetime) -> None:
        """Lock keys that will be hit, in this order, and look up all that is known of them at once:
        it saves each hit its own look."""
        ...

    def count(self, key: str, period: timedelta, *, now: datetime) -> int:
        """How many were counted within the last `period`, or a little longer."""
        ...

    def standing(self, key: str, rate: Rate, *, now: datetime) -> Standing:
        """What `rate` leaves to `key`."""
        ...

    def forget(self, *, before: datetime) -> int:
        """Drop what happened before; returns how many rows went."""
        ...


class SlotStore(Protocol):
    """Things that happen once, and signs of life."""

    def take(self, kind: str, slot: str, *, now: datetime) -> bool:
        """True for the first who takes (kind, slot), for ever; False for everybody else."""
        ...

    def taken_at(self, kind: str, slot: str) -> datetime | None:
        """When (kind, slot) was taken or last beaten, None when never."""
        ...

    def give_back(self, kind: str, slot: str) -> bool:
        """Undo `take`; False when (kind, slot) was not taken."""
        ...

    def beat(self, name: str, *, now: datetime) -> None:
        """Leave a sign of life: (`beat`, name) is moved to `now`."""
        ...

    def advance(self, name: str, *, now: datetime) -> datetime:
        """Move the beat `name` on, to `now` or to just after where it is: it never goes back.
        Returns where it is then."""
        ...

    def last_beat(self, name: str) -> datetime | None:
        """The latest sign of life of `name`, None when there never was one."""
        ...

    def beats(self, of: str) -> Mapping[str, datetime]:
        """The signs of life whose names begin with `of`, by the rest of the name."""
        ...

    def forget(self, kind: str, *, before: datetime) -> int:
        """Drop slots of `kind` taken before; returns how many."""
        ...

    def forget_later(self, kind: str, *, than: datetime) -> int:
        """Drop slots of `kind` taken later `than` an instant; returns how many."""
        ...


class MarkFile(Protocol):
    """Keeps the send mark of a machine outside the database."""

    @property
    def place(self) -> str:
        """Where it is."""
        ...

    @property
    def is_writable(self) -> bool:
        """Whether this process may write it, or make it where there is none."""
        ...

    def read(self) -> SendMark | None:
        """The mark, None where there is none. Raises OSError, and UnreadableFile for a file that
        holds none."""
        ...

    def create(self, mark: SendMark) -> None:
        """Keep it where none is kept yet. Raises OSError."""
        ...

    def advance(self, installation: str, at: datetime) -> None:
        """Move the mark on to `at`, unless it is there or of another installation, and wait for
        the disk. Raises OSError, and UnreadableFile."""
        ...


class KeyStore(Protocol):
    """Keys of the admin API."""

    def add(self, key: NewKey, *, now: datetime) -> ApiKey:
        """Keep it; raises Conflict when its prefix is taken."""
        ...

    def find(self, prefix: str) -> ApiKey | None:
        """The key with this prefix, live or not."""
        ...

    def all(self) -> list[ApiKey]:
        """Every key, newest first."""
        ...

    def revoke(self, key: KeyId, *, now: datetime) -> bool:
        """End a key; False when it was ended already. Raises NotFound."""
        ...

    def touch(self, key: KeyId, *, now: datetime) -> None:
        """Note that the key was used."""
        ...


class AnswerStore(Protocol):
    """Answers that are kept for a day, so that a request that comes twice acts once."""

    def take(self, asked: Asked, *, after: datetime, now: datetime) -> bool:
        """True for the first who asks under this key; False for everybody else. Whoever comes while
        another transaction holds the key waits for that one's end. What was taken at `after` or
        before counts no more."""
        ...

    def keep(self, asked: Asked, answer: Answer) -> None:
        """Write down what is answered to a request that was taken."""
        ...

    def find(self, asked: Asked, *, after: datetime) -> Earlier | None:
        """The request that came first under this key, `after` an instant; None when there is none.
        What it asked may be something else."""
        ...

    def give_back(self, asked: Asked) -> None:
        """Undo `take`: nothing was done."""
        ...

    def forget(self, *, before: datetime) -> int:
        """Drop what was taken before; returns how many rows went."""
        ...


class Pinger(Protocol):
    """Tells a dead-man switch that a run was completed."""

    def ping(self, event: str, *, now: datetime) -> None: ...
