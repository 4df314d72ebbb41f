"""Convert between rows and dataclasses whose fields are named like the columns."""

from dataclasses import Field, fields
from typing import Any, ClassVar, Protocol, TypeVar


class Dataclass(Protocol):
    """An instance of any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T", bound=Dataclass)


def value_of(kind: type[T], row: Any, /, **others: Any) -> T:
    """Return a `kind` whose fields come from the row's columns, except for `others`."""
    names = [one.name for one in fields(kind) if one.name not in others]
    return kind(**{name: getattr(row, name) for name in names}, **others)


def columns_of(value: Dataclass) -> dict[str, Any]:
    """Return the fields of a dataclass instance by column name."""
    return {one.name: getattr(value, one.name) for one in fields(value)}
