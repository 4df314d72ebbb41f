"""Whether anything that public pages show was written since one looked before, for pages that are
kept.

Triggers count it, whoever writes (`schema_pages`). SQLite tells in microseconds whether anybody
committed anything at all (`PRAGMA data_version`, which counts for each connection), and only then
is the count read; so one connection stays open for asking, and holds no lock between two questions.
On PostgreSQL the count is a round trip, so its answer holds for a second.
"""

import sqlite3
import time
from threading import Lock

from sqlalchemy import Engine, event, text

from paperround.domain.errors import DatabaseFailed
from paperround.store.schema_pages import COUNT
from paperround.store.unit_of_work import SqlDatabase

LASTING = 1.0
"""Seconds for which an answer of PostgreSQL holds."""

_COUNT = text(COUNT)


def pulse_of(engine: Engine) -> "SqlitePulse | PostgresPulse":
    """What tells whether what pages show was written to in the database of `engine`."""
    if engine.dialect.name == "sqlite":
        return SqlitePulse(engine)
    return PostgresPulse(engine)


class SqlitePulse:
    """Asks one connection of its own. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._path = str(engine.url.database)
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened = 0
        self._version, self._last = -1, ""
        event.listen(engine, "engine_disposed", self._close)

    def at_hand(self) -> str | None:
        """The same."""
        return self.beat()

    def beat(self) -> str:
        """The count, read anew where the connection sees that somebody committed."""
        try:
            with self._lock:
                connection = self._open()
                [(version,)] = connection.execute("PRAGMA data_version")
                if version != self._version:
                    [(count,)] = connection.execute(COUNT)
                    self._version, self._last = version, f"{self._opened}.{count}"
                return self._last
        except sqlite3.Error as error:
            raise DatabaseFailed(f"the database failed: {error}") from error

    def _open(self) -> sqlite3.Connection:
        """The connection: versions of two have nothing to do with each other, and the file may
        be another one."""
        if self._connection is None:
            self._opened += 1
            self._version = -1
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

    def __init__(self, engine: Engine) -> None:
        self._database = SqlDatabase(engine)
        self._lock = Lock()
        self._last = ("", float("-inf"))
        """What was said, and when it was asked for: one value, as others read it meanwhile."""

    def at_hand(self) -> str | None:
        """What was said less than a second ago."""
        said, asked_at = self._last
        return said if time.monotonic() - asked_at < LASTING else None

    def beat(self) -> str:
        """The count, at most a second old."""
        with self._lock:
            said = self.at_hand()
            if said is None:
                asked_at = time.monotonic()
                said = self._ask()
                self._last = (said, asked_at)
            return said

    def _ask(self) -> str:
        with self._database.reading() as work:
            count: str = work.connection.execute(_COUNT).scalar_one()
        return count
