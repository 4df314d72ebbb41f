"""Engines: how each database is opened so that it keeps its promises.

SQLite: write-ahead log, every commit synced, foreign keys on. The driver's own transactions are
switched off (they start after the first SELECT, so a check and its insert would not be one step)
and BEGIN is said here: IMMEDIATE for writers, plain for readers.

PostgreSQL: writers run at READ COMMITTED. That is enough because nothing is decided by a read
alone: unique keys, conditional updates and row locks decide. Readers get one read-only snapshot.
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
"""How long SQLite's write-ahead log may grow while somebody reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The room of a database in bytes: of its write-ahead log, and what is left for more. None
    where the database sees to it alone."""

    log_bytes: int | None = None
    free_bytes: int | None = None

    @property
    def is_full(self) -> bool:
        """Whether little or nothing more can be written."""
        return self.free_bytes is not None and self.free_bytes < LITTLE_ROOM

    @property
    def log_is_long(self) -> bool:
        """Whether the log is longer than it should ever be."""
        return self.log_bytes is not None and self.log_bytes > MOST_LOG_BYTES


BUSY_SECONDS = 10
CONNECTIONS = 40
"""As many as a web process has threads, so that no request waits for a connection."""

USUAL_LOG = 16 * 2**20
"""Bytes to which SQLite cuts its log when everything in it has reached the file."""

_making_a_file = threading.Lock()

Pool = Engine
"""What whoever opens a database holds on to, and gives to the stores."""

PURPOSE = "paperround_purpose"
READING, WRITING = "reading", "writing"

_POSTGRES_LIMITS = (
    "-c timezone=UTC -c lock_timeout=5s -c statement_timeout=60s"
    " -c idle_in_transaction_session_timeout=60s"
)


_POSTGRES_LINE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""A server that a line has cut off is given up after 25 s (the last is in milliseconds, the others
in seconds). By itself a system waits for a quarter of an hour, or for two hours."""


def create(url: str, *, connections: int = CONNECTIONS) -> Engine:
    """The engine for `url`; opens nothing yet. Raises Misconfigured for a URL it cannot serve."""
    try:
        parts = make_url(url)
    except ArgumentError:
        raise Misconfigured(
            "DATABASE_URL is not a URL: write sqlite:///FILE or postgresql://USER@HOST/NAME"
        ) from None
    match parts.get_backend_name():
        case "sqlite":
            return _sqlite(parts, connections)
        case "postgresql" | "postgres":
            return _postgres(parts, connections)
        case other:
            raise Misconfigured(f"DATABASE_URL names {other}: Paperround knows sqlite, postgresql")


def place_of(engine: Engine) -> str:
    """Where its database is, as an operator writes it, without a password."""
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
    """The engine for `url`, its connections closed at the end."""
    engine = create(url)
    try:
        yield engine
    finally:
        engine.dispose()


def reader(engine: Engine) -> Engine:
    """The same engine and pool for transactions that only read, from one snapshot."""
    options: dict[str, Any] = {PURPOSE: READING}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return engine.execution_options(**options)


def writer(engine: Engine) -> Engine:
    """The same engine and pool for transactions that write."""
    return engine.execution_options(**{PURPOSE: WRITING})


def _sqlite(url: URL, connections: int) -> Engine:
    if not url.database or url.database == ":memory:":
        raise Misconfigured("SQLite needs a file: write DATABASE_URL=sqlite:///FILE")
    folder = Path(url.database).parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(
            f"the folder {folder} cannot be made ({error.strerror}): name one that can with "
            "PAPERROUND_DATA_DIR"
        ) from error
    engine = create_engine(
        url,
        hide_parameters=True,  # they hold addresses, and errors end up in logs
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "do_connect", _make_file)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_file(_dialect: object, _record: object, arguments: list[Any], _: object) -> None:
    """Make a file that is not there for its owner alone; SQLite's others beside it get its mode.

    One that is there stays as it is, and is never opened here: closing it would drop SQLite's locks
    on it in this process (https://sqlite.org/howtocorrupt.html, 2.2), and the next process to leave
    would delete the log under this one. Hence also the lock: nobody connects to a file that is
    still open here. Where none can be made SQLite says so when it opens it.
    """
    wanted = os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with _making_a_file, contextlib.suppress(OSError):
        os.close(os.open(os.path.realpath(arguments[0]), wanted, 0o600))


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {USUAL_LOG}")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get(PURPOSE) == READING
    if connection.info.get(PURPOSE) is not reads:
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
        connection.info[PURPOSE] = reads
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _postgres(url: URL, connections: int) -> Engine:
    try:
        importlib.import_module("psycopg")
    except ImportError:
        raise Misconfigured(
            "PostgreSQL needs its driver: pip install 'paperround[postgres]'"
        ) from None
    # How long to wait for the server, where the URL does not say otherwise.
    line = {name: value for name, value in _POSTGRES_LINE.items() if name not in url.query}
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={**line, "options": _POSTGRES_LIMITS},
    )


