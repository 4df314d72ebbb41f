"""Create engines for SQLite and PostgreSQL.

SQLite: write-ahead log, every commit synced, foreign keys on. The driver's own transactions are
off, because they start after the first SELECT, so a check and its insert would not be atomic.
Instead this module issues BEGIN: IMMEDIATE for writers, plain for readers.

PostgreSQL: writers run at READ COMMITTED. That is enough because no decision depends on a read
alone, only on unique keys, conditional updates and row locks. Readers get a read-only snapshot.
"""

import contextlib
import importlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from paperround.core.errors import DatabaseFailed, Misconfigured
from paperround.db.dialect import reason_of

MOST_LOG_BYTES = 64 * 2**20
"""The most bytes that SQLite's write-ahead log may have while readers are active."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The bytes that a database's write-ahead log uses, and those that are free (None on
    PostgreSQL), and whether the file system is read-only."""

    log_bytes: int | None = None
    free_bytes: int | None = None
    is_read_only: bool = False

    @property
    def is_full(self) -> bool:
        """Whether there is little or no space left to write."""
        return self.free_bytes is not None and self.free_bytes < LITTLE_ROOM

    @property
    def log_is_long(self) -> bool:
        """Whether the log exceeds its limit."""
        return self.log_bytes is not None and self.log_bytes > MOST_LOG_BYTES


BUSY_SECONDS = 50
"""How long a writer waits for SQLite's write lock before it fails."""

CONNECTIONS = 40
"""The number of threads of a web process, so that no request waits for a connection."""

USUAL_LOG = 16 * 2**20
"""Bytes to which SQLite truncates its log after a checkpoint."""

_file_creation = threading.Lock()

Pool = Engine
"""The engine with its connection pool, as other packages use it."""

HOW_TO_INSTALL_DRIVER = (
    "install Paperround with its extra `postgres`, in a clone with `uv tool install '.[postgres]'`"
)
"""Never by the name alone: nothing is published under it, so it may be another program."""

PURPOSE = "paperround_purpose"
READING, WRITING = "reading", "writing"

_POSTGRES_LIMITS = (
    "-c timezone=UTC -c lock_timeout=5s -c statement_timeout=60s"
    " -c idle_in_transaction_session_timeout=60s"
)


_POSTGRES_KEEPALIVE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""Give up on an unreachable server after 25 s (the last value is in milliseconds, the others in
seconds). The system's defaults are a quarter of an hour, or two hours."""


def create(url: str) -> Engine:
    """Return the engine for `url`, without connecting. Raises Misconfigured for an invalid URL."""
    try:
        parts = make_url(url)
    except ArgumentError:
        raise Misconfigured(
            "DATABASE_URL is not a URL: write sqlite:///FILE or postgresql://USER@HOST/NAME"
        ) from None
    match parts.get_backend_name():
        case "sqlite":
            return _sqlite(parts)
        case "postgresql" | "postgres":
            return _postgres(parts)
        case other:
            raise Misconfigured(
                f"DATABASE_URL is for {other}: Paperround supports sqlite and postgresql"
            )


def place_of(engine: Engine) -> str:
    """Return the URL of the database, as an operator writes it, without the password."""
    url = engine.url
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql")
    return (
        url._replace(password=None)
        .difference_update_query(("password", "sslpassword"))
        .render_as_string()
    )


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """Yield the engine for `url`, and close its connections at the end."""
    engine = create(url)
    try:
        yield engine
    finally:
        engine.dispose()


def reader(engine: Engine) -> Engine:
    """Return the engine, with the same pool, for read-only transactions on one snapshot."""
    options: dict[str, Any] = {PURPOSE: READING}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return engine.execution_options(**options)


def writer(engine: Engine) -> Engine:
    """Return the engine, with the same pool, for transactions that write."""
    return engine.execution_options(**{PURPOSE: WRITING})


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise Misconfigured("SQLite needs a file: write DATABASE_URL=sqlite:///FILE")
    folder = Path(url.database).parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(
            f"the folder {folder} cannot be created ({error.strerror}): set "
            "PAPERROUND_DATA_DIR to a writable folder"
        ) from error
    engine = create_engine(
        url,
        hide_parameters=True,  # they contain email addresses, and errors are logged
        poolclass=QueuePool,
        pool_size=CONNECTIONS,
        max_overflow=0,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "do_connect", _create_file)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _create_file(_dialect: object, _record: object, arguments: list[Any], _: object) -> None:
    """Create a missing file with mode 0600; SQLite gives its log files the same mode.

    An existing file is never opened here: closing it would drop SQLite's locks on it in this
    process (https://sqlite.org/howtocorrupt.html, 2.2), and the next process to exit would delete
    the log. For the same reason a lock keeps other threads from connecting while the new file is
    open here. If it cannot be created, SQLite reports that on opening.
    """
    flags = os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with _file_creation, contextlib.suppress(OSError):
        os.close(os.open(os.path.realpath(arguments[0]), flags, 0o600))


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {USUAL_LOG}")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    purpose = connection.get_execution_options().get(PURPOSE)
    reads = purpose == READING
    if connection.info.get(PURPOSE) is not reads:
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
        connection.info[PURPOSE] = reads
    connection.exec_driver_sql("BEGIN IMMEDIATE" if purpose == WRITING else "BEGIN")


