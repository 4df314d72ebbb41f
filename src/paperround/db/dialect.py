"""Differences between SQLite and PostgreSQL: statements, error codes and column types."""

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Insert,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    extract,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSON, TIMESTAMP
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.types import TypeDecorator, TypeEngine

from paperround.core.errors import DatabaseFailed
from paperround.core.times import require_utc

_LOST_RACES = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL: serialization failure, deadlock, lock timeout."""

_DUPLICATES = frozenset({"23505", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE"})

_WAYS_OUT = {
    "SQLITE_CORRUPT": "`paperround doctor` says what to do",
    "SQLITE_NOTADB": "`paperround doctor` says what to do",
    "SQLITE_FULL": "make room on the disk: nothing is sent until it can be recorded",
    "SQLITE_IOERR": "is the disk full? `paperround doctor` shows how much is free",
    "SQLITE_READONLY": "the file system is read-only, or this account cannot write to the file, to "
    "the -wal or -shm file beside it, or to their folder",
    "SQLITE_CANTOPEN": "can this account read and write the file, and its folder?",
}
"""What to do about an error of SQLite, by the beginning of its code."""


@cache
def insert_row(table: Table) -> Insert:
    """Return an insert that fails on a duplicate key."""
    return insert(table)


def insert_new(connection: Connection, table: Table) -> Insert:
    """Return an insert that skips rows with a duplicate key."""
    return _insert_new(connection.dialect.name, table)


def upsert(
    connection: Connection, table: Table, key: tuple[str, ...], changed: tuple[str, ...]
) -> Insert:
    """Return an insert that, on a duplicate `key`, updates the columns `changed`."""
    return _upsert(connection.dialect.name, table, key, changed)


def update_rows(
    connection: Connection, table: Table, /, *where: ColumnElement[bool], **values: Any
) -> int:
    """Set these columns of the rows that meet every condition; return how many rows they are."""
    return connection.execute(update(table).where(*where).values(**values)).rowcount


def delete_rows(connection: Connection, table: Table, *where: ColumnElement[bool]) -> int:
    """Delete the rows that meet every condition; return how many they were."""
    return connection.execute(delete(table).where(*where)).rowcount


# Statements are cached, because compiled SQL is cached by statement.


@cache
def _insert_new(dialect: str, table: Table) -> Insert:
    statement: Insert = insert_with_conflict(dialect, table).on_conflict_do_nothing()
    return statement


@cache
def _upsert(dialect: str, table: Table, key: tuple[str, ...], changed: tuple[str, ...]) -> Insert:
    statement = insert_with_conflict(dialect, table)
    updating: Insert = statement.on_conflict_do_update(
        index_elements=key, set_={name: statement.excluded[name] for name in changed}
    )
    return updating


def insert_with_conflict(dialect: str, table: Table) -> Any:
    """Return an insert that supports ON CONFLICT."""
    # Typed Any: the two inserts have the same methods but no common type.
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def column_in(
    connection: Connection, column: ColumnElement[Any], values: Collection[int] | Collection[str]
) -> ColumnElement[bool]:
    """Return `column IN values` with a single parameter, however many values there are."""
    if connection.dialect.name == "postgresql":
        kind = Text() if isinstance(next(iter(values), None), str) else BigInteger()
        array = bindparam(None, list(values), postgresql.ARRAY(kind), unique=True)
        return column == func.any(array)
    listed = func.json_each(literal(json.dumps(list(values)), Text())).table_valued("value")
    return column.in_(select(listed.c.value))


def column_in_ids(dialect: str, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return `column IN ids` for cached statements; `ids_parameter` makes the parameter `name`."""
    if dialect == "postgresql":
        return column == func.any(bindparam(name, type_=postgresql.ARRAY(BigInteger())))
    listed = func.json_each(bindparam(name, type_=Text())).table_valued("value")
    return column.in_(select(listed.c.value))


def ids_parameter(connection: Connection, ids: Collection[int]) -> list[int] | str:
    """Return `ids` as the parameter of `column_in_ids`."""
    listed = list(ids)
    return listed if connection.dialect.name == "postgresql" else json.dumps(listed)


def whole_seconds(
    connection: Connection, first: ColumnElement[Any], last: ColumnElement[Any]
) -> ColumnElement[int]:
    """Return the seconds from one instant to another, each cut to a whole second."""

    def since_1970(instant: ColumnElement[Any]) -> ColumnElement[int]:
        if connection.dialect.name == "postgresql":
            return cast(func.floor(extract("epoch", instant)), BigInteger)
        return cast(func.strftime("%s", instant, type_=Text()), BigInteger)

    return since_1970(last) - since_1970(first)


