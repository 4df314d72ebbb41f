"""Many rows in one call.

SQLAlchemy prepares the values of every row one by one, which for papers costs more than the
database's own work. Here values are converted a column at a time, equal ones once, and handed to
the driver as numbers and texts, which PostgreSQL reads just as SQLite does:

    SQLite                            executemany
    PostgreSQL, a plain insert        COPY: a key that is taken ends it, as it ends an INSERT
    PostgreSQL, ON CONFLICT           INSERT ... SELECT FROM unnest(a list for every column)
    PostgreSQL, a few rows            as SQLAlchemy does it, which is one journey shorter
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
"""So many rows are not worth a COPY."""

_SENT = 100
"""Rows to prepare at a time, so that the server works on some while the next are prepared."""

_AT_ONCE = 500
"""Rows that SQLite is given at a time: they are gone before Python's collector of cycles has
counted the 700 new values at which it starts to look, in vain, at all of them."""

_SQLITE = sqlite.dialect()

_COUNTED = {"preserve_rowcount": True}

Convert = Callable[[Any], Any]
Rows = Sequence[Mapping[str, Any]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Made(Generic[T]):
    """Rows that are made of `items` when they are asked for: while PostgreSQL takes in some, the
    next are made."""

    items: Sequence[T]
    row: Callable[[T], Mapping[str, Any]]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, some: slice) -> Rows:
        return [self.row(item) for item in self.items[some]]


class Columns:
    """Rows as their columns, all of one length: for those who have them so."""

    def __init__(self, values: Mapping[str, Sequence[Any]]) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    def __getitem__(self, some: slice) -> "Columns":
        return Columns({name: column[some] for name, column in self.values.items()})

    def rows(self) -> Rows:
        """One mapping a row."""
        each = zip(*self.values.values(), strict=True)
        return [dict(zip(self.values, row, strict=True)) for row in each]


def insert_many(connection: Connection, statement: Insert, rows: Rows | Columns | Made[Any]) -> int:
    """Run the insert once a row; every row names the same columns. Returns how many went in.

    On PostgreSQL an insert that updates where a key is taken may be offered each key once.
    """
    if not rows:
        return 0
    if connection.dialect.name == "sqlite":
        return _execute_in_parts(connection, statement, rows[:])
    if len(rows) <= FEW:
        few = rows.rows() if isinstance(rows, Columns) else rows[:]
        return connection.execute(statement, few, execution_options=_COUNTED).rowcount
    if isinstance(statement, postgresql.Insert):  # it settles conflicts
        return _insert_selected(connection, statement, rows[:])
    return _copy(connection, _as_copy(statement, _names(rows[:1])), rows)


def _execute_in_parts(connection: Connection, statement: Insert, rows: Rows | Columns) -> int:
    words = _in_sqlite(statement, _names(rows))
    columns = [tuple(column) for column in _driver_columns(words.parameters, rows)]
    each = zip(*columns, strict=True)
    inserted = 0
    while part := list(islice(each, _AT_ONCE)):
        inserted += connection.exec_driver_sql(words.sql, part).rowcount
    return inserted


def _names(rows: Rows | Columns) -> tuple[str, ...]:
    return tuple(rows.values if isinstance(rows, Columns) else rows[0])


@dataclass(frozen=True, slots=True)
class _ColumnWords:
    """A statement as the driver takes it: its parameters in order, and how to convert each."""

    sql: str
    parameters: tuple[tuple[str, Convert | None], ...]


@lru_cache(maxsize=128)
def _in_sqlite(statement: Insert, names: tuple[str, ...]) -> _ColumnWords:
    compiled = statement.compile(dialect=_SQLITE, column_keys=list(names))
    return _ColumnWords(str(compiled), _parameters(statement, compiled.positiontup or ()))


def _parameters(statement: Insert, names: Iterable[str]) -> tuple[tuple[str, Convert | None], ...]:
    columns = statement.table.c
    return tuple((name, converting(columns[name])) for name in names)


@cache
def converting(column: ColumnClause[Any]) -> Convert | None:
    """What makes numbers and texts of the values of a column; None where those are the values."""
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
        return once_each(convert, values)
    return [known[value] for value in values]


def once_each(make: Convert, values: Sequence[Any]) -> list[Any]:
    """What `make` makes of each value: once of the very same one, however often it is there.

    Readers who get the same papers share what is said of them, so a list or mapping is written as
    text once, and what is made of it here is shared in turn.
    """
    made: dict[int, Any] = {}
    for value in values:  # which holds all of them, so no two have the same id
        if id(value) not in made:
            made[id(value)] = make(value)
    return [made[id(value)] for value in values]


# --- PostgreSQL --------------------------------------------------------------------------------


@lru_cache(maxsize=128)
def _as_copy(statement: Insert, names: tuple[str, ...]) -> _ColumnWords:
    columns = ", ".join(f'"{name}"' for name in names)
    sql = f'COPY "{statement.table.name}" ({columns}) FROM STDIN'
    return _ColumnWords(sql, _parameters(statement, names))


def _copy(connection: Connection, words: _ColumnWords, rows: Rows | Columns | Made[Any]) -> int:
    with driver_cursor(connection, words.sql) as cursor:
        with cursor.copy(words.sql) as copy:
            for start in range(0, len(rows), _SENT):
                columns = _driver_columns(words.parameters, rows[start : start + _SENT])
                for row in list(zip(*columns, strict=True)):  # all, while the server works
                    copy.write_row(row)
        copied: int = cursor.rowcount
    return copied


def _insert_selected(connection: Connection, statement: Insert, rows: Rows | Columns) -> int:
    names = _names(rows)
    columns = _driver_columns(_parameters(statement, names), rows)
    listed = {name: as_array(column) for name, column in zip(names, columns, strict=True)}
    statement = _from_lists(statement, names)
    return connection.execute(statement, listed, execution_options=_COUNTED).rowcount


def as_array(values: Iterable[Any]) -> str:
    """A list of texts as PostgreSQL writes it (documentation, 8.15.6): the driver takes ten times
    as long to write one."""
    return "{" + ",".join(["NULL" if it is None else _quoted(str(it)) for it in values]) + "}"


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


@lru_cache(maxsize=128)
def _from_lists(statement: Insert, names: tuple[str, ...]) -> Insert:
    lists = [cast(bindparam(name, type_=Text()), postgresql.ARRAY(Text())) for name in names]
    rows = func.unnest(*lists).table_valued(*names).render_derived()
    columns = statement.table.c
    return statement.from_select(
        names, select(*(cast(rows.c[name], columns[name].type) for name in names))
    )
