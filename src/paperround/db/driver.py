"""Hot statements and bulk inserts, run on the database driver directly.

`connection.execute` binds values and converts rows one by one: 60 papers take 0.47 ms instead of
0.24, the replies to nine emails 0.38 instead of 0.10 (bars B1, B10 and B11), and a bulk insert of
papers costs more than the database's own work. This module keeps the SQL text, converts values
column by column (equal ones only once), and calls the driver. Everything else uses `execute`.

    CompiledQuery                     ledger claims and marks, pages of papers
    insert_many, on SQLite            executemany
    on PostgreSQL, a plain insert     COPY; a duplicate key fails, as in an INSERT
    on PostgreSQL, ON CONFLICT        INSERT ... SELECT FROM unnest(an array per column)
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache, partial
from itertools import repeat
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    ColumnClause,
    ColumnElement,
    CompoundSelect,
    Connection,
    Dialect,
    Insert,
    Select,
    Text,
    Update,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import visitors
from sqlalchemy.types import TypeDecorator, TypeEngine

from paperround.db.dialect import read_json, read_jsons

Statement = Update | Insert | Select[Any] | CompoundSelect[Any]
Convert = Callable[[Any], Any]
Rows = Sequence[Mapping[str, Any]]

MOST = 256
"""Cached statements. Each engine has its own dialect object, and so its own entries."""

_COPY_BATCH = 100
"""Rows prepared at a time: the server processes one batch while the next is prepared."""

_PERCENT_TWICE = frozenset({"format", "pyformat"})
"""Parameter styles (PEP 249) that escape a percent sign by doubling it."""


class CompiledQuery:
    """A statement whose values are all `bindparam`s.

    If dialects differ, pass a function that makes the statement for a dialect's name.
    """

    def __init__(self, statement: Statement | Callable[[str], Statement]) -> None:
        self._statement = statement

    def rows(self, connection: Connection, **values: Any) -> list[Any]:
        """Return the rows as named tuples with converted values."""
        compiled = _compiled(self._statement, connection.dialect)
        return compiled.read(compiled.run(connection, values))

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        """Run the statement, and return the rows as the driver returns them."""
        return _compiled(self._statement, connection.dialect).run(connection, values)

    def run_many(self, connection: Connection, rows: Rows) -> int:
        """Run the statement for each of `rows`, and return how many rows it changed."""
        return _compiled(self._statement, connection.dialect).run_many(connection, rows)


class Columns:
    """Rows given as columns of equal length."""

    def __init__(self, values: Mapping[str, Sequence[Any]]) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    def __getitem__(self, some: slice) -> "Columns":
        return Columns({name: column[some] for name, column in self.values.items()})


def insert_many(connection: Connection, statement: Insert, rows: Rows | Columns) -> int:
    """Run the insert for each row, and return how many rows were inserted or updated.

    All rows need the same columns. On PostgreSQL the rows of an upsert need distinct keys.
    """
    if not rows:
        return 0
    if connection.dialect.name == "sqlite":
        return _compiled(statement, connection.dialect, _names(rows)).run_many(connection, rows)
    if isinstance(statement, postgresql.Insert):  # has ON CONFLICT
        return _insert_selected(connection, statement, rows)
    return copy_rows(connection, statement, rows)


def _names(rows: Rows | Columns) -> tuple[str, ...]:
    return tuple(rows.values if isinstance(rows, Columns) else rows[0])


class _Compiled:
    """A statement compiled for one dialect. `names` are the columns that an insert gets."""

    def __init__(
        self, statement: Statement, dialect: Dialect, names: Sequence[str] | None = None
    ) -> None:
        inline = partial(_inline_literal, dialect)
        inlined = cast("Statement", visitors.replacement_traverse(statement, {}, inline))
        compiled = inlined.compile(dialect=dialect, column_keys=names)
        self._text = str(compiled)
        self._order: Sequence[str] | None = compiled.positiontup
        self._names = tuple(compiled.binds)
        binds = {
            name: (bind.required, bind.type.dialect_impl(dialect).bind_processor(dialect))
            for name, bind in compiled.binds.items()
        }
        self._fixed = {
            name: process(value) if process else value
            for name, value in compiled.params.items()
            for required, process in [binds[name]]
            if not required
        }
        self._writing = {
            name: process for name, (required, process) in binds.items() if required and process
        }
        columns = statement.exported_columns
        make: Any = namedtuple  # type checkers want literal names
        self._row = make("row", [str(column.name) for column in columns])._make
        self._converters = [
            (index, convert)
            for index, column in enumerate(columns)
            if (convert := _column_converter(column.type, dialect))
        ]

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        parameters = self._parameters(values)
        if _has_listener(connection):
            found = connection.exec_driver_sql(self._text, parameters)
            return found.all() if found.returns_rows else []
        with driver_cursor(connection, self._text) as cursor:
            cursor.execute(self._text, parameters)
            rows: Sequence[Any] = cursor.fetchall() if cursor.description else []
        return rows

    def run_many(self, connection: Connection, rows: Rows | Columns) -> int:
        parameters = self._many_parameters(rows)
        if _has_listener(connection):
            return connection.exec_driver_sql(self._text, list(parameters)).rowcount
        with driver_cursor(connection, self._text) as cursor:
            cursor.executemany(self._text, parameters)
            return int(cursor.rowcount)

    def _many_parameters(self, rows: Rows | Columns) -> Iterator[Any]:
        """Yield the parameters of each row, one at a time: a bulk insert has thousands."""
        columns = [
            repeat(self._fixed[name], len(rows))
            if name in self._fixed
            else _converted(self._writing.get(name), _column(rows, name))
            for name in self._order or self._names
        ]
        each = zip(*columns, strict=True)
        return each if self._order else (dict(zip(self._names, row, strict=True)) for row in each)

    def read(self, found: Sequence[Any]) -> list[Any]:
        """Return the driver's rows as named tuples with converted values."""
        if not found:
            return []
        columns: list[Any] = [*zip(*found, strict=True)]
        for index, convert in self._converters:
            columns[index] = convert(columns[index])
        return [*map(self._row, zip(*columns, strict=True))]

    def _parameters(self, row: Mapping[str, Any]) -> Any:
        values = {**self._fixed, **row}
        for name, process in self._writing.items():
            values[name] = process(values[name])
        return values if self._order is None else tuple([values[name] for name in self._order])


