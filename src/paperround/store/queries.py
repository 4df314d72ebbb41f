"""Statements that read, written out once: the few that every page of the site asks.

SQLAlchemy looks a statement up by all that it is made of, makes a context for it and a result of
its rows, each time anew; for a few rows that costs several times what the database does. Here a
statement keeps its text, and how its values and the columns of its rows are converted. It reads in
the transaction that the connection is in, as any other does.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.types import TypeDecorator, TypeEngine

from paperround.store import straight
from paperround.store.types import read_json, read_jsons

MOST_PLANS = 256
"""Statements by dialect. Each engine has a dialect of its own."""


class Query:
    """A statement whose values are all named: `bindparam`. One that dialects write otherwise is
    given as what makes it for the name of a dialect."""

    def __init__(self, statement: Select[Any] | Callable[[str], Select[Any]]) -> None:
        self._statement = statement

    def rows(self, connection: Connection, **values: Any) -> list[Any]:
        """Its rows for these values by name, with a name for each column."""
        if not connection.in_transaction():
            connection.begin()
        return _plan(self._statement, connection.dialect).rows(connection, values)

    def first(self, connection: Connection, **values: Any) -> Any | None:
        """Its first row, None where there is none."""
        rows = self.rows(connection, **values)
        return rows[0] if rows else None


class _Plan:
    """A statement as one dialect has it."""

    def __init__(self, statement: Select[Any], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._text = str(compiled)
        self._order: Sequence[str] | None = compiled.positiontup
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        self._fixed = {
            name: compiled.params[name] for name, bind in binds.items() if not bind.required
        }
        self._writing = [
            (name, process)
            for name, bind in binds.items()
            if (process := bind.type.dialect_impl(dialect).bind_processor(dialect))
        ]
        columns = statement.selected_columns
        self._row: Callable[[Iterable[Any]], Any] = _named(columns.keys())
        self._reading = [
            (place, read)
            for place, column in enumerate(columns)
            if (read := _reading(column.type, dialect))
        ]

    def rows(self, connection: Connection, values: dict[str, Any]) -> list[Any]:
        found = straight.run(connection, self._text, self._parameters(values))
        if not found:
            return []
        columns: list[Any] = [*zip(*found, strict=True)]
        for place, read in self._reading:
            columns[place] = read(columns[place])
        return [*map(self._row, zip(*columns, strict=True))]

    def _parameters(self, given: dict[str, Any]) -> Any:
        values = {**self._fixed, **given}
        for name, process in self._writing:
            values[name] = process(values[name])
        return values if self._order is None else tuple([values[name] for name in self._order])


def _named(columns: Sequence[str]) -> Callable[[Iterable[Any]], Any]:
    """What makes a row with these names of its values."""
    make: Any = namedtuple  # a type checker wants the names written out
    maker: Callable[[Iterable[Any]], Any] = make("row", columns)._make
    return maker


def _reading(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Sequence[Any]], Any] | None:
    """What makes values of a column of what the driver gives; None where those are the values."""
    if dialect.name == "postgresql" and not isinstance(kind, TypeDecorator):
        return None  # its driver gives numbers, texts and dates
    process = kind.dialect_impl(dialect).result_processor(dialect, None)
    if process is None:
        return None
    return read_jsons if process is read_json else partial(map, process)


@lru_cache(maxsize=MOST_PLANS)
def _plan(statement: Select[Any] | Callable[[str], Select[Any]], dialect: Dialect) -> _Plan:
    whole = statement if isinstance(statement, Select) else statement(dialect.name)
    return _Plan(whole, dialect)
