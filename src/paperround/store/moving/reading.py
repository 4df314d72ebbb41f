"""What is in a SQLite installation: its rows in the order of their keys, and what PostgreSQL could
not hold of them. Nothing here changes anything."""

import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import pathname2url

from sqlalchemy import BigInteger, Boolean, Column, Date, Double, Integer, LargeBinary, Table
from sqlalchemy.dialects import sqlite

from paperround.domain.errors import InvalidInput, SchemaOutOfDate, UnreadableFile
from paperround.domain.wording import counted
from paperround.store import revisions
from paperround.store.moving.lines import TAKEN_APART, holds_nul
from paperround.store.moving.marks import GET, STATES, Mark
from paperround.store.schema import RETIRED, metadata
from paperround.store.schema_search import INDEX
from paperround.store.types import Json, UtcDateTime

AT_ONCE = 200
"""Rows that are held at a time: few, as some are large."""

NUL = "a NUL"
_DIGIT = "[0-9]"
_DAY = "-".join((_DIGIT * 4, _DIGIT * 2, _DIGIT * 2))
_INSTANT = f"{_DAY}T{':'.join([_DIGIT * 2] * 3)}.{_DIGIT * 6}Z"
_SQLITE = sqlite.dialect()

Row = tuple[Any, ...]
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """Rows of a column with a value that PostgreSQL cannot hold; `example` is the key of one."""

    table: str
    column: str
    what: str
    rows: int
    example: str

    def __str__(self) -> str:
        return (
            f"{self.table}.{self.column}: {counted(self.rows, 'row')} with {self.what} "
            f"({self.example})"
        )


@contextmanager
def opened(file: Path) -> Iterator["Source"]:
    """The installation in `file`, to read. Raises InvalidInput when there is none, and
    UnreadableFile when it is no database or a damaged one."""
    if not file.is_file():
        raise InvalidInput(f"there is no database at {file}: is PAPERROUND_DATA_DIR right?")
    source = Source(file)
    try:
        yield source
    except sqlite3.DatabaseError as error:
        raise UnreadableFile(f"{file} cannot be read: {error}") from error
    finally:
        source.close()


