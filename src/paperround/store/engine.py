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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from paperround.domain.errors import DatabaseFailed, Misconfigured
from paperround.store.dialect import reason_of

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
    _make_folder(Path(url.database).parent)
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


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(
            f"the folder {folder} cannot be made ({error.strerror}): name one that can with "
            "PAPERROUND_DATA_DIR"
        ) from error


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
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={**_line_of(url), "options": _POSTGRES_LIMITS},
    )


def _line_of(url: URL) -> dict[str, int]:
    """How long to wait for the server, where the URL does not say otherwise."""
    return {name: value for name, value in _POSTGRES_LINE.items() if name not in url.query}


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
