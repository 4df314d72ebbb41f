"""Move an installation from SQLite to PostgreSQL.

    file         locked, checked ───────────────► MOVING ─────────────► MOVED
    database     empty ─► filled in one transaction   └─► committed ─┘

Until the file is marked MOVING, a failure changes nothing. A marked file refuses to work, so two
databases never work at once. Running the same command again finishes the move: it copies again if
the transaction was not committed.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, func, inspect, select, text
from sqlalchemy.exc import DataError, DBAPIError, OperationalError

from paperround.access.model import AuditedAction
from paperround.access.store import AuditStore
from paperround.core.errors import (
    Conflict,
    DatabaseFailed,
    InvalidInput,
    SchemaOutOfDate,
    UnreadableFile,
)
from paperround.core.interfaces import Advance, no_progress
from paperround.core.times import format_instant
from paperround.db import migrate, revisions
from paperround.db.dialect import insert_row, reason_of
from paperround.db.driver import Columns, copy_rows
from paperround.db.engine import opened, place_of
from paperround.db.revisions import MOVED, MOVING
from paperround.db.schema import queue
from paperround.db.schema.tables import metadata
from paperround.db.transactions import SqlDatabase

LOCK_TIMEOUT = 2.0
"""Seconds to wait for a command that is about to close the file."""

BATCH = 200
"""Rows in memory at a time: few, because some are large."""

REPLACEMENT = "\ufffd"
"""Replaces a NUL, which PostgreSQL cannot store."""

_MOVES = "CREATE TABLE moves (place TEXT NOT NULL, began_at TEXT NOT NULL, revision TEXT NOT NULL)"
_ENTER = "INSERT INTO moves (place, began_at, revision) VALUES (:place, :began_at, :revision)"
_SET_REVISION = "UPDATE alembic_version SET version_num = :revision"
_NO_LIMITS = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"


class Move:
    """A move of the installation in `file`, locked by `source`, into the database `target`.

    `is_done` is true if the rows are there already. Raises InvalidInput, SchemaOutOfDate and
    Conflict when the file cannot be moved to this database.
    """

    def __init__(self, file: Path, source: Connection, target: Engine) -> None:
        self._file = file
        self._source = source
        self._target = target
        self.place = place_of(target)
        self.is_done = self._find_out_whether_done()

    def _find_out_whether_done(self) -> bool:
        try:
            found = self._source.execute(text("SELECT version_num FROM alembic_version"))
            revision = str(found.scalar_one())
        except DBAPIError:
            raise InvalidInput(f"{self._file} has no Paperround tables: nothing to move") from None
        if revision not in (MOVING, MOVED):
            if revision != revisions.head():
                raise SchemaOutOfDate(f"{self._file}: {revisions.mismatch(revision)}")
            return False
        place = revisions.new_place(self._source)
        is_there = place == self.place and self._is_filled()
        if not is_there and (revision == MOVED or place != self.place):
            raise Conflict(
                f"{self._file} was moved to {place} already, but {self.place} has none of it: "
                "restore a dump of that database, or a backup of the file from before the move"
            )
        return is_there

    def _is_filled(self) -> bool:
        """Whether the database is at this version's revision, and not empty."""
        if revisions.current(self._target) != revisions.head():
            return False
        with self._target.connect() as connection:
            return bool(_rows_held(connection))

    def look(self) -> dict[str, int]:
        """Return the number of rows by table, without changing anything.

        Raises UnreadableFile when the file is damaged, and Conflict when the database is not empty.
        """
        self._require_vacant()
        self._require_sound()
        return {table.name: _count(self._source, table) for table in metadata.sorted_tables}

    def _require_sound(self) -> None:
        """Raise UnreadableFile when the file is damaged, or rows refer to missing rows."""
        problem = self._source.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if problem != "ok":
            raise UnreadableFile(f"{self._file} is damaged: {problem}; restore a backup first")
        dangling = self._source.exec_driver_sql("PRAGMA foreign_key_check").first()
        if dangling is not None:
            raise UnreadableFile(
                f"rows of {dangling[0]} in {self._file} refer to rows of {dangling[2]} that "
                "are gone: `paperround doctor` counts them"
            )

    def _require_vacant(self) -> None:
        """Require an empty database; the default list that `db upgrade` creates does not count.

        Raises Conflict when it has other data, InvalidInput when its encoding is not UTF8, and
        SchemaOutOfDate when it is at another revision.
        """
        found = revisions.current(self._target)
        with self._target.connect() as connection:
            encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
            if encoding != "UTF8":
                raise InvalidInput(
                    f"{self.place} holds texts in {encoding}, and titles need UTF8: make it with "
                    "`createdb --encoding=UTF8 --template=template0`"
                )
            if found is None:
                self._require_no_tables(connection)
            elif found != revisions.head():
                raise SchemaOutOfDate(
                    f"{self.place} is at revision {found}, this version needs {revisions.head()}: "
                    "name an empty database (`createdb`), or run `paperround db upgrade` on it "
                    "first"
                )
            else:
                self._require_no_rows(connection)

    def _require_no_tables(self, connection: Connection) -> None:
        known = {table.name for table in metadata.sorted_tables}
        for name in sorted(inspect(connection).get_table_names()):
            if name in known or not queue.is_declared(name):
                raise Conflict(
                    f"{self.place} holds a table {name} that is not Paperround's: name a database "
                    "of its own (`createdb`)"
                )

    def _require_no_rows(self, connection: Connection) -> None:
        held = _rows_held(connection)
        if held:
            raise Conflict(
                f"{self.place} is not empty ({', '.join(held[:3])}): a move never overwrites; name "
                "an empty database (`createdb`)"
            )

    def copy(self, advance: Advance = no_progress, *, now: datetime) -> None:
        """Copy every table in one transaction, and mark the file.

        Raises InvalidInput when PostgreSQL cannot store a value, and DatabaseFailed when it fails;
        then both databases are unchanged, unless the commit itself failed.
        """
        migrate.upgrade(self._target)
        with self._target.begin() as connection:
            connection.exec_driver_sql(_NO_LIMITS)
            names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
            connection.exec_driver_sql(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
            self._require_no_rows(connection)  # a command may have written since `look`
            connection.exec_driver_sql(f"TRUNCATE {names}")
            for table in metadata.sorted_tables:
                self._copy_table(table, connection, advance)
            self._leave(now)
        with self._target.begin() as connection:
            connection.exec_driver_sql(f"{_NO_LIMITS}; ANALYZE")
        self.finish()
        revisions.store_database_ids(self._target, now=now)

    def audit(self, *, now: datetime, by: str) -> None:
        """Audit the move in the new database, once."""
        with SqlDatabase(self._target).writing() as work:
            if work[AuditStore].latest("move database", "database") is None:
                entry = AuditedAction(actor=by, action="move database", target="database")
                work[AuditStore].note(entry, now=now)

    def finish(self) -> None:
        """Mark the file as moved, after the commit."""
        self._source.execute(text(_SET_REVISION), {"revision": MOVED})

    def _leave(self, now: datetime) -> None:
        """Mark the file as MOVING, so that no command uses it any more."""
        self._source.exec_driver_sql("DROP TABLE IF EXISTS moves")
        self._source.exec_driver_sql(_MOVES)
        moving = {
            "place": self.place,
            "began_at": format_instant(now),
            "revision": revisions.head(),
        }
        self._source.execute(text(_ENTER), moving)
        self._source.execute(text(_SET_REVISION), {"revision": MOVING})
        self._source.exec_driver_sql("COMMIT")  # the lock stays
        self._source.exec_driver_sql("BEGIN EXCLUSIVE")

    def _copy_table(self, table: Table, connection: Connection, advance: Advance) -> None:
        query = select(table).order_by(*table.primary_key)
        names = table.columns.keys()
        try:
            for batch in self._source.execute(query).yield_per(BATCH).partitions():
                columns = zip(*(map(without_nul, row) for row in batch), strict=True)
                values = Columns(dict(zip(names, columns, strict=True)))
                copy_rows(connection, insert_row(table), values)
                advance(len(batch))
        except DataError as error:
            raise InvalidInput(
                f"PostgreSQL cannot hold a row of {table.name}: {reason_of(error)}"
            ) from error
        except (ValueError, TypeError, DatabaseFailed) as error:
            raise InvalidInput(
                f"a row of {table.name} in {self._file} is broken: {error}"
            ) from error
        there, here = _count(self._source, table), _count(connection, table)
        if there != here:
            raise DatabaseFailed(
                f"{table.name} has {there:,} rows, and {here:,} arrived: nothing was moved"
            )
        if "id" in table.c:
            self._reserve_ids(table, connection)

    def _reserve_ids(self, table: Table, connection: Connection) -> None:
        """Give new rows ids above the highest that `table` ever used in the file."""
        highest = self._source.execute(select(func.max(table.c.id))).scalar_one()
        given = self._source.execute(
            text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name}
        ).scalar()
        last = max(highest or 0, given or 0)
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last, :is_given)"),
            {"name": table.name, "last": max(last, 1), "is_given": last > 0},
        )


