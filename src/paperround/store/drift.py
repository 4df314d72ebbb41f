"""Where a database differs from the declared schema, in words."""

from collections.abc import Iterator, Sequence
from typing import Any

NOT_DECLARED = "is not declared"
"""The end of a line about what the database has beyond the schema."""


def spoken(differences: Sequence[Any]) -> Iterator[str]:
    """A line for each difference that Alembic's comparison found: `add_...` is what the database
    lacks, `remove_...` what it has and nobody declared, `modify_...` a column that is otherwise."""
    for one in differences:
        if isinstance(one, list):  # the changes of one column
            yield from map(_modified, one)
        else:
            yield _added_or_removed(*one)


def _added_or_removed(what: str, *of: Any) -> str:
    change, _, kind = what.partition("_")
    thing = of[-1]
    name = thing.name or "without a name"
    where = _table_of(kind, of)
    named = f"the {_KINDS.get(kind, kind)} {f'{where}.{name}' if kind == 'column' else name}"
    if where is not None and kind not in {"column", "table"}:
        named += f" of {where}"
    return f"{named} is missing" if change == "add" else f"{named} {NOT_DECLARED}"


_KINDS = {"fk": "reference"}


def _table_of(kind: str, of: Sequence[Any]) -> str | None:
    if kind == "column":
        return str(of[1])
    table = getattr(of[-1], "table", None)
    return None if table is None else str(table.name)


def _modified(change: Sequence[Any]) -> str:
    what, _, table, column, _, found, declared = change
    aspect = what.removeprefix("modify_")
    return f"the {aspect} of {table}.{column} is {_said(found)}, declared as {_said(declared)}"


def _said(value: Any) -> str:
    text = getattr(getattr(value, "arg", value), "text", value)  # a default of the server
    return "none" if text is None else str(text)
