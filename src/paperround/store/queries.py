"""Prepared statements whose rows have names and values: those that every page of the site asks,
every mail or every sign-up.

SQLAlchemy makes a context for a statement and a result of its rows, each time anew; for a few rows
that costs several times what the database does. Here a statement keeps how the columns of its rows
are converted. It runs in the transaction that the connection is in, as any other does.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from paperround.store.prepared import MOST, Preparable, Prepared
from paperround.store.types import read_json, read_jsons

Said = Preparable | Callable[[str], Preparable]


class Query:
    """A statement whose values are all named: `bindparam`. One that dialects write otherwise is
    given as what makes it for the name of a dialect."""

    def __init__(self, statement: Said) -> None:
        self._statement = statement

    def rows(self, connection: Connection, **values: Any) -> list[Any]:
        """Its rows for these values by name, with a name for each column."""
        return _plan(self._statement, connection.dialect).rows(connection, values)

    def first(self, connection: Connection, **values: Any) -> Any | None:
        """Its first row, None where there is none."""
        rows = self.rows(connection, **values)
        return rows[0] if rows else None


class _Plan:
    """A statement as one dialect has it, and what makes values of its rows."""

    def __init__(self, statement: Preparable, dialect: Dialect) -> None:
        self._prepared = Prepared(statement, dialect)
        columns = statement.exported_columns
        self._row = _named([str(column.name) for column in columns])
        self._reading = [
            (place, read)
            for place, column in enumerate(columns)
            if (read := _reading(column.type, dialect))
        ]

    def rows(self, connection: Connection, values: dict[str, Any]) -> list[Any]:
        found = self._prepared.run(connection, values)
        if not found:
            return []
        columns: list[Any] = [*zip(*found, strict=True)]
        for place, read in self._reading:
            columns[place] = read(columns[place])
        return [*map(self._row, zip(*columns, strict=True))]


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


@lru_cache(maxsize=MOST)
def _plan(statement: Said, dialect: Dialect) -> _Plan:
    return _Plan(statement(dialect.name) if callable(statement) else statement, dialect)