@contextmanager
def move_between(file: Path, url: str) -> Iterator[Move]:
    """Open the SQLite `file` exclusively, and the PostgreSQL database at `url`.

    Raises InvalidInput when one of them is not such a database; Conflict when the file is in use;
    SchemaOutOfDate when it is not at this version's revision; UnreadableFile when it is damaged;
    Misconfigured when the database is unreachable, and DatabaseFailed when it fails.
    """
    with opened(url) as engine:
        if engine.dialect.name != "postgresql":
            raise InvalidInput("name the database to move to: postgresql://USER@HOST/NAME")
        revisions.require_reachable(engine)
        with _translate_errors(file, place_of(engine)), _locked(file) as connection:
            move = Move(file, connection, engine)
            if move.is_done:
                move.finish()
            yield move


@contextmanager
def _locked(file: Path) -> Iterator[Connection]:
    """Open `file` in a transaction, and lock it until it is closed.

    A process that has a SQLite file open in WAL mode holds a lock on it, even when idle. So an
    exclusive lock means that no sender, site or command is running.
    """
    if not file.is_file():
        raise InvalidInput(f"there is no database at {file}: is PAPERROUND_DATA_DIR right?")
    engine = create_engine(
        f"sqlite:///{file}", isolation_level="AUTOCOMMIT", connect_args={"timeout": LOCK_TIMEOUT}
    )
    try:
        with engine.connect() as connection:
            try:
                # before the first read
                connection.exec_driver_sql("PRAGMA locking_mode = EXCLUSIVE")
                connection.exec_driver_sql("PRAGMA synchronous = FULL")
                connection.exec_driver_sql("BEGIN EXCLUSIVE")
            except OperationalError as error:
                raise Conflict(
                    f"{file} is in use ({reason_of(error)}): stop everything that uses it "
                    "(`serve`, `scheduler`, a running `deliver` or a timer), and try again"
                ) from error
            yield connection
            connection.exec_driver_sql("COMMIT")
    finally:
        engine.dispose()


