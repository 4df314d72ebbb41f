"""The unit of work: every store of one transaction, committed on a clean exit."""

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
from paperround.db.dialect import is_busy, is_lost_race, reason_of
from paperround.db.encryption import NoCipher, SecretCipher
from paperround.db.engine import keep_log_short, rest

T = TypeVar("T")
S = TypeVar("S", bound="Store")

log = logging.getLogger(__name__)

TRIES = 10

FIRST_WAIT = 0.01
LONGEST_WAIT = 1.0
"""Seconds."""

PATIENCE = (0.1, 0.4, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before each further try of what must be written: half a minute in all, in which a server
is started anew, or another one takes over."""


BEGIN_TRIES = 5
"""Each one waits for SQLite's lock as long as the engine's busy timeout."""

LONGEST_TURN = engines.BUSY_SECONDS
"""Seconds that a thread waits for others of its process, before it asks SQLite all the same."""


class Transaction:
    """One transaction. `work[PaperStore]` is the store of papers on it; no store commits.

    `seal` encrypts what rests in the database; `asks` holds the jobs to be put with this
    transaction, by their tasks.
    """

    def __init__(self, connection: Connection, seal: SecretCipher) -> None:
        self.connection = connection
        self.seal = seal
        self.asks: dict[str, Job] = {}
        self._stores: dict[type[Store], Store] = {}

    def __getitem__(self, kind: type[S]) -> S:
        """The store of this kind, made when it is first asked for."""
        found = self._stores.get(kind)
        if found is None:
            found = self._stores[kind] = kind(self)
        return cast("S", found)

    def ask(self, job: Job) -> None:
        """Have `job` put with this transaction, where jobs are rows of the database: no commit, no
        job. Rows of the ledgers ask for their senders by themselves."""
        self.asks[job.task] = job

    @contextmanager
    def part(self) -> Iterator[None]:
        """What is done within stays where it ends well, and is undone alone where it does not."""
        self.connection.exec_driver_sql("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if not self.connection.invalidated:  # else all of it is undone
                self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT part")
                self.connection.exec_driver_sql("RELEASE SAVEPOINT part")
            raise
        self.connection.exec_driver_sql("RELEASE SAVEPOINT part")


class Store:
    """Some of what one transaction reads and writes."""

    def __init__(self, work: Transaction) -> None:
        self._connection = work.connection


class Database(Protocol):
    """Opens units of work; each commits on a clean exit and rolls back on an exception.

    `reading` gives a consistent snapshot. `writing` holds the writer's lock from its first
    statement on (BEGIN IMMEDIATE on SQLite), so a check and the insert that follows it are one
    step.
    """

    def reading(self) -> AbstractContextManager[Transaction]: ...

    def writing(self) -> AbstractContextManager[Transaction]: ...


def write(database: Database, do: Callable[[Transaction], T]) -> T:
    """Run `do` in a writing transaction and return what it returns.

    When another transaction wins a race, everything is undone and `do` runs again, so it must
    read what it decides by. Raises Conflict when it lost `TRIES` times.
    """

    def transaction() -> T:
        with database.writing() as work:
            return do(work)

    return tried(transaction)


def tried(do: Callable[[], T], *, pause: Callable[[float], None] = rest) -> T:
    """Run `do`, again while it raises Conflict, and return what it returns.

    Before each try it waits longer, up to a second, and by chance, so that those who met do not
    meet again. Raises Conflict when it lost `TRIES` times.
    """
    for lost in range(1, TRIES + 1):
        try:
            return do()
        except Conflict:
            if lost == TRIES:
                raise
            pause(wait_after(lost))
    raise AssertionError("the last try returns or raises")


def wait_after(lost: int) -> float:
    """Seconds to wait after so many lost races: from half of what doubles up to all of it."""
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (lost - 1))
    return uniform(longest / 2, longest)  # noqa: S311 - only apart from others, nothing secret


@dataclass(slots=True)
class RetryPolicy:
    """Tries what must not be forgotten again, while the database is away for a moment.

    `wait` waits for so many seconds and says whether to stop: then there is one last try. The
    waits of PATIENCE are had once: a database that stays away is not waited for again.
    """

    wait: Callable[[float], bool]
    _waits: list[float] = field(default_factory=lambda: list(PATIENCE))

    def tried(self, do: Callable[[], T]) -> T:
        """Do it, again while it raises DatabaseFailed, and return what it returns. The answer to a
        commit may have been lost, so `do` may come to count although it is done again: it must be
        the same twice. Raises DatabaseFailed in the end."""
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
    """Opens units of work on one engine. Safe to share between threads.

    `ask` puts the jobs that a transaction asks for by what it wrote, on its connection as the
    driver has it, just before it commits; without one nobody does. `seal` is what secrets rest
    under.
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
        self._seal = NoCipher() if seal is None else seal
        self._reader = engines.reader(engine)
        self._writer = engines.writer(engine)
        self._turns = WriterQueue() if engine.dialect.name == "sqlite" else None

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """One consistent snapshot; nothing done in it is kept.

        Raises DatabaseFailed when the database is down, and InvalidInput for a value that
        PostgreSQL cannot even look for.
        """
        whole = _WHOLE.get()
        if whole is not None:
            with _failures_named():
                yield whole
            return
        with _failures_named(), self._reader.connect() as connection:
            yield Transaction(connection, self._seal)

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """One transaction: commits on a clean exit, rolls back on an exception.

        Raises Conflict when PostgreSQL ended it in favour of another one, and DatabaseFailed when
        the database is down, full or locked, InvalidInput for a value that PostgreSQL cannot hold:
        nothing of it is kept then.
        """
        whole = _WHOLE.get()
        if whole is not None:
            with _failures_named(), whole.part():
                yield whole
            return
        with self._transaction() as work:
            yield work

    @contextmanager
    def together(self) -> Iterator[Transaction]:
        """One transaction for all that is read and written in this context meanwhile, however many
        are opened. Raises what `writing` raises, at the end too."""
        with self._transaction() as work:
            before = _WHOLE.set(work)
            try:
                yield work
            finally:
                _WHOLE.reset(before)

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        with _failures_named():
            connection = self._writer.connect()
            try:
                keep_log_short(connection, self._pause)
                with self._turns.turn(LONGEST_TURN) if self._turns else nullcontext():
                    _begin(connection)
                    work = Transaction(connection, self._seal)
                    yield work
                    if self._ask is not None and work.asks:  # sorted: no two wait for each other
                        jobs = [work.asks[task] for task in sorted(work.asks)]
                        self._ask(engines.driver_of(connection), jobs)
                    try:
                        connection.commit()
                    except BaseException:
                        # SQLite may leave a transaction open whose commit failed, with the writer's
                        # lock, and SQLAlchemy would give it back to the pool like that.
                        connection.invalidate()
                        raise
            finally:
                connection.close()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


_WHOLE: ContextVar[Transaction | None] = ContextVar("whole", default=None)


@contextmanager
def _failures_named() -> Iterator[None]:
    """The database's own troubles as errors of ours; what is our own mistake passes as it is."""
    try:
        yield
    except DBAPIError as error:
        if is_lost_race(error):
            raise Conflict("another transaction changed the same rows: try again") from error
        if isinstance(error, (OperationalError, InternalError)):  # the last: ended for idling
            raise DatabaseFailed(f"the database failed: {reason_of(error)}") from error
        if isinstance(error, DataError):
            words = "that holds what the database cannot keep: a NUL, or too large a number"
            raise InvalidInput(words) from error
        raise


def _begin(connection: Connection) -> None:
    for tries_left in reversed(range(BEGIN_TRIES)):
        try:
            connection.begin()
        except OperationalError as error:
            if not (is_busy(error) and tries_left):
                raise
        else:
            return


# Turns of the threads of one process that want to write to one SQLite file.
#
# SQLite has its writers look again after longer and longer pauses, up to a tenth of a second, and
# whoever looks at the right moment is next: one who writes all the time keeps the others out for
# minutes. In a queue each goes when it is their turn, and at once. Other processes look again as
# ever.


class WriterQueue:
    """First come, first served. Safe to share between threads."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._taken = False
        self._waiting = deque[Lock]()

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Wait for the turn, and have it meanwhile. Whoever waited that long goes on without one:
        what holds them up is for the database to say."""
        has_turn = self._take(seconds)
        try:
            yield
        finally:
            if has_turn:
                self._pass_on()

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
        return True  # it was handed over in the last moment

    def _pass_on(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