class Source:
    """One installation on SQLite. It is opened when something is read, and can be closed for
    whoever needs the file alone."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._opened: sqlite3.Connection | None = None

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            address = f"file:{pathname2url(str(self.file.resolve()))}?mode=ro"
            self._opened = sqlite3.connect(address, uri=True)
            self._opened.create_function("json_holds_nul", 1, holds_nul, deterministic=True)
        return self._opened

    def close(self) -> None:
        """Close the file, until something is read again."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    # --- how it is -----------------------------------------------------------------------------

    def state(self) -> tuple[str, Mark | None]:
        """Its revision, and the mark of the move it takes part in. Raises SchemaOutOfDate when it
        is not at the revision of this version."""
        found = self._revision()
        if found in STATES:
            [row] = self._connection.execute(GET)
            return found, Mark(
                **dict(zip(("id", "place", "began_at", "revision"), row, strict=True))
            )
        _require_current(found, self.file)
        return found, None

    def _revision(self) -> str:
        try:
            [(found,)] = self._connection.execute("SELECT version_num FROM alembic_version")
        except (sqlite3.OperationalError, ValueError):
            raise InvalidInput(
                f"{self.file} holds nothing of Paperround: nothing to move"
            ) from None
        return str(found)

    def require_sound(self) -> None:
        """Raise UnreadableFile when it is damaged, or when rows refer to rows that are gone."""
        [(problem,)] = self._connection.execute("PRAGMA quick_check(1)")
        if problem != "ok":
            raise UnreadableFile(f"{self.file} is damaged: {problem}; put a backup back first")
        dangling = self._connection.execute("PRAGMA foreign_key_check").fetchmany(1)
        if dangling:
            raise UnreadableFile(
                f"rows of {dangling[0][0]} in {self.file} refer to rows of {dangling[0][2]} that "
                "are gone: `paperround doctor` counts them"
            )

    def unknown_tables(self) -> list[str]:
        """Tables that are not Paperround's, and stay behind."""
        found = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        known = {table.name for table in metadata.sorted_tables}
        known |= {"alembic_version", "moves", *RETIRED}
        return sorted(
            name
            for (name,) in found
            if name not in known and not name.startswith(("sqlite_", INDEX))
        )

    # --- its rows ------------------------------------------------------------------------------

    def count(self, table: Table) -> int:
        """How many rows `table` has."""
        [(rows,)] = self._connection.execute(f'SELECT count(*) FROM "{table.name}"')
        return int(rows)

    def rows(self, table: Table, after: Key | None, limit: int) -> Generator[list[Row]]:
        """Up to `limit` rows whose key comes after `after`, in order, some at a time."""
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
        where, values = "", ()
        if after is not None:
            where, values = f"WHERE ({keys}) > ({', '.join('?' * len(after))})", tuple(after)
        query = f'SELECT {columns} FROM "{table.name}" {where} ORDER BY {keys} LIMIT {limit}'
        with closing(self._connection.execute(query, values)) as found:
            while rows := found.fetchmany(AT_ONCE):
                yield rows

    def last_id(self, table: Table) -> int:
        """The highest id that `table` ever gave; 0 when it gave none."""
        [(highest,)] = self._connection.execute(f'SELECT coalesce(max(id), 0) FROM "{table.name}"')
        given = self._connection.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)
        ).fetchone()
        return max(int(highest), given[0] if given else 0)

    # --- what does not fit ---------------------------------------------------------------------

    def misfits(self, table: Table) -> list[Misfit]:
        """What PostgreSQL could not hold of `table`."""
        looked_for = [(column, *one) for column in table.columns for one in _wrongs(column)]
        sums = ", ".join(f"total({condition})" for _, _, condition in looked_for)
        [counts] = self._connection.execute(f'SELECT {sums} FROM "{table.name}"')
        return [
            Misfit(
                table=table.name,
                column=column.name,
                what=what,
                rows=int(rows),
                example=self._example(table, condition),
            )
            for (column, what, condition), rows in zip(looked_for, counts, strict=True)
            if rows
        ]

    def _example(self, table: Table, condition: str) -> str:
        names = [column.name for column in table.primary_key]
        keys = ", ".join(f'"{name}"' for name in names)
        [values] = self._connection.execute(
            f'SELECT {keys} FROM "{table.name}" WHERE {condition} ORDER BY {keys} LIMIT 1'
        )
        return ", ".join(f"{name} {value!r}" for name, value in zip(names, values, strict=True))


def key_of(table: Table, row: Sequence[Any]) -> Key:
    """The primary key of a row that holds every column in order."""
    places = [index for index, column in enumerate(table.columns) if column.primary_key]
    return tuple(row[place] for place in places)


def _require_current(found: str, file: Path) -> None:
    if found == revisions.head():
        return
    if found in revisions.known():
        raise SchemaOutOfDate(
            f"{file} is at revision {found}, this version needs {revisions.head()}: run "
            "`paperround db upgrade` first, after a `paperround db backup FILE`"
        )
    raise SchemaOutOfDate(
        f"{file} is at revision {found}, which this version does not know: move it with the "
        "version of Paperround it was used with last"
    )


def _wrongs(column: Column[Any]) -> Iterator[tuple[str, str]]:
    """What a column must not hold, each in words and as a condition in SQL."""
    name = f'"{column.name}"'
    match column.type:
        case Boolean():
            yield "neither true nor false", f"{name} NOT IN (0, 1)"
        case LargeBinary():
            yield "no bytes", f"typeof({name}) NOT IN ('blob', 'null')"
        case Double():
            yield "no number", f"typeof({name}) NOT IN ('real', 'integer', 'null')"
        case UtcDateTime():
            yield "no instant", f"{name} NOT GLOB '{_INSTANT}'"
        case Date():
            yield "no date", f"{name} NOT GLOB '{_DAY}'"
        case Json():
            yield "broken JSON", f"NOT json_valid({name})"
            if (column.table.name, column.name) in TAKEN_APART:
                yield NUL, f"(instr({name}, '\\u0000') AND json_holds_nul({name}))"
        case BigInteger() | Integer():
            most = (1 << (63 if isinstance(column.type, BigInteger) else 31)) - 1
            yield "no whole number", f"typeof({name}) NOT IN ('integer', 'null')"
            yield "too large a number", f"{name} NOT BETWEEN -{most} AND {most}"
        case _:
            yield NUL, f"instr({name}, char(0)) > 0"
            yield "no text", f"typeof({name}) NOT IN ('text', 'null')"