@contextmanager
def driver_connection(engine: Engine) -> Iterator[Any]:
    """A connection of the pool as PostgreSQL's driver has it, in a transaction that is committed on
    a clean exit. For the queue, whose statements are not ours; what they raise passes as it is.
    Raises DatabaseFailed when no connection can be had, or the commit fails."""
    try:
        with writer(engine).connect() as connection, connection.begin():
            yield driver_of(connection)
    except DBAPIError as error:
        raise DatabaseFailed(f"the database failed: {reason_of(error)}") from error


def driver_of(connection: Connection) -> Any:
    """The driver's own connection below one that is in use."""
    return connection.connection.driver_connection


def driver_arguments(engine: Engine) -> dict[str, Any]:
    """How the driver opens a connection like those of the pool, by keyword."""
    _, arguments = engine.dialect.create_connect_args(engine.url)
    return {**arguments, "options": _POSTGRES_LIMITS}


# The room a database takes up, and has left, and how SQLite's log is kept short.
#
# Whatever is written goes into the write-ahead log first, and from there into the file once no
# reader needs the older pages. One reader that stays holds up all of it: at a thousand mails a
# second the log then grows by twenty megabytes a second (measured). So there is a length from which
# on each writer first tries to empty the log, and waits for the readers for a moment where that
# fails: the log grows on slowly, and nobody is refused.

LONG_LOG = MOST_LOG_BYTES * 3 // 4
"""Bytes of log from which on writers wait: what they write meanwhile must fit below the most."""

PAUSE, PAUSES = 0.25, 4
"""Seconds, and how many of them a writer waits at most for readers to leave."""


MUCH_CACHE = 24 * 2**20
"""Bytes of pages that SQLite may hold while thousands of rows go into tables of many indexes. With
its usual two million most pages are written to the log several times before the commit."""


def rest(seconds: float) -> None:
    """Let this thread rest."""
    Event().wait(seconds)


def storage(connection: Connection) -> Storage:
    """What is known of the room; nothing on PostgreSQL, whose server sees to its own."""
    file = connection.engine.url.database
    if connection.dialect.name != "sqlite" or file is None:
        return Storage()
    # How much more can be written: by the disk, and by the file's own limit.
    disk = os.statvfs(file)
    names = ("max_page_count", "page_count", "freelist_count", "page_size")
    most, pages, free, size = (
        int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()) for name in names
    )
    room = min(disk.f_bavail * disk.f_frsize, (most - pages + free) * size)
    return Storage(log_bytes=_log_bytes(file), free_bytes=room)


def _log_bytes(file: str) -> int:
    try:
        return os.stat(f"{file}-wal").st_size
    except FileNotFoundError:
        return 0


def keep_log_short(connection: Connection, pause: Callable[[float], None]) -> None:
    """Before a transaction that writes: empty a log that is too long, or give its readers a moment.

    Nothing is held meanwhile: other writers and every reader go on.
    """
    file = connection.engine.url.database
    if connection.dialect.name != "sqlite" or file is None:
        return
    for _ in range(PAUSES):
        if _log_bytes(file) <= LONG_LOG or _emptied(connection):
            return
        pause(PAUSE)


@contextmanager
def roomy(connection: Connection) -> Iterator[None]:
    """Within a transaction: many rows are written. Afterwards SQLite gives the room back as it
    commits; what it had to spare before it has again."""
    if connection.dialect.name != "sqlite":
        yield
        return
    ((usual,),) = connection.exec_driver_sql("PRAGMA cache_size")
    connection.exec_driver_sql(f"PRAGMA cache_size = -{MUCH_CACHE // 1024}")
    try:
        yield
    finally:
        if not connection.invalidated:  # else the error that broke it is what has to be told
            connection.exec_driver_sql(f"PRAGMA cache_size = {int(usual)}")


def _emptied(connection: Connection) -> bool:
    """Move the log into the file and make it empty, unless somebody reads or writes."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError(f"{driver!r} is no connection of SQLite")
    with closing(driver.cursor()) as cursor:
        (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(patience)}")
    return not busy


LITTLE_ROOM = 2**20
"""Bytes free below which a database counts as full: a commit of a mark may need some of them."""
