"""Values whose fields have the names of columns."""

from dataclasses import Field, fields
from typing import Any, ClassVar, Protocol, TypeVar


class Dataclass(Protocol):
    """A value of any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T", bound=Dataclass)


def value_of(kind: type[T], row: Any, /, **others: Any) -> T:
    """A `kind` made from a row: each field comes from the column with its name, except for
    `others`, which the row holds under another name or as another type."""
    named = [one.name for one in fields(kind) if one.name not in others]
    return kind(**{name: getattr(row, name) for name in named}, **others)


def columns_of(value: Dataclass) -> dict[str, Any]:
    """The fields of a value as the columns with their names."""
    return {one.name: getattr(value, one.name) for one in fields(value)}
