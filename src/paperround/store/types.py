"""Column types that give back exactly what was put in, on both engines."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, String, Text
from sqlalchemy.dialects.postgresql import JSON, TIMESTAMP
from sqlalchemy.types import TypeDecorator, TypeEngine

from paperround.domain.times import require_utc

ROW_ID = BigInteger().with_variant(Integer, "sqlite")
"""64 bits on both engines; SQLite gives its own row id to a column of exactly INTEGER."""

INSTANT_WIDTH = len("2026-01-30T08:00:00.000000Z")

MOST_INSTANTS = 512
"""Instants kept as text and as values: most rows of a day have the same few."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_text = json.encoder.encode_basestring
_decode = json.JSONDecoder().raw_decode
_EMPTY: Mapping[type, str] = MappingProxyType({dict: "{}", list: "[]", tuple: "[]"})


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A value of a column of `Json` that is text already: many rows share it."""

    text: str


def write_json(value: Any) -> str:
    """As `_encode` does it, and several times faster for the most common ones: empty, and of texts
    or whole numbers alone."""
    if isinstance(value, Written):
        return value.text
    if not value:
        return _EMPTY.get(type(value)) or _encode(value)
    try:
        if isinstance(value, (list, tuple)):
            if all(type(it) is int for it in value):
                return f"[{','.join(map(str, value))}]"
            return f"[{','.join(map(_text, value))}]"
        if isinstance(value, dict):
            return f"{{{','.join([f'{_text(key)}:{_text(it)}' for key, it in value.items()])}}}"
    except TypeError:  # something in it is no text
        pass
    return _encode(value)


def read_json(text: str | None) -> Any:
    """As `json.loads` does it, and twice as fast for short texts of ours: nothing stands before
    them, and nothing behind."""
    if text is None:
        return None
    value, end = _decode(text)
    return value if end == len(text) else json.loads(text)


def read_jsons(texts: Sequence[str | None]) -> list[Any]:
    """The values of a whole column, which is one text to read where none is missing."""
    with suppress(TypeError, ValueError):
        values: list[Any] = json.loads(f"[{','.join(texts)}]")  # type: ignore[arg-type]
        if len(values) == len(texts):
            return values
    return [*map(read_json, texts)]


@lru_cache(maxsize=MOST_INSTANTS)
def _written(moment: datetime) -> str:
    return require_utc(moment).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


@lru_cache(maxsize=MOST_INSTANTS)
def _read(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware values only, always UTC. A naive one raises ValueError.

    SQLite holds text of fixed width with microseconds, so that text order is time order.
    """

    impl = String(INSTANT_WIDTH)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(String(INSTANT_WIDTH))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return require_utc(value) if dialect.name == "postgresql" else _written(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "postgresql":
            return require_utc(value)
        return _read(value)


class Json(TypeDecorator[Any]):
    """Lists and mappings of plain values. Mappings keep their order; None is SQL's NULL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(JSON(none_as_null=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return read_json(value.text) if isinstance(value, Written) else value
        return None if value is None else write_json(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Straight from the text, which a page of papers has hundreds of."""
        if dialect.name == "postgresql":
            return super().result_processor(dialect, coltype)
        return read_json
