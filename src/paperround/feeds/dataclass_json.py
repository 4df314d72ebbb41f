"""Convert dataclasses to JSON and back: cursors of polls, the progress of feeds, imported feeds."""

import json
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from paperround.core.errors import InvalidInput

_LONGEST_CODE = 70


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def to_json(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass as JSON values."""
    kind: Any = type(value)
    fields: dict[str, Any] = _adapter(kind).dump_python(value, mode="json")
    return fields


def from_json(kind: Any, value: Any) -> Any:
    """Return the `kind` of a JSON value. Missing fields get their default, and unknown ones are
    ignored. Raises InvalidInput, whose code is the path of the wrong field."""
    try:
        return _adapter(kind).validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        code = ".".join(map(str, first["loc"]))[:_LONGEST_CODE] or "invalid"
        raise InvalidInput(f"{code}: {first['msg']}", code=code) from None
