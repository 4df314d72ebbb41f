"""Convert dataclasses to JSON and back, for cursors of polls and the stored progress of feeds."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def to_json(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass as JSON values."""
    fields: dict[str, Any] = _adapter(type(value)).dump_python(value, mode="json")
    return fields


def from_json(kind: type[Any], value: Any) -> Any:
    """Return the `kind` that `to_json` converted. Missing fields get their default, and unknown
    ones are ignored. Raises ValueError when the value does not fit."""
    return _adapter(kind).validate_python(value)
