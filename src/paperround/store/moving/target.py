"""The PostgreSQL side of a move: an empty database that takes every table in one transaction.

Until the file is left it says that it is being moved into, so nobody works with it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, select, text
from sqlalchemy.exc import DBAPIError

from paperround.domain.errors import Conflict, DatabaseFailed, InvalidInput
from paperround.store import engine as engines
from paperround.store import home, migrate, revisions
from paperround.store.dialect import reason_of
from paperround.store.moving import marks
from paperround.store.moving.marks import MOVING, Mark
from paperround.store.moving.vacancy import require_no_rows, require_vacant
from paperround.store.schema import metadata

BATCH = 20_000
"""Rows of one COPY."""

REPLACEMENT = "\ufffd"
"""What stands for a NUL, which PostgreSQL cannot hold."""

_LOCK = 7_276_943_052
_PATIENCE = "20s"
_NO_LIMITS = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"


class Target:
    """The PostgreSQL database of a move."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def place(self) -> str:
        """Where it is, without a password."""
        return engines.place_of(self.engine)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other move into it meanwhile. Raises Conflict when one goes on."""
        with self.engine.connect() as connection, connection.begin():
            connection.exec_driver_sql(f"{_NO_LIMITS}; SET LOCAL lock_timeout = '{_PATIENCE}'")
            try:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            except DBAPIError as error:
                raise Conflict(f"another `db move` into {self.place} is under way") from error
            yield

    def mark(self) -> Mark | None:
        """The mark of the move into it that has not ended."""
        if revisions.current(self.engine) != MOVING:
            return None
        with self.engine.connect() as connection:
            return marks.read(connection)

    def holds_an_installation(self) -> bool:
        """Whether it can be worked with, and holds anything."""
        if revisions.current(self.engine) != revisions.head():
            return False
        try:
            require_vacant(self.engine, self.place)
        except Conflict:
            return True
        return False

    def require_vacant(self) -> None:
        """Raise what speaks against moving into it, if anything does: see `vacancy`."""
        require_vacant(self.engine, self.place)

    @contextmanager
    def filling(self, mark: Mark) -> Iterator["Intake"]:
        """One transaction that empties it, takes rows in, and lets it refuse everybody. Raises
        DatabaseFailed when PostgreSQL fails; nothing has come then."""
        with self._failures_named():
            is_vacant = revisions.current(self.engine) != MOVING
            if is_vacant:
                migrate.upgrade(self.engine)
            with self.engine.begin() as connection:
                connection.exec_driver_sql(_NO_LIMITS)
                names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
                connection.exec_driver_sql(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
                if is_vacant:  # somebody may have used it since
                    require_no_rows(connection, self.place)
                connection.exec_driver_sql(f"TRUNCATE {names}; DROP TABLE IF EXISTS moves")
                connection.exec_driver_sql(marks.CREATE)
                connection.execute(text(marks.PUT), asdict(mark))
                connection.execute(text(marks.SET_REVISION), {"revision": MOVING})
                yield Intake(connection)
            with self.engine.begin() as connection:
                connection.exec_driver_sql(f"{_NO_LIMITS}; ANALYZE")

    def open(self, *, now: datetime) -> None:
        """Let it work: the file was left."""
        with self._failures_named(), self.engine.begin() as connection:
            mark = marks.read(connection)
            connection.exec_driver_sql(marks.DROP)
            connection.execute(text(marks.SET_REVISION), {"revision": mark.revision})
        home.settle(self.engine, now=now)

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        import psycopg

        try:
            yield
        except DBAPIError as error:
            raise self._failed(reason_of(error)) from error
        except psycopg.Error as error:
            raise self._failed(str(error).strip().replace("\n", "; ")) from error

    def _failed(self, reason: str) -> DatabaseFailed:
        return DatabaseFailed(
            f"PostgreSQL ({self.place}) failed: {reason}. Run the same command again"
        )


class Intake:
    """Takes rows in within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def copy(self, table: Table, rows: Iterable[tuple[Any, ...]], *, replace_nul: bool) -> None:
        """Put rows, whose values are in the order of the columns, into `table`. Raises
        InvalidInput for a value that PostgreSQL cannot hold."""
        import psycopg

        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        binders = [_binder(self._connection, column.type) for column in table.columns]
        driver: Any = self._connection.connection.driver_connection
        statement = f'COPY "{table.name}" ({columns}) FROM STDIN'
        given = map(without_nul, rows) if replace_nul else iter(rows)
        try:
            # A batch at a time: the server keeps a check for each key until a COPY ends.
            while batch := list(islice(given, BATCH)):
                with driver.cursor() as cursor, cursor.copy(statement) as copy:
                    for row in batch:
                        copy.write_row([bind(it) for bind, it in zip(binders, row, strict=True)])
        except psycopg.DataError as error:
            what = str(error).strip().partition("\n")[0]
            hint = (
                "; `--replace-nul` puts \ufffd in its place, in the copy" if _is_nul(what) else ""
            )
            raise InvalidInput(
                f"PostgreSQL cannot hold a row of {table.name}: {what}{hint}"
            ) from error

    def count(self, table: Table) -> int:
        """How many rows `table` has now."""
        return int(self._connection.execute(select(func.count()).select_from(table)).scalar_one())

    def give_ids_above(self, last_ids: Mapping[str, int]) -> None:
        """Let new rows get ids above these, by table."""
        for name, last in last_ids.items():
            self._connection.execute(
                text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last, :is_given)"),
                {"name": name, "last": max(last, 1), "is_given": last > 0},
            )


def without_nul(value: Any) -> Any:
    """`value`, with U+FFFD in the place of every NUL, in texts at any depth."""
    if isinstance(value, str):
        return value.replace("\0", REPLACEMENT)
    if isinstance(value, tuple | list):
        return type(value)(map(without_nul, value))
    if isinstance(value, dict):
        return {without_nul(name): without_nul(it) for name, it in value.items()}
    return value


def _is_nul(reason: str) -> bool:
    return "NUL" in reason or "\\u0000" in reason


def _binder(connection: Connection, kind: Any) -> Callable[[Any], Any]:
    """What makes a value of a column one that the driver takes."""
    bind = kind.dialect_impl(connection.dialect).bind_processor(connection.dialect)

    def bound(value: Any) -> Any:
        return value if value is None or bind is None else bind(value)

    return bound
