"""The side that is moved to: an empty PostgreSQL database that takes the rows in.

What has arrived stands in `moving_tables`, written in the same transaction as the rows: whoever is
killed and comes back goes on behind the last of them. Until the end the database says that it is
being moved into, so nobody works with half of it.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, select, text
from sqlalchemy.exc import DBAPIError

from paperround.domain.errors import Conflict, DatabaseFailed
from paperround.store import engine as engines
from paperround.store import home, migrate, revisions
from paperround.store import schema as db
from paperround.store.dialect import insert_row
from paperround.store.moving import later, marks
from paperround.store.moving.lines import MODULUS, Form, checksum
from paperround.store.moving.marks import MOVING, Mark
from paperround.store.moving.vacancy import require_vacant
from paperround.store.schema import metadata

Advance = Callable[[int], None]

ARRIVED = "moved"
"""The kind of the slot that says which move a database was made by."""

_LOCK = 7_276_943_052
_PATIENCE = "20s"
_UNLIMITED = (
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;"
    " SET LOCAL TIME ZONE 'UTC'; SET LOCAL client_encoding = 'UTF8'"
)
_PROGRESS = (
    "CREATE TABLE moving_tables (name text PRIMARY KEY, rows bigint NOT NULL,"
    " checksum text NOT NULL, after text)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What came of a table so far: how many rows, their checksum, and the key of the last."""

    rows: int = 0
    checksum: int = 0
    after: tuple[Any, ...] | None = None

    def and_then(self, rows: int, more: int, after: Sequence[Any]) -> "Arrived":
        """With further rows, whose checksum is `more`."""
        return Arrived(
            rows=self.rows + rows, checksum=(self.checksum + more) % MODULUS, after=tuple(after)
        )


