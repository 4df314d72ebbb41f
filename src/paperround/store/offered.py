"""Rows that a statement is offered, however many: one text for SQLite, a list a column for
PostgreSQL. So a statement is written out once, and taken in by the database once, for all of them.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Table,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite

from paperround.store.bulk import as_array, converting

PLACE = "place"
"""A column of numbers, for whoever has to know which row is which."""

_ROWS = "b_rows"

Names = tuple[str, ...]


@cache
def offered(
    dialect: str, table: Table, names: Names
) -> tuple[FromClause, Mapping[str, ColumnElement[Any]]]:
    """The rows that `offering` hands over, and their columns by name: those of `table` that have
    these names, or PLACE."""
    if dialect == "postgresql":
        lists = [cast(bindparam(f"b_{name}", type_=Text()), _TEXTS) for name in names]
        texts = func.unnest(*lists).table_valued(*names).render_derived()
        return texts, {name: cast(texts.c[name], _type(table, name)) for name in names}
    rows = func.json_each(bindparam(_ROWS, type_=Text())).table_valued("value")
    found = {
        name: func.json_extract(
            rows.c.value, literal_column(f"'$[{place}]'"), type_=_type(table, name)
        )
        for place, name in enumerate(names)
    }
    return rows, found


def inserting(
    dialect: str,
    table: Table,
    names: Names,
    instead: Mapping[str, ColumnElement[Any]] = MappingProxyType({}),
) -> Any:
    """An insert of the rows that are offered, with other values in the place of some columns.
    (Typed Any: those of the two dialects share their methods, and no type that names them.)"""
    rows, found = offered(dialect, table, names)
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    values = [instead.get(name, found[name]) for name in names]
    offer = select(*values).select_from(rows).where(true())  # or SQLite reads a join's ON
    return insert.from_select(list(names), offer, include_defaults=False)


def offering(
    connection: Connection, table: Table, names: Names, rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """`rows` as the parameters of a statement that takes them."""
    columns = [_column(table, name, rows) for name in names]
    if connection.dialect.name == "postgresql":
        return {f"b_{name}": as_array(column) for name, column in zip(names, columns, strict=True)}
    return {_ROWS: json.dumps([*zip(*columns, strict=True)])}


_TEXTS = postgresql.ARRAY(Text())


def _type(table: Table, name: str) -> Any:
    return BigInteger() if name == PLACE else table.c[name].type


def _column(table: Table, name: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    convert = None if name == PLACE else converting(table.c[name])
    values = [row[name] for row in rows]
    return values if convert is None else [*map(convert, values)]
