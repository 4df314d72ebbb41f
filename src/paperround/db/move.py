"""Move an installation from SQLite to PostgreSQL: check, copy, compare counts, switch over."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, create_engine, func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from paperround.core.errors import (
    Conflict,
    DatabaseFailed,
    InvalidInput,
    SchemaOutOfDate,
    UnreadableFile,
)
from paperround.core.interfaces import Advance, no_progress
from paperround.core.times import format_instant
from paperround.db import engine as engines
from paperround.db import revisions
from paperround.db.dialect import reason_of
from paperround.db.move_target import MoveTarget, count_rows
from paperround.db.revisions import MOVED, Mark
from paperround.db.schema.search import INDEX
from paperround.db.schema.tables import RETIRED, metadata

# The SQLite side of a move: a file that no other process has open.
#
# A process that has a SQLite file open in WAL mode holds a lock on it, even when idle. So an
# exclusive lock means that no sender, site or command is running.

LOCK_TIMEOUT = 2.0
"""Seconds to wait for a command that is about to close the file."""

BATCH = 200
"""Rows in memory at a time: few, because some are large."""


class MoveSource:
    """An installation on SQLite, in an exclusive transaction."""

    def __init__(self, file: Path, connection: Connection) -> None:
        self.file = file
        self._connection = connection
        self.mark = self._read_mark()

    def _read_mark(self) -> Mark | None:
        """Return the mark of a finished move, None when there was none.

        Raises InvalidInput and SchemaOutOfDate when this version cannot move the file.
        """
        try:
            found = self._connection.execute(text("SELECT version_num FROM alembic_version"))
            revision = str(found.scalar_one())
        except DBAPIError:
            raise InvalidInput(
                f"{self.file} holds nothing of Paperround: nothing to move"
            ) from None
        if revision == MOVED:
            return revisions.read(self._connection)
        if revision != revisions.head():
            raise SchemaOutOfDate(f"{self.file}: {revisions.mismatch(revision)}")
        return None

    def require_sound(self) -> None:
        """Raise UnreadableFile when the file is damaged, or rows refer to missing rows."""
        problem = self._connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if problem != "ok":
            raise UnreadableFile(f"{self.file} is damaged: {problem}; put a backup back first")
        dangling = self._connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if dangling is not None:
            raise UnreadableFile(
                f"rows of {dangling[0]} in {self.file} refer to rows of {dangling[2]} that "
                "are gone: `paperround doctor` counts them"
            )

    def unknown_tables(self) -> list[str]:
        """Return the tables that are not Paperround's, and are not moved."""
        found = self._connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        )
        known = {table.name for table in metadata.sorted_tables}
        known |= {"alembic_version", "moves", *RETIRED}
        return sorted(
            name
            for name in found.scalars()
            if name not in known and not name.startswith(("sqlite_", INDEX))
        )

    def count(self, table: Table) -> int:
        """Return the number of rows in `table`."""
        return count_rows(self._connection, table)

    def rows(self, table: Table) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of `table` by primary key. Raises InvalidInput for an invalid value."""
        query = select(table).order_by(*table.primary_key)
        try:
            for row in self._connection.execute(query).yield_per(BATCH):
                yield tuple(row)
        except (ValueError, TypeError) as error:
            raise InvalidInput(
                f"a row of {table.name} in {self.file} is broken: {error}"
            ) from error

    def last_id(self, table: Table) -> int:
        """Return the highest id that `table` ever used; 0 if there is none."""
        highest = self._connection.execute(select(func.max(table.c.id))).scalar_one()
        given = self._connection.execute(
            text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name}
        ).scalar()
        return max(highest or 0, given or 0)

    def leave(self, mark: Mark) -> None:
        """Mark the file as moved, so that no command uses it any more."""
        self._connection.exec_driver_sql(revisions.CREATE)
        self._connection.execute(text(revisions.PUT), asdict(mark))
        self._connection.execute(text(revisions.SET_REVISION), {"revision": MOVED})


@contextmanager
def alone(file: Path) -> Iterator[MoveSource]:
    """Open the installation in `file` in an exclusive transaction.

    Raises InvalidInput when there is none, Conflict when another process has it open, and
    UnreadableFile when it is not a database or is damaged.
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
                    f"{file} is in use ({reason_of(error)}): stop everything that works with it, "
                    "`serve`, `scheduler`, a `deliver` under way or a timer, and try again"
                ) from error
            yield MoveSource(file, connection)
            connection.exec_driver_sql("COMMIT")
    except DBAPIError as error:
        raise UnreadableFile(f"{file} cannot be read: {reason_of(error)}") from error
    finally:
        engine.dispose()


