"""The PostgreSQL side of a move: an empty database, filled in one transaction.

Until the SQLite file is marked as moved, the database is marked as MOVING, so no command uses it.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from paperround.core.errors import Conflict, DatabaseFailed, InvalidInput, SchemaOutOfDate
from paperround.db import engine as engines
from paperround.db import migrate, revisions
from paperround.db.dialect import reason_of
from paperround.db.revisions import MOVING, Mark
from paperround.db.schema import queue
from paperround.db.schema import tables as db
from paperround.db.schema.tables import metadata

BATCH = 20_000
"""Rows of one COPY."""

REPLACEMENT = "\ufffd"
"""Replaces a NUL, which PostgreSQL cannot store."""

_LOCK = 7_276_943_052
_LOCK_TIMEOUT = "20s"
_NO_LIMITS = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"


def count_rows(connection: Connection, table: Table) -> int:
    """Return the number of rows in `table`."""
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


_JOBS = f"SELECT count(*) FROM {queue.THEIRS}jobs"


class MoveTarget:
    """The PostgreSQL database of a move."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def place(self) -> str:
        """The URL without the password."""
        return engines.place_of(self.engine)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Lock out other moves into the database. Raises Conflict when one is running."""
        with self.engine.connect() as connection, connection.begin():
            connection.exec_driver_sql(f"{_NO_LIMITS}; SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            try:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            except DBAPIError as error:
                raise Conflict(f"another `db move` into {self.place} is under way") from error
            yield

    def mark(self) -> Mark | None:
        """Return the mark of an unfinished move into the database, or None."""
        if revisions.current(self.engine) != MOVING:
            return None
        with self.engine.connect() as connection:
            return revisions.read(connection)

    def holds_an_installation(self) -> bool:
        """Whether the database is at this version's revision, and not empty."""
        if revisions.current(self.engine) != revisions.head():
            return False
        try:
            self.require_vacant()
        except Conflict:
            return True
        return False

    def require_vacant(self) -> None:
        """Require an empty database; the default list that `db upgrade` creates does not count.

        Raises Conflict when it has other data, InvalidInput when its encoding is not UTF8, and
        SchemaOutOfDate when it is at another revision.
        """
        found = revisions.current(self.engine)
        with self.engine.connect() as connection:
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
        """Raise Conflict when there are rows other than the default list and slots, which commands
        create."""
        tables = (table for table in metadata.sorted_tables if table is not db.slots)
        rows = {table.name: count_rows(connection, table) for table in tables}
        rows["lists"] -= min(rows["lists"], 1)
        if inspect(connection).has_table(f"{queue.THEIRS}jobs"):
            rows["the queue"] = connection.exec_driver_sql(_JOBS).scalar_one()
        held = [f"{count:,} in {name}" for name, count in rows.items() if count]
        if held:
            raise Conflict(
                f"{self.place} is not empty ({', '.join(held[:3])}): a move never overwrites; name "
                "an empty database (`createdb`)"
            )

    @contextmanager
    def filling(self, mark: Mark) -> Iterator["TableIntake"]:
        """Empty the database, mark it as MOVING, and insert rows, all in one transaction.

        Raises DatabaseFailed when PostgreSQL fails; then nothing was inserted.
        """
        with self._translate_errors():
            is_vacant = revisions.current(self.engine) != MOVING
            if is_vacant:
                migrate.upgrade(self.engine)
            with self.engine.begin() as connection:
                connection.exec_driver_sql(_NO_LIMITS)
                names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
                connection.exec_driver_sql(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
                if is_vacant:  # a command may have written since
                    self._require_no_rows(connection)
                connection.exec_driver_sql(f"TRUNCATE {names}; DROP TABLE IF EXISTS moves")
                connection.exec_driver_sql(revisions.CREATE)
                connection.execute(text(revisions.PUT), asdict(mark))
                connection.execute(text(revisions.SET_REVISION), {"revision": MOVING})
                yield TableIntake(connection)
            with self.engine.begin() as connection:
                connection.exec_driver_sql(f"{_NO_LIMITS}; ANALYZE")

    def open(self, *, now: datetime) -> None:
        """Remove the mark, so that commands can use the database."""
        with self._translate_errors(), self.engine.begin() as connection:
            mark = revisions.read(connection)
            connection.exec_driver_sql(revisions.DROP)
            connection.execute(text(revisions.SET_REVISION), {"revision": mark.revision})
        revisions.store_database_ids(self.engine, now=now)

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        import psycopg

        try:
            yield
        except (DBAPIError, psycopg.Error) as error:
            reason = str(error).strip().replace("\n", "; ")
            if isinstance(error, DBAPIError):
                reason = reason_of(error)
            raise DatabaseFailed(
                f"PostgreSQL ({self.place}) failed: {reason}. Run the same command again"
            ) from error


class TableIntake:
    """Inserts rows within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def copy(self, table: Table, rows: Iterable[tuple[Any, ...]], *, replace_nul: bool) -> None:
        """Insert rows, with values in column order, into `table`.

        Raises InvalidInput for a value that PostgreSQL cannot store.
        """
        import psycopg

        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        dialect = self.connection.dialect
        binders = [
            column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns
        ]
        driver: Any = self.connection.connection.driver_connection
        statement = f'COPY "{table.name}" ({columns}) FROM STDIN'
        given = map(without_nul, rows) if replace_nul else iter(rows)
        try:
            # In batches: until a COPY ends, the server keeps a pending check per foreign key.
            while batch := list(islice(given, BATCH)):
                with driver.cursor() as cursor, cursor.copy(statement) as copy:
                    for row in batch:
                        copy.write_row(
                            [
                                value if value is None or bind is None else bind(value)
                                for bind, value in zip(binders, row, strict=True)
                            ]
                        )
        except psycopg.DataError as error:
            what = str(error).strip().partition("\n")[0]
            hint = ""
            if "NUL" in what or "\\u0000" in what:
                hint = "; `--replace-nul` puts \ufffd in its place, in the copy"
            raise InvalidInput(
                f"PostgreSQL cannot hold a row of {table.name}: {what}{hint}"
            ) from error

    def give_ids_above(self, last_ids: Mapping[str, int]) -> None:
        """Make new rows get ids above these, by table."""
        for name, last in last_ids.items():
            self.connection.execute(
                text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last, :is_given)"),
                {"name": name, "last": max(last, 1), "is_given": last > 0},
            )


def without_nul(value: Any) -> Any:
    """Return `value` with every NUL in texts, at any depth, replaced by U+FFFD."""
    if isinstance(value, str):
        return value.replace("\0", REPLACEMENT)
    if isinstance(value, tuple | list):
        return type(value)(map(without_nul, value))
    if isinstance(value, dict):
        return {without_nul(name): without_nul(it) for name, it in value.items()}
    return value
