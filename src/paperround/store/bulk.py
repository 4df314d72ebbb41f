"""Many rows in one call.

SQLAlchemy prepares the values of every row one by one, which for papers costs more than SQLite's
own work. Here values are converted a column at a time, equal ones once, and handed to the driver.
PostgreSQL's driver converts by itself, so there the usual way is taken.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnClause, Connection, Insert
from sqlalchemy.dialects import sqlite

_SQLITE = sqlite.dialect()

Convert = Callable[[Any], Any]


def insert_many(
    connection: Connection, statement: Insert, rows: Sequence[Mapping[str, Any]]
) -> int:
    """Run the insert once a row; every row names the same columns. Returns how many went in."""
    if not rows:
        return 0
    if connection.dialect.name == "postgresql":
        counted = {"preserve_rowcount": True}
        return connection.execute(statement, rows, execution_options=counted).rowcount
    words = _in_sqlite(statement, tuple(rows[0]))
    columns = [
        _converted(convert, [row[name] for row in rows]) for name, convert in words.parameters
    ]
    return connection.exec_driver_sql(words.sql, list(zip(*columns, strict=True))).rowcount


@dataclass(frozen=True, slots=True)
class _Words:
    """A statement as the driver takes it: its parameters in order, and how to convert each."""

    sql: str
    parameters: tuple[tuple[str, Convert | None], ...]


@lru_cache(maxsize=128)
def _in_sqlite(statement: Insert, names: tuple[str, ...]) -> _Words:
    compiled = statement.compile(dialect=_SQLITE, column_keys=list(names))
    order = compiled.positiontup or []
    columns = statement.table.c
    return _Words(str(compiled), tuple((name, _convert(columns[name])) for name in order))


def _convert(column: ColumnClause[Any]) -> Convert | None:
    return column.type.dialect_impl(_SQLITE).bind_processor(_SQLITE)


def _converted(convert: Convert | None, values: list[Any]) -> Iterable[Any]:
    if convert is None:
        return values
    try:
        known = {value: convert(value) for value in set(values)}
    except TypeError:  # mappings cannot be compared by hash
        return [convert(value) for value in values]
    return [known[value] for value in values]
