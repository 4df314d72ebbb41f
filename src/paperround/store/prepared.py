"""Statements compiled once, for the few that every mail goes through or many people wait for.

Compiling one, looking it up and binding its parameters cost several times as much as the rows
themselves. What is left of a run is binding, the driver and the rows as it gives them;
`store.queries` makes values of these.
"""

from collections.abc import Mapping, Sequence
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
from sqlalchemy.sql import visitors

from paperround.store import straight

Preparable = Update | Insert | Select[Any] | CompoundSelect[Any]

MOST = 256
"""Statements that are kept, by dialect. Each engine has a dialect of its own."""

_PERCENT_TWICE = frozenset({"format", "pyformat"})
"""Ways to mark parameters (PEP 249) in which a percent sign is written twice."""


class Prepared:
    """A statement compiled for `dialect` once."""

    def __init__(self, statement: Preparable, dialect: Dialect) -> None:
        write_out = partial(_written_out, dialect)
        whole = cast("Preparable", visitors.replacement_traverse(statement, {}, write_out))
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
        self._processes = [
            (name, process) for name, (required, process) in binds.items() if required and process
        ]

    def run(self, connection: Connection, row: Mapping[str, Any]) -> list[Any]:
        """Run it with these parameters by name. Its rows come as the driver gives them. The first
        statement of a connection begins a transaction, as any other does."""
        if not connection.in_transaction():
            connection.begin()
        return straight.run(connection, self._text, self._parameters(row))

    def run_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run it for each of `rows`, parameters by name; returns how many rows it changed."""
        return straight.run_many(connection, self._text, [self._parameters(row) for row in rows])

    def _parameters(self, row: Mapping[str, Any]) -> Any:
        values = {**self._fixed, **row}
        for name, process in self._processes:
            values[name] = process(values[name])
        return values if self._order is None else tuple([values[name] for name in self._order])


def _written_out(dialect: Dialect, element: object, **_: object) -> ColumnElement[Any] | None:
    """A value that is always the same, as part of the text. As a parameter it would cost more than
    the run: SQLite makes the plan of a statement anew each time it is run where a parameter might
    decide whether a partial index serves."""
    if not isinstance(element, BindParameter) or element.required:
        return None
    write = element.type.dialect_impl(dialect).literal_processor(dialect)
    if element.value is None or write is None:
        return None
    written = write(element.value)
    if dialect.paramstyle in _PERCENT_TWICE:  # the statement doubles it once more
        written = written.replace("%%", "%")
    return literal_column(written, element.type)


@lru_cache(maxsize=MOST)
def prepared(statement: Preparable, dialect: Dialect) -> Prepared:
    """`statement`, which is kept, compiled for the dialect of an engine."""
    return Prepared(statement, dialect)
