"""Transactions, the base class of stores, and retries."""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from random import uniform
from threading import Lock
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, InternalError, OperationalError

from paperround.core.errors import Conflict, DatabaseFailed, InvalidInput
from paperround.core.jobs import Job
from paperround.db import engine as engines
from paperround.db.dialect import is_lost_race, reason_of
from paperround.db.encryption import SecretCipher
from paperround.db.engine import BUSY_SECONDS, lock_timeout, rest, truncate_log

T = TypeVar("T")
S = TypeVar("S", bound="Store")

log = logging.getLogger(__name__)

TRIES = 10

FIRST_WAIT = 0.01
LONGEST_WAIT = 1.0
"""Seconds."""

RETRY_WAITS = (0.1, 0.4, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before each retry of a write that must not be lost: half a minute in all, enough for a
server to restart or to fail over."""


LONGEST_TURN = 10.0
"""Seconds that a thread waits for the other threads of its process before it tries anyway."""


class Transaction:
    """One transaction. `work[PaperStore]` is its store of papers; no store commits.

    `seal` encrypts secrets for the database; `asks` has the jobs to enqueue with this transaction,
    by task.
    """

    def __init__(self, connection: Connection, seal: SecretCipher) -> None:
        self.connection = connection
        self.seal = seal
        self.asks: dict[str, Job] = {}
        self._stores: dict[type[Store], Store] = {}

    def __getitem__(self, kind: type[S]) -> S:
        """Return the store of this class, created on first use."""
        store = self._stores.get(kind)
        if store is None:
            store = self._stores[kind] = kind(self)
        return cast("S", store)

    def ask(self, job: Job) -> None:
        """Enqueue `job` with this transaction, if jobs are rows of the database.

        Without a commit there is no job. The ledgers enqueue their senders themselves.
        """
        self.asks[job.task] = job

    def part(self) -> AbstractContextManager[object]:
        """Open a savepoint: an exception undoes only what was done within."""
        return self.connection.begin_nested()


class Store:
    """The base class of stores: reads and writes some tables in one transaction."""

    def __init__(self, work: Transaction) -> None:
        self._connection = work.connection


class Database(Protocol):
    """Opens transactions, which commit on a clean exit and roll back on an exception.

    `reading` opens a consistent snapshot. `writing` holds SQLite's write lock from the start
    (BEGIN IMMEDIATE), so a check and the insert that follows are atomic.
    """

    def reading(self) -> AbstractContextManager[Transaction]: ...

    def writing(self) -> AbstractContextManager[Transaction]: ...


def write(database: Database, do: Callable[[Transaction], T]) -> T:
    """Run `do` in a writing transaction, and return its result.

    When another transaction wins a race, the transaction is rolled back and `do` runs again, so it
    must read everything it depends on. Raises Conflict after `TRIES` lost races.
    """

    def transaction() -> T:
        with database.writing() as work:
            return do(work)

    return run_with_retries(transaction)


def run_with_retries(do: Callable[[], T], *, pause: Callable[[float], None] = rest) -> T:
    """Run `do`, retry while it raises Conflict, and return its result.

    Waits between tries grow up to a second, with random jitter. Raises Conflict after `TRIES`.
    """
    for lost in range(1, TRIES + 1):
        try:
            return do()
        except Conflict:
            if lost == TRIES:
                raise
            pause(backoff_seconds(lost))
    raise AssertionError("the last try returns or raises")


def backoff_seconds(lost: int) -> float:
    """Return the seconds to wait after `lost` races: exponential backoff with jitter."""
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (lost - 1))
    return uniform(longest / 2, longest)  # noqa: S311 - jitter, nothing secret


@dataclass(slots=True)
class RetryPolicy:
    """Retries writes that must not be lost while the database is unavailable.

    `wait` sleeps for some seconds and returns whether to stop: then there is one last try. Each of
    RETRY_WAITS is used only once: later writes do not wait for a database that stays down.
    """

    wait: Callable[[float], bool]
    _waits: list[float] = field(default_factory=lambda: list(RETRY_WAITS))

    def tried(self, do: Callable[[], T]) -> T:
        """Run `do`, retry while it raises DatabaseFailed, and return its result.

        A failed commit may still have succeeded on the server, so `do` must be idempotent. Raises
        DatabaseFailed when the last try fails.
        """
        while self._waits:
            try:
                return do()
            except DatabaseFailed as error:
                seconds = self._waits.pop(0)
                log.warning("%s; trying again in %.1f s", error, seconds)
                if self.wait(seconds):
                    self._waits.clear()
        return do()


class SqlDatabase:
    """Opens transactions on one engine. Safe to share between threads.

    `ask` enqueues the jobs of a transaction on its driver connection just before the commit;
    without it they are not enqueued. `seal` encrypts secrets.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        pause: Callable[[float], None] = rest,
        ask: Callable[[Any, Sequence[Job]], None] | None = None,
        seal: SecretCipher | None = None,
    ) -> None:
        self._engine = engine
        self._pause = pause
        self._ask = ask
        self._seal = seal or SecretCipher()
        self._reader = engines.reader(engine)
        self._writer = engines.writer(engine)
        self._turns = WriterQueue() if engine.dialect.name == "sqlite" else None

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a consistent read-only snapshot.

        Raises DatabaseFailed when the database is down, and InvalidInput for a value that
        PostgreSQL cannot process.
        """
        current = _CURRENT.get()
        if current is not None:
            with _translate_errors():
                yield current
            return
        with _translate_errors(), self._reader.connect() as connection:
            yield Transaction(connection, self._seal)

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Open a transaction that commits on a clean exit and rolls back on an exception.

        Raises Conflict when PostgreSQL aborted it for another one, DatabaseFailed when the database
        is down, full or locked, and InvalidInput for a value that PostgreSQL cannot store. Then
        nothing was written.
        """
        current = _CURRENT.get()
        if current is not None:
            with _translate_errors(), current.part():
                yield current
            return
        with self._transaction() as work:
            yield work

    @contextmanager
    def together(self) -> Iterator[Transaction]:
        """Use one transaction for all `reading` and `writing` calls in this context.

        Raises what `writing` raises, also on exit.
        """
        with self._transaction() as work:
            before = _CURRENT.set(work)
            try:
                yield work
            finally:
                _CURRENT.reset(before)

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        with _translate_errors():
            connection = self._writer.connect()
            try:
                truncate_log(connection, self._pause)
                seconds = _PATIENCE.get()
                turn = min(LONGEST_TURN, seconds)
                with self._turns.turn(turn) if self._turns else nullcontext():
                    with lock_timeout(connection, seconds):
                        connection.begin()
                    work = Transaction(connection, self._seal)
                    yield work
                    if self._ask is not None and work.asks:  # sorted: prevents deadlocks
                        jobs = [work.asks[task] for task in sorted(work.asks)]
                        self._ask(engines.driver_of(connection), jobs)
                    try:
                        connection.commit()
                    except BaseException:
                        # SQLite may keep the transaction and the write lock after a failed commit,
                        # and SQLAlchemy would return such a connection to the pool.
                        connection.invalidate()
                        raise
            except OperationalError as error:
                # SQLite keeps a file that it opened on a read-only file system read-only for ever.
                if "readonly database" in str(error.orig):
                    connection.invalidate()
                raise
            finally:
                connection.close()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