class Target:
    """The PostgreSQL database of a move."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def place(self) -> str:
        """Where it is, without a password."""
        return engines.place_of(self._engine)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other move into it meanwhile. Raises Conflict when one goes on.

        One that was killed may hold its lock for a moment, until the server has noticed.
        """
        with self._engine.connect() as connection, connection.begin():
            connection.exec_driver_sql(f"{_UNLIMITED}; SET LOCAL lock_timeout = '{_PATIENCE}'")
            try:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            except DBAPIError as error:
                raise Conflict(f"another `db move` into {self.place} is under way") from error
            yield

    # --- how it is -----------------------------------------------------------------------------

    def mark(self) -> Mark | None:
        """The mark of the move into it that has not ended."""
        if revisions.current(self._engine) != MOVING:
            return None
        with self._engine.connect() as connection:
            return marks.read(connection)

    def is_made_by(self, move: str) -> bool:
        """Whether it is what the move of this id made of it."""
        if revisions.current(self._engine) != revisions.head():
            return False
        with self._engine.connect() as connection:
            wanted = select(db.slots.c.slot).where(
                db.slots.c.kind == ARRIVED, db.slots.c.slot == move
            )
            return connection.execute(wanted).first() is not None

    def require_vacant(self) -> None:
        """Raise what speaks against moving into it, if anything does: see `vacancy`."""
        require_vacant(self._engine, self.place)

    # --- what arrives --------------------------------------------------------------------------

    def begin(self, mark: Mark) -> None:
        """Make it ready to take the rows of a move in, with the tables of the queue. It must be
        empty."""
        with self._failures_named("the tables"):
            migrate.upgrade(self._engine)  # also when killed before those of the queue
            self._make_ready(mark)

    def _make_ready(self, mark: Mark) -> None:
        with self._engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(delete(table))
            connection.exec_driver_sql(marks.CREATE)
            connection.exec_driver_sql(_PROGRESS)
            later.put_off(connection)
            connection.execute(text(marks.PUT), asdict(mark))
            connection.execute(text(marks.SET_REVISION), {"revision": MOVING})

    def arrived(self, table: Table) -> Arrived:
        """What has come of `table` so far."""
        with self._engine.connect() as connection:
            row = connection.execute(
                text("SELECT rows, checksum, after FROM moving_tables WHERE name = :name"),
                {"name": table.name},
            ).one_or_none()
        if row is None:
            return Arrived()
        after = None if row.after is None else tuple(json.loads(row.after))
        return Arrived(rows=row.rows, checksum=int(row.checksum, 16), after=after)

    @contextmanager
    def taking_in(self, form: Form) -> Iterator["Intake"]:
        """One transaction for some rows of a table. Raises DatabaseFailed when PostgreSQL does not
        take them; none of them has come then."""
        with self._failures_named(f"rows of {form.table}"), self._engine.begin() as connection:
            connection.exec_driver_sql(_UNLIMITED)
            yield Intake(connection, form)

    @contextmanager
    def _failures_named(self, what: str) -> Iterator[None]:
        import psycopg

        try:
            yield
        except (psycopg.Error, DBAPIError) as error:
            driver = error.orig if isinstance(error, DBAPIError) else error
            said = str(driver).strip().replace("\n", "; ")
            raise DatabaseFailed(
                f"PostgreSQL failed at {what}: {said}. What has arrived stays: run the "
                "same command again to go on"
            ) from error

    def reading_back(self, form: Form) -> Iterator[list[bytes]]:
        """The line of every row that a table holds now, some at a time, in any order."""
        with self._failures_named(f"rows of {form.table}"), self._engine.begin() as connection:
            connection.exec_driver_sql(_UNLIMITED)
            driver: Any = connection.connection.driver_connection
            with driver.cursor() as cursor, cursor.copy(form.reading_back) as copy:
                yield from _batches(bytes(line) for line in copy)

    # --- the end -------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many indexes and references are still to be made."""
        return later.waiting(self._engine)

    def make_the_rest(self, advance: Advance) -> None:
        """Make the indexes and references that were put off, and let the planner know what there
        is now. Raises DatabaseFailed when PostgreSQL cannot."""
        with self._failures_named("an index or a reference"):
            later.make(self._engine, advance)
            with self._engine.begin() as connection:
                connection.exec_driver_sql(f"{_UNLIMITED}; ANALYZE")

    def open(self, mark: Mark, last_ids: dict[str, int], *, now: datetime) -> None:
        """All rows are there and compared: from here on it is worked with. New rows get ids above
        `last_ids`, by table."""
        with self._failures_named("handing over"), self._engine.begin() as connection:
            for name, last in last_ids.items():
                connection.execute(
                    text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last, :is_given)"),
                    {"name": name, "last": max(last, 1), "is_given": last > 0},
                )
            connection.execute(
                insert_row(db.slots), {"kind": ARRIVED, "slot": mark.id, "taken_at": now}
            )
            connection.exec_driver_sql("DROP TABLE moving_tables")
            connection.exec_driver_sql(later.DROP)
            connection.exec_driver_sql(marks.DROP)
            connection.execute(text(marks.SET_REVISION), {"revision": mark.revision})
        home.settle(self._engine, now=now)


class Intake:
    """Takes lines in within one transaction."""

    def __init__(self, connection: Connection, form: Form) -> None:
        self._connection = connection
        self._form = form

    def copy(self, blocks: Iterable[bytes]) -> None:
        """Take in lines, many a block."""
        driver: Any = self._connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(self._form.taking_in) as copy:
            for block in blocks:
                copy.write(block)

    def note(self, arrived: Arrived) -> None:
        """Write down what has come of the table."""
        self._connection.execute(
            text(
                "INSERT INTO moving_tables (name, rows, checksum, after)"
                " VALUES (:name, :rows, :checksum, :after) ON CONFLICT (name) DO UPDATE"
                " SET rows = excluded.rows, checksum = excluded.checksum, after = excluded.after"
            ),
            {
                "name": self._form.table,
                "rows": arrived.rows,
                "checksum": f"{arrived.checksum:032x}",
                "after": None if arrived.after is None else json.dumps(arrived.after),
            },
        )


def counted_and_summed(batches: Iterable[list[bytes]]) -> Iterator[Arrived]:
    """What has been read so far, after each batch of lines."""
    so_far = Arrived()
    for lines in batches:
        so_far = replace(
            so_far,
            rows=so_far.rows + len(lines),
            checksum=(so_far.checksum + checksum(lines)) % MODULUS,
        )
        yield so_far


def _batches(lines: Iterable[bytes], size: int = 2000) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for line in lines:
        batch.append(line)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
