"""Convert dataclasses to JSON and back, for cursors of polls and the stored progress of feeds."""

from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from paperround.core.errors import InvalidInput
from paperround.core.times import format_instant, parse_date, parse_instant


@cache
def _type_hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def to_json(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass as JSON values."""
    return asdict(value, dict_factory=lambda pairs: {name: _plain(one) for name, one in pairs})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_instant(value)
    return str(value) if isinstance(value, date | Enum) else value


def from_json(kind: Any, value: Any) -> Any:
    """Convert a JSON value to the type `kind` of a field. Missing fields get their default, and
    unknown ones are ignored. Raises InvalidInput, ValueError, KeyError or TypeError when the value
    does not fit."""
    if isinstance(kind, UnionType):
        [kind] = [one for one in get_args(kind) if one is not type(None)]
        return None if value is None else from_json(kind, value)
    if is_dataclass(kind):
        make: Any = kind
        hints = _type_hints(make)
        return make(**{name: from_json(hints[name], value[name]) for name in hints.keys() & value})
    if get_origin(kind) is tuple:
        return tuple(from_json(get_args(kind)[0], one) for one in value)
    kind = get_origin(kind) or kind
    if kind in (date, datetime):
        return (parse_date if kind is date else parse_instant)(from_json(str, value))
    if issubclass(kind, Enum):
        return kind(value)
    if not isinstance(value, kind):
        raise InvalidInput(f"{value!r:.60} is no {kind.__name__}")
    return value