REPORTED = 1000
"""Rows after which progress is reported."""


@dataclass
class Moving:
    """A move of the installation in `source` into `target`."""

    source: MoveSource
    target: MoveTarget
    is_copied: bool = False

    @property
    def is_done(self) -> bool:
        """Whether the file was already moved to this database, and the database is usable."""
        mark = self.source.mark
        return (
            mark is not None
            and mark.place == self.target.place
            and self.target.holds_an_installation()
        )

    def look(self) -> dict[str, int]:
        """Return the number of rows by table, without changing anything.

        Raises UnreadableFile when the file is damaged, and Conflict when the database is not empty.
        """
        self._require_one_move()
        self.source.require_sound()
        return {table.name: self.source.count(table) for table in metadata.sorted_tables}

    def copy(
        self, advance: Advance = no_progress, *, now: datetime, replace_nul: bool = False
    ) -> None:
        """Copy every table in one transaction, unless the file was already marked as moved.

        Raises InvalidInput when PostgreSQL cannot store a value; then both databases are unchanged.
        """
        self.is_copied = True
        if self.source.mark is not None:
            return
        with self.target.filling(self._mark(self.source.file.resolve(), now)) as intake:
            for table in metadata.sorted_tables:
                rows = counting(self.source.rows(table), advance)
                intake.copy(table, rows, replace_nul=replace_nul)
            for table in metadata.sorted_tables:
                there = self.source.count(table)
                here = count_rows(intake.connection, table)
                if there != here:
                    raise DatabaseFailed(
                        f"{table.name} has {there:,} rows, and {here:,} arrived: nothing was moved"
                    )
            intake.give_ids_above(
                {
                    table.name: self.source.last_id(table)
                    for table in metadata.sorted_tables
                    if "id" in table.c
                }
            )
        self.source.leave(self._mark(self.target.place, now))

    def _mark(self, place: object, now: datetime) -> Mark:
        return Mark(place=str(place), began_at=format_instant(now), revision=revisions.head())

    def _require_one_move(self) -> None:
        """Require that both belong to the same move, or to none with an empty target."""
        left, there = self.source.mark, self.target.mark()
        if left is not None and (there is None or left.place != self.target.place):
            raise Conflict(
                f"{self.source.file} was moved to {left.place} already, and nothing of that is in "
                f"{self.target.place}: put a dump of that database back, or restore a "
                "backup of the file from before the move"
            )
        if there is None:
            self.target.require_vacant()
        elif there.place != str(self.source.file.resolve()):
            raise Conflict(
                f"{self.target.place} holds a part of another move, of {there.place}, that began "
                f"at {there.began_at}: drop it and make it anew (`dropdb`, `createdb`), or name "
                "another"
            )


@contextmanager
def move_between(file: Path, url: str, *, now: datetime) -> Iterator[Moving]:
    """Move the SQLite `file` to the PostgreSQL database at `url`, with exclusive use of both.

    At the end either both are unchanged, or the rows were copied, the file is marked as moved and
    the database is usable. Raises InvalidInput when one of them is not such a database; Conflict
    when the file is in use; SchemaOutOfDate when it is not at this version's revision;
    Misconfigured when the database is unreachable.
    """
    with engines.opened(url) as engine:
        if engine.dialect.name != "postgresql":
            raise InvalidInput("name the database to move to: postgresql://USER@HOST/NAME")
        revisions.require_reachable(engine)
        target = MoveTarget(engine)
        with target.alone():
            with alone(file) as source:
                moving = Moving(source, target)
                yield moving
            if moving.is_copied:
                target.open(now=now)


def counting(rows: Iterator[tuple[Any, ...]], advance: Advance) -> Iterator[tuple[Any, ...]]:
    """Yield `rows`, and report progress every REPORTED rows."""
    number = 0
    for row in rows:
        yield row
        number += 1
        if number % REPORTED == 0:
            advance(REPORTED)
    advance(number % REPORTED)