def _postgres(url: URL) -> Engine:
    try:
        importlib.import_module("psycopg")
    except ImportError:
        raise Misconfigured(f"PostgreSQL needs its driver: {HOW_TO_INSTALL_DRIVER}") from None
    # The URL can override these.
    keepalive = {name: it for name, it in _POSTGRES_KEEPALIVE.items() if name not in url.query}
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={**keepalive, "options": _POSTGRES_LIMITS},
    )


@contextmanager
def driver_connection(engine: Engine) -> Iterator[Any]:
    """Yield the driver connection of a pooled connection, in a transaction that commits at the end.

    For the queue, which runs its own statements; their errors pass unchanged. Raises DatabaseFailed
    when no connection is available, or the commit fails.
    """
    try:
        with writer(engine).connect() as connection, connection.begin():
            yield driver_of(connection)
    except DBAPIError as error:
        raise DatabaseFailed(f"the database failed: {reason_of(error)}") from error


def driver_of(connection: Connection) -> Any:
    """Return the driver connection of a connection in use."""
    return connection.connection.driver_connection


def driver_arguments(engine: Engine) -> dict[str, Any]:
    """Return the keyword arguments with which the driver opens a connection like the pool's."""
    _, arguments = engine.dialect.create_connect_args(engine.url)
    return {**arguments, "options": _POSTGRES_LIMITS}


# Disk space, and the length of SQLite's write-ahead log.
#
# SQLite writes to the log first, and moves the log to the file once no reader needs the older
# pages. One long reader blocks that: at a thousand emails a second the log then grows by twenty
# megabytes a second (measured). So above a certain length each writer first tries to empty the log,
# and if that fails waits a moment for the readers: the log grows slowly, and no write fails.

LONG_LOG = MOST_LOG_BYTES * 3 // 4
"""Log bytes above which writers wait: what they write meanwhile must stay below the limit."""

PAUSE, PAUSES = 0.25, 4
"""Seconds of a pause, and how many pauses a writer waits at most for readers."""


MUCH_CACHE = 24 * 2**20
"""Bytes of SQLite's page cache for bulk writes to tables with many indexes. With the default of
2 MB most pages are written to the log several times before the commit."""


def rest(seconds: float) -> None:
    """Sleep for `seconds`."""
    Event().wait(seconds)


def storage(connection: Connection) -> Storage:
    """Return the log size and the free space; both None on PostgreSQL. Raises DatabaseFailed if the
    file is gone, which open connections do not notice."""
    file = connection.engine.url.database
    if connection.dialect.name != "sqlite" or file is None:
        return Storage()
    # The disk limits the free space, and so does the maximum size of the file.
    try:
        disk = os.statvfs(file)
    except OSError as error:
        raise DatabaseFailed(f"the database file is gone: {error.strerror}") from error
    names = ("max_page_count", "page_count", "freelist_count", "page_size")
    most, pages, free, size = (
        int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()) for name in names
    )
    free_bytes = min(disk.f_bavail * disk.f_frsize, (most - pages + free) * size)
    is_read_only = bool(disk.f_flag & os.ST_RDONLY)
    return Storage(log_bytes=_log_bytes(file), free_bytes=free_bytes, is_read_only=is_read_only)


def _log_bytes(file: str) -> int:
    try:
        return os.stat(f"{file}-wal").st_size
    except FileNotFoundError:
        return 0


def truncate_log(connection: Connection, pause: Callable[[float], None]) -> None:
    """Empty a log that is too long, or wait a moment for its readers.

    Call it before a writing transaction, so that no lock is held meanwhile.
    """
    file = connection.engine.url.database
    if connection.dialect.name != "sqlite" or file is None:
        return
    for _ in range(PAUSES):
        if _log_bytes(file) <= LONG_LOG or _emptied(connection):
            return
        pause(PAUSE)


@contextmanager
def enlarged_page_cache(connection: Connection) -> Iterator[None]:
    """Enlarge SQLite's page cache for a bulk write within a transaction, and reset it afterwards.

    SQLite frees the memory on commit.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    ((usual,),) = connection.exec_driver_sql("PRAGMA cache_size")
    connection.exec_driver_sql(f"PRAGMA cache_size = -{MUCH_CACHE // 1024}")
    try:
        yield
    finally:
        if not connection.invalidated:  # else this would hide the error that broke it
            connection.exec_driver_sql(f"PRAGMA cache_size = {int(usual)}")


def _emptied(connection: Connection) -> bool:
    """Checkpoint and truncate the log; return False when readers or writers prevent that."""
    with lock_timeout(connection, 0), closing(driver_of(connection).cursor()) as cursor:
        busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


@contextmanager
def lock_timeout(connection: Connection, seconds: float) -> Iterator[None]:
    """Wait at most so long for a lock of SQLite, instead of BUSY_SECONDS."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = driver_of(connection)
    driver.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
    try:
        yield
    finally:
        with contextlib.suppress(sqlite3.ProgrammingError):  # closed meanwhile
            driver.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")


LITTLE_ROOM = 2**20
"""Free bytes below which a database counts as full: even a small commit needs some."""