_CURRENT: ContextVar[Transaction | None] = ContextVar("current", default=None)
_PATIENCE: ContextVar[float] = ContextVar("patience", default=BUSY_SECONDS)

LITTLE_PATIENCE = 3.0
"""Seconds that a visitor's request waits for other writers."""


@contextmanager
def impatiently() -> Iterator[None]:
    """Let transactions in this context raise DatabaseFailed early when others hold SQLite's write
    lock."""
    before = _PATIENCE.set(LITTLE_PATIENCE)
    try:
        yield
    finally:
        _PATIENCE.reset(before)


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Translate errors of the database; programming errors pass unchanged."""
    try:
        yield
    except DBAPIError as error:
        if is_lost_race(error):
            raise Conflict("another transaction changed the same rows: try again") from error
        if isinstance(error, (OperationalError, InternalError)):  # InternalError: idle timeout
            raise DatabaseFailed(f"the database failed: {reason_of(error)}") from error
        if isinstance(error, DataError):
            words = (
                "that contains something the database cannot store: a NUL, or a number that "
                "is too large"
            )
            raise InvalidInput(words) from error
        raise


# A queue of the threads of one process that write to the same SQLite file.
#
# SQLite's writers poll for the lock with growing pauses, up to a tenth of a second: a thread that
# writes all the time can starve the others for minutes. The queue is fair, and the next thread
# starts at once. Other processes still poll.


class WriterQueue:
    """A FIFO lock with a timeout. Safe to share between threads."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._taken = False
        self._waiting = deque[Lock]()

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Hold the lock; after waiting for `seconds` continue without it.

        Then the database's own lock decides.
        """
        has_turn = self._take(seconds)
        try:
            yield
        finally:
            if has_turn:
                with self._guard:
                    if self._waiting:
                        self._waiting.popleft().release()
                    else:
                        self._taken = False

    def _take(self, seconds: float) -> bool:
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            mine = Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=seconds):
            return True
        with self._guard:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        return True  # it was handed over after the timeout
