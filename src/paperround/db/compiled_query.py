"""The few hot statements: those of every claim and mark of the ledger, and of every page of papers.

`connection.execute` binds values and converts rows one by one: 60 papers take 0.47 ms instead of
0.24, the answers to nine emails 0.38 instead of 0.10 (bars B1, B10 and B11). A `CompiledQuery`
keeps the text of a statement, converts a column at a time and goes straight to the driver.
Everything else uses `execute`.
"""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Connection,
    Dialect,
    Insert,
    Select,
    Update,
    literal_column,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import visitors
from sqlalchemy.types import TypeDecorator, TypeEngine

from paperround.db.dialect import read_json, read_jsons

Statement = Update | Insert | Select[Any] | CompoundSelect[Any]

MOST = 256
"""Statements that are kept, by dialect. Each engine has a dialect of its own."""

_PERCENT_TWICE = frozenset({"format", "pyformat"})
"""Ways to mark parameters (PEP 249) in which a percent sign is written twice."""


class CompiledQuery:
    """A statement whose values are all named: `bindparam`. Where dialects differ, give a function
    that makes it for the name of a dialect."""

    def __init__(self, statement: Statement | Callable[[str], Statement]) -> None:
        self._statement = statement

    def rows(self, connection: Connection, **values: Any) -> list[Any]:
        """Return its rows, with a name and a converted value for each column."""
        compiled = _compiled(self._statement, connection.dialect)
        return compiled.read(compiled.run(connection, values))

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        """Run it, and return its rows as the driver gives them."""
        return _compiled(self._statement, connection.dialect).run(connection, values)

    def run_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run it for each of `rows`; return how many rows it changed."""
        return _compiled(self._statement, connection.dialect).run_many(connection, rows)


class _Compiled:
    """A statement as one dialect has it."""

    def __init__(self, statement: Statement, dialect: Dialect) -> None:
        write_out = partial(_written_out, dialect)
        whole = cast("Statement", visitors.replacement_traverse(statement, {}, write_out))
        compiled = whole.compile(dialect=dialect)
        self._text = str(compiled)
        self._order: Sequence[str] | None = compiled.positiontup
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
        self._writing = [
            (name, process) for name, (required, process) in binds.items() if required and process
        ]
        columns = statement.exported_columns
        make: Any = namedtuple  # a type checker wants the names written out
        self._row = make("row", [str(column.name) for column in columns])._make
        self._reading = [
            (place, read)
            for place, column in enumerate(columns)
            if (read := _reading(column.type, dialect))
        ]

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        if not connection.in_transaction():
            connection.begin()
        parameters = self._parameters(values)
        if _is_listened_to(connection):
            found = connection.exec_driver_sql(self._text, parameters)
            return found.all() if found.returns_rows else []
        with driver_cursor(connection, self._text) as cursor:
            cursor.execute(self._text, parameters)
            rows: Sequence[Any] = cursor.fetchall() if cursor.description else []
        return rows

    def run_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        parameters = [*map(self._parameters, rows)]
        if _is_listened_to(connection):
            return connection.exec_driver_sql(self._text, parameters).rowcount
        with driver_cursor(connection, self._text) as cursor:
            cursor.executemany(self._text, parameters)
            return int(cursor.rowcount)

    def read(self, found: Sequence[Any]) -> list[Any]:
        """Return rows that the driver gave, with names and converted values."""
        if not found:
            return []
        columns: list[Any] = [*zip(*found, strict=True)]
        for place, read in self._reading:
            columns[place] = read(columns[place])
        return [*map(self._row, zip(*columns, strict=True))]

    def _parameters(self, row: Mapping[str, Any]) -> Any:
        values = {**self._fixed, **row}
        for name, process in self._writing:
            values[name] = process(values[name])
        return values if self._order is None else tuple([values[name] for name in self._order])


def _is_listened_to(connection: Connection) -> bool:
    """Whether a test or a tool wants to see each statement: then SQLAlchemy has to run it."""
    return bool(connection.dispatch.before_cursor_execute)


@contextmanager
def driver_cursor(connection: Connection, statement: str) -> Iterator[Any]:
    """A cursor of the driver, whose errors are those that SQLAlchemy raises. A connection that is
    lost is not used again."""
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


def _written_out(dialect: Dialect, element: object, **_: object) -> ColumnElement[Any] | None:
    """Write a value that is always the same into the text. As a parameter it would cost more than
    the run: SQLite makes a new plan each time where a parameter might decide whether a partial
    index serves."""
    if not isinstance(element, BindParameter) or element.required:
        return None
    write = element.type.dialect_impl(dialect).literal_processor(dialect)
    if element.value is None or write is None:
        return None
    written = write(element.value)
    if dialect.paramstyle in _PERCENT_TWICE:  # the statement doubles it once more
        written = written.replace("%%", "%")
    return literal_column(written, element.type)


def _reading(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Sequence[Any]], Any] | None:
    """Return what converts a column of what the driver gives; None where nothing needs to."""
    if dialect.name == "postgresql" and not isinstance(kind, TypeDecorator):
        return None  # its driver gives numbers, texts and dates
    process = kind.dialect_impl(dialect).result_processor(dialect, None)
    if process is None:
        return None
    return read_jsons if process is read_json else partial(map, process)


@lru_cache(maxsize=MOST)
def _compiled(statement: Statement | Callable[[str], Statement], dialect: Dialect) -> _Compiled:
    return _Compiled(statement(dialect.name) if callable(statement) else statement, dialect)
