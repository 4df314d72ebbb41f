"""Insert many rows in one call.

SQLAlchemy converts values row by row, which for papers costs more than the database's own work.
This module converts them column by column, equal values once, and passes numbers and texts to the
driver, which both PostgreSQL and SQLite accept:

    SQLite                            executemany
    PostgreSQL, a plain insert        COPY; a duplicate key fails, as in an INSERT
    PostgreSQL, ON CONFLICT           INSERT ... SELECT FROM unnest(an array per column)
    PostgreSQL, a few rows            SQLAlchemy, which saves a round trip
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnClause, Connection, Insert, Text, bindparam, cast, func, select
from sqlalchemy.dialects import postgresql, sqlite

from paperround.db.compiled_query import driver_cursor

FEW = 10
"""Up to this many rows a COPY is not worth it."""

_COPY_BATCH = 100
"""Rows prepared at a time: the server processes one batch while the next is prepared."""

_SQLITE_BATCH = 500
"""Rows passed to SQLite at a time: fewer than the 700 allocations that trigger Python's cyclic
garbage collector."""

_SQLITE = sqlite.dialect()

_COUNTED = {"preserve_rowcount": True}

Convert = Callable[[Any], Any]
Rows = Sequence[Mapping[str, Any]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Made(Generic[T]):
    """Rows that `row` makes from `items` lazily, while PostgreSQL processes the previous ones."""

    items: Sequence[T]
    row: Callable[[T], Mapping[str, Any]]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, some: slice) -> Rows:
        return [self.row(item) for item in self.items[some]]


class Columns:
    """Rows given as columns of equal length."""

    def __init__(self, values: Mapping[str, Sequence[Any]]) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    def __getitem__(self, some: slice) -> "Columns":
        return Columns({name: column[some] for name, column in self.values.items()})

    def rows(self) -> Rows:
        """Return a mapping per row."""
        each = zip(*self.values.values(), strict=True)
        return [dict(zip(self.values, row, strict=True)) for row in each]


def insert_many(connection: Connection, statement: Insert, rows: Rows | Columns | Made[Any]) -> int:
    """Run the insert for each row, and return how many rows were inserted or updated.

    All rows need the same columns. On PostgreSQL the rows of an upsert need distinct keys.
    """
    if not rows:
        return 0
    if connection.dialect.name == "sqlite":
        return _execute_in_batches(connection, statement, rows[:])
    if len(rows) <= FEW:
        few = rows.rows() if isinstance(rows, Columns) else rows[:]
        return connection.execute(statement, few, execution_options=_COUNTED).rowcount
    if isinstance(statement, postgresql.Insert):  # has ON CONFLICT
        return _insert_selected(connection, statement, rows[:])
    return copy_rows(connection, statement, rows)


def _execute_in_batches(connection: Connection, statement: Insert, rows: Rows | Columns) -> int:
    compiled = _in_sqlite(statement, _names(rows))
    columns = [tuple(column) for column in _driver_columns(compiled.parameters, rows)]
    each = zip(*columns, strict=True)
    inserted = 0
    while batch := list(islice(each, _SQLITE_BATCH)):
        inserted += connection.exec_driver_sql(compiled.sql, batch).rowcount
    return inserted


def _names(rows: Rows | Columns) -> tuple[str, ...]:
    return tuple(rows.values if isinstance(rows, Columns) else rows[0])


@dataclass(frozen=True, slots=True)
class _DriverStatement:
    """SQL for the driver, with its parameters in order and a converter for each."""

    sql: str
    parameters: tuple[tuple[str, Convert | None], ...]


@lru_cache(maxsize=128)
def _in_sqlite(statement: Insert, names: tuple[str, ...]) -> _DriverStatement:
    compiled = statement.compile(dialect=_SQLITE, column_keys=list(names))
    return _DriverStatement(str(compiled), _parameters(statement, compiled.positiontup or ()))


def _parameters(statement: Insert, names: Iterable[str]) -> tuple[tuple[str, Convert | None], ...]:
    columns = statement.table.c
    return tuple((name, _converter(columns[name])) for name in names)


@cache
def _converter(column: ColumnClause[Any]) -> Convert | None:
    """Return the function that converts a column's values to numbers or texts; None if none is
    needed."""
    return column.type.dialect_impl(_SQLITE).bind_processor(_SQLITE)


def _driver_columns(
    parameters: Iterable[tuple[str, Convert | None]], rows: Rows | Columns
) -> Iterator[Iterable[Any]]:
    for name, convert in parameters:
        if isinstance(rows, Columns):
            yield _converted(convert, rows.values[name])
        else:
            yield _converted(convert, [row[name] for row in rows])


def _converted(convert: Convert | None, values: Sequence[Any]) -> Iterable[Any]:
    if convert is None:
        return values
    try:
        known = {value: convert(value) for value in set(values)}
    except TypeError:  # mappings cannot be compared by hash
        return map_by_identity(convert, values)
    return [known[value] for value in values]


def map_by_identity(make: Convert, values: Sequence[Any]) -> list[Any]:
    """Apply `make` to each value, but only once to the same object.

    Deliveries with the same papers share lists and mappings, so each is serialized once.
    """
    made: dict[int, Any] = {}
    for value in values:  # keeps all of them alive, so ids are unique
        if id(value) not in made:
            made[id(value)] = make(value)
    return [made[id(value)] for value in values]


# --- PostgreSQL --------------------------------------------------------------------------------


@lru_cache(maxsize=128)
def _as_copy(statement: Insert, names: tuple[str, ...]) -> _DriverStatement:
    columns = ", ".join(f'"{name}"' for name in names)
    sql = f'COPY "{statement.table.name}" ({columns}) FROM STDIN'
    return _DriverStatement(sql, _parameters(statement, names))


def copy_rows(connection: Connection, statement: Insert, rows: Rows | Columns | Made[Any]) -> int:
    """Run a plain insert for each row with COPY, and return how many rows were inserted."""
    copying = _as_copy(statement, _names(rows[:1]))
    with driver_cursor(connection, copying.sql) as cursor:
        with cursor.copy(copying.sql) as copy:
            for start in range(0, len(rows), _COPY_BATCH):
                batch = rows[start : start + _COPY_BATCH]
                columns = _driver_columns(copying.parameters, batch)
                for row in list(zip(*columns, strict=True)):  # all, while the server works
                    copy.write_row(row)
        copied: int = cursor.rowcount
    return copied


def _insert_selected(connection: Connection, statement: Insert, rows: Rows | Columns) -> int:
    names = _names(rows)
    columns = _driver_columns(_parameters(statement, names), rows)
    arrays = {name: _array_literal(column) for name, column in zip(names, columns, strict=True)}
    statement = _from_arrays(statement, names)
    return connection.execute(statement, arrays, execution_options=_COUNTED).rowcount


def _array_literal(values: Iterable[Any]) -> str:
    """Return a PostgreSQL array literal (documentation, 8.15.6).

    The driver takes ten times as long to write one.
    """
    return "{" + ",".join(["NULL" if it is None else _quoted(str(it)) for it in values]) + "}"


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


@lru_cache(maxsize=128)
def _from_arrays(statement: Insert, names: tuple[str, ...]) -> Insert:
    arrays = [cast(bindparam(name, type_=Text()), postgresql.ARRAY(Text())) for name in names]
    rows = func.unnest(*arrays).table_valued(*names).render_derived()
    columns = statement.table.c
    return statement.from_select(
        names, select(*(cast(rows.c[name], columns[name].type) for name in names))
    )
