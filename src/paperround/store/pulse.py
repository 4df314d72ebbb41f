"""Whether anything was written to a database since one looked before, for pages that are kept.

SQLite counts commits of others for each connection (`PRAGMA data_version`), so one connection stays
open for asking; it holds no lock between two questions. PostgreSQL says which transactions are over
(`pg_current_snapshot`): two equal answers mean the same rows. That is a round trip, so its answer
holds for a second.
"""

import sqlite3
import time
from threading import Lock

from sqlalchemy import Engine, event, text

from paperround.domain.errors import DatabaseFailed
from paperround.store.unit_of_work import SqlDatabase

LASTING = 1.0
"""Seconds for which an answer of PostgreSQL holds."""

_SNAPSHOT = text("SELECT CAST(pg_current_snapshot() AS text)")


def pulse_of(engine: Engine) -> "SqlitePulse | PostgresPulse":
    """What tells whether the database of `engine` was written to."""
    if engine.dialect.name == "sqlite":
        return SqlitePulse(engine)
    return PostgresPulse(engine)


class SqlitePulse:
    """Asks one connection of its own. Safe to share between threads."""

    is_quick = True

    def __init__(self, engine: Engine) -> None:
        self._path = str(engine.url.database)
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened = 0
        event.listen(engine, "engine_disposed", self._close)

    def beat(self) -> str:
        """The count of commits as this connection sees it."""
        try:
            with self._lock:
                asked = self._open().execute("PRAGMA data_version").fetchone()
        except sqlite3.Error as error:
            raise DatabaseFailed(f"the database failed: {error}") from error
        return f"{self._opened}.{asked[0]}"

    def _open(self) -> sqlite3.Connection:
        """The connection: counts of two have nothing to do with each other."""
        if self._connection is None:
            self._opened += 1
            self._connection = sqlite3.connect(
                self._path, timeout=1, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA query_only = ON")
        return self._connection

    def _close(self, _engine: Engine) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None


class PostgresPulse:
    """Asks a connection of the pool, at most once a second. Safe to share between threads."""

    is_quick = False

    def __init__(self, engine: Engine) -> None:
        self._database = SqlDatabase(engine)
        self._lock = Lock()
        self._last, self._asked_at = "", float("-inf")

    def beat(self) -> str:
        """The transactions that were over, at most a second ago."""
        with self._lock:
            if time.monotonic() - self._asked_at >= LASTING:
                self._last = self._ask()
                self._asked_at = time.monotonic()
            return self._last

    def _ask(self) -> str:
        with self._database.reading() as work:
            snapshot: str = work.connection.execute(_SNAPSHOT).scalar_one()
        return snapshot