def next_ids(connection: Connection, table: Table, count: int) -> list[int]:
    """Return `count` new ascending ids for `table`, never used before.

    On SQLite the caller must hold the write lock, and `table` needs AUTOINCREMENT.
    """
    if connection.dialect.name == "postgresql":
        sequence = text(
            "SELECT ARRAY(SELECT nextval((SELECT pg_get_serial_sequence(:table, 'id')))"
            " FROM generate_series(1, :count))"  # the subquery looks the name up only once
        )
        found = connection.execute(sequence, {"table": table.name, "count": count})
        return sorted(found.scalar_one())
    highest = text("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = :table")
    last: int = connection.execute(highest, {"table": table.name}).scalar_one()
    return list(range(last + 1, last + 1 + count))


def is_duplicate(error: IntegrityError) -> bool:
    """Whether a unique or primary key is a duplicate (not, say, a foreign key missing)."""
    return _code(error) in _DUPLICATES


def is_lost_race(error: DBAPIError) -> bool:
    """Whether PostgreSQL aborted the transaction for another one; a retry may succeed."""
    return _code(error) in _LOST_RACES


def is_damage(error: DBAPIError) -> bool:
    """Whether SQLite's file is corrupt, or not a database."""
    return is_corrupt(error.orig)


def is_corrupt(error: BaseException | None) -> bool:
    """Whether an error of SQLite's driver says that the file is corrupt, or not a database."""
    code = getattr(error, "sqlite_errorname", None) or ""
    return code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def reason_of(error: DBAPIError) -> str:
    """Return the first line of the driver's message, for SQLite with what to do."""
    reason = str(error.orig).strip().partition("\n")[0]
    code = _code(error)
    ways_out = (way_out for prefix, way_out in _WAYS_OUT.items() if code.startswith(prefix))
    way_out = next(ways_out, None)
    return reason if way_out is None else f"{reason} ({way_out})"


def _code(error: DBAPIError) -> str:
    driver = error.orig
    return getattr(driver, "sqlstate", None) or getattr(driver, "sqlite_errorname", None) or ""


ROW_ID = BigInteger().with_variant(Integer, "sqlite")
"""64 bits on both engines; SQLite uses its row id only for a column of type INTEGER."""

INSTANT_WIDTH = len("2026-01-30T08:00:00.000000Z")

MOST_INSTANTS = 512
"""The size of the caches of instants: most rows of a day share a few."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_text = json.encoder.encode_basestring
_decode = json.JSONDecoder().raw_decode
_EMPTY: Mapping[type, str] = MappingProxyType({dict: "{}", list: "[]", tuple: "[]"})


def write_json(value: Any) -> str:
    """Serialize like `_encode`, but several times faster for empty values, and for lists and
    mappings of texts or integers."""
    if not value:
        return _EMPTY.get(type(value)) or _encode(value)
    try:
        if isinstance(value, (list, tuple)):
            if all(type(it) is int for it in value):
                return f"[{','.join(map(str, value))}]"
            return f"[{','.join(map(_text, value))}]"
        if isinstance(value, dict):
            return f"{{{','.join([f'{_text(key)}:{_text(it)}' for key, it in value.items()])}}}"
    except TypeError:  # a value is not a string
        pass
    return _encode(value)


def read_json(text: str | None) -> Any:
    """Parse like `json.loads`, but twice as fast for short texts without surrounding spaces."""
    if text is None:
        return None
    value, end = _decode(text)
    return value if end == len(text) else json.loads(text)


def read_jsons(texts: Sequence[str | None]) -> list[Any]:
    """Parse a whole column: as one JSON array if no value is missing."""
    with suppress(TypeError, ValueError):
        values: list[Any] = json.loads(f"[{','.join(texts)}]")  # type: ignore[arg-type]
        if len(values) == len(texts):
            return values
    return [*map(read_json, texts)]


@lru_cache(maxsize=MOST_INSTANTS)
def _format_instant(moment: datetime) -> str:
    return require_utc(moment).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


@lru_cache(maxsize=MOST_INSTANTS)
def _parse_instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (TypeError, ValueError) as error:
        words = f"a row is damaged: it has {text!r} where an instant belongs"
        raise DatabaseFailed(words) from error


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC. A naive one raises ValueError.

    SQLite stores text of fixed width with microseconds, so that text order is time order.
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
        return require_utc(value) if dialect.name == "postgresql" else _format_instant(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return require_utc(value) if dialect.name == "postgresql" else _parse_instant(value)


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
            return value
        return None if value is None else write_json(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Return the parser directly, without a call per value to this class."""
        if dialect.name == "postgresql":
            return super().result_processor(dialect, coltype)
        return read_json