@contextmanager
def _translate_errors(file: Path, place: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise UnreadableFile(f"{file} cannot be read: {reason_of(error)}") from error
        raise DatabaseFailed(
            f"PostgreSQL ({place}) failed: {reason_of(error)}. Run the same command again"
        ) from error


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _rows_held(connection: Connection) -> list[str]:
    """Return how many rows the tables hold, other than the default list and the slots, which
    commands create."""
    rows = {one.name: _count(connection, one) for one in metadata.sorted_tables}
    rows["slots"] = 0
    rows["lists"] -= min(rows["lists"], 1)
    if inspect(connection).has_table(f"{queue.THEIRS}jobs"):
        jobs = connection.exec_driver_sql(f"SELECT count(*) FROM {queue.THEIRS}jobs")
        rows["the queue"] = jobs.scalar_one()
    return [f"{count:,} in {name}" for name, count in rows.items() if count]


def without_nul(value: Any) -> Any:
    """Return `value` with every NUL in texts, at any depth, replaced by U+FFFD."""
    if isinstance(value, str):
        return value.replace("\0", REPLACEMENT)
    if isinstance(value, list):
        return [without_nul(one) for one in value]
    if isinstance(value, dict):
        return {without_nul(name): without_nul(one) for name, one in value.items()}
    return value