@lru_cache(maxsize=MOST)
def _compiled(
    statement: Statement | Callable[[str], Statement],
    dialect: Dialect,
    names: tuple[str, ...] | None = None,
) -> _Compiled:
    made = statement(dialect.name) if callable(statement) else statement
    return _Compiled(made, dialect, names)


def _inline_literal(dialect: Dialect, element: object, **_: object) -> ColumnElement[Any] | None:
    """Replace a constant parameter by a literal.

    SQLite plans a statement again on each run if a parameter could decide whether a partial index
    applies. That costs more than the run.
    """
    if not isinstance(element, BindParameter) or element.required:
        return None
    write = element.type.dialect_impl(dialect).literal_processor(dialect)
    if element.value is None or write is None:
        return None
    literal = write(element.value)
    if dialect.paramstyle in _PERCENT_TWICE:  # compiling doubles it again
        literal = literal.replace("%%", "%")
    return literal_column(literal, element.type)


def _column_converter(
    kind: TypeEngine[Any], dialect: Dialect
) -> Callable[[Sequence[Any]], Any] | None:
    """Return the function that converts a column of the driver's values; None if none is needed."""
    if dialect.name == "postgresql" and not isinstance(kind, TypeDecorator):
        return None  # the driver returns numbers, texts and dates
    process = kind.dialect_impl(dialect).result_processor(dialect, None)
    if process is None:
        return None
    return read_jsons if process is read_json else partial(map, process)


def _has_listener(connection: Connection) -> bool:
    """Whether a test or a tool listens to statements: then SQLAlchemy has to run them."""
    return bool(connection.dispatch.before_cursor_execute)


@contextmanager
def driver_cursor(connection: Connection, statement: str) -> Iterator[Any]:
    """Yield a cursor of the driver, in a transaction; translate its errors to SQLAlchemy's.

    A lost connection is invalidated.
    """
    if not connection.in_transaction():
        connection.begin()
    dialect, cursor = connection.dialect, connection.connection.cursor()
    driver_error = dialect.loaded_dbapi.Error
    try:
        yield cursor
    except driver_error as error:
        is_lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
        named: Any = DBAPIError.instance(
            statement,
            None,  # they hold addresses, and errors end up in logs
            error,
            driver_error,
            hide_parameters=True,
            connection_invalidated=is_lost,
            dialect=dialect,
        )
        if is_lost:
            connection.invalidate(error)
        raise named from error
    finally:
        cursor.close()


# --- converting by column ----------------------------------------------------------------------


def _column(rows: Rows | Columns, name: str) -> Sequence[Any]:
    return rows.values[name] if isinstance(rows, Columns) else [row[name] for row in rows]


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

_SQLITE = sqlite.dialect()


@cache
def _text_converter(column: ColumnClause[Any]) -> Convert | None:
    """Return the function that converts a column's values to numbers or texts, which both drivers
    accept; None if none is needed."""
    return column.type.dialect_impl(_SQLITE).bind_processor(_SQLITE)


def _text_columns(statement: Insert, rows: Rows | Columns) -> Iterator[Iterable[Any]]:
    for name in _names(rows):
        yield _converted(_text_converter(statement.table.c[name]), _column(rows, name))


def copy_rows(connection: Connection, statement: Insert, rows: Rows | Columns) -> int:
    """Run a plain insert for each row with COPY, and return how many rows were inserted."""
    names = ", ".join(f'"{name}"' for name in _names(rows))
    sql = f'COPY "{statement.table.name}" ({names}) FROM STDIN'
    with driver_cursor(connection, sql) as cursor:
        with cursor.copy(sql) as copy:
            for start in range(0, len(rows), _COPY_BATCH):
                columns = _text_columns(statement, rows[start : start + _COPY_BATCH])
                for row in list(zip(*columns, strict=True)):  # all, while the server works
                    copy.write_row(row)
        copied: int = cursor.rowcount
    return copied


def _insert_selected(connection: Connection, statement: Insert, rows: Rows | Columns) -> int:
    names, columns = _names(rows), _text_columns(statement, rows)
    arrays = {name: _array_literal(column) for name, column in zip(names, columns, strict=True)}
    counted = {"preserve_rowcount": True}
    return connection.execute(
        _from_arrays(statement, names), arrays, execution_options=counted
    ).rowcount


def _array_literal(values: Iterable[Any]) -> str:
    """Return a PostgreSQL array literal (documentation, 8.15.6).

    The driver takes ten times as long to write one.
    """
    return "{" + ",".join(["NULL" if it is None else _quoted(str(it)) for it in values]) + "}"


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


@lru_cache(maxsize=MOST)
def _from_arrays(statement: Insert, names: tuple[str, ...]) -> Insert:
    arrays = [sql_cast(bindparam(name, type_=Text()), postgresql.ARRAY(Text())) for name in names]
    rows = func.unnest(*arrays).table_valued(*names).render_derived()
    columns = statement.table.c
    return statement.from_select(
        names, select(*(sql_cast(rows.c[name], columns[name].type) for name in names))
    )
