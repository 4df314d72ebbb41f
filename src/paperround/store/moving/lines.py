"""A row as a line of PostgreSQL's COPY, and the checksum of many rows in any order.

Rows leave SQLite as they are stored, and the same line must come back from PostgreSQL:

    text, JSON     as it stands
    instant        2026-01-30T08:00:00.000000Z, the form SQLite holds
    date           2026-01-30
    number         its digits; one with a fraction is compared by its eight bytes
    truth          t or f
    bytes          in hex

The checksum of a table is the sum of its rows' hashes, so a copy can stop anywhere, go on later,
and be compared without sorting.
"""

import re
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from sqlalchemy import Boolean, Column, Date, Double, LargeBinary, Table
from sqlalchemy.types import TypeEngine

from paperround.store.types import Json, UtcDateTime

Encode = Callable[[Any], str]

NULL = "\\N"
REPLACEMENT = "\ufffd"
"""What stands for a character that PostgreSQL cannot hold."""

MODULUS = 1 << 128

_ESCAPES = str.maketrans(
    {
        "\\": "\\\\",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
    }
)
_SPECIAL = re.compile(r"[\\\b\f\n\r\t\v]").search
_NUL_IN_JSON = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")

TAKEN_APART = frozenset({("papers", "authors")})
"""Columns of JSON whose texts PostgreSQL reads itself: no NUL may be written in them either."""


@dataclass(frozen=True, slots=True)
class Form:
    """How the rows of a table are written, and how PostgreSQL is asked to say them."""

    table: str
    names: tuple[str, ...]
    sent: tuple[Encode, ...]
    compared: tuple[Encode, ...]
    said: tuple[str, ...]

    @property
    def taking_in(self) -> str:
        """The statement that takes lines in."""
        columns = ", ".join(f'"{name}"' for name in self.names)
        return f'COPY "{self.table}" ({columns}) FROM STDIN'

    @property
    def reading_back(self) -> str:
        """The statement that says the lines of every row."""
        return f'COPY (SELECT {", ".join(self.said)} FROM "{self.table}") TO STDOUT'

    def lines(self, rows: Sequence[tuple[Any, ...]]) -> list[bytes]:
        """A line for each row, with its end."""
        return _lines(self.sent, rows)

    def checksum(self, rows: Sequence[tuple[Any, ...]], lines: Iterable[bytes]) -> int:
        """The sum over `rows`, whose `lines` are known."""
        if self.sent != self.compared:
            lines = _lines(self.compared, rows)
        return checksum(lines)


def form_of(table: Table, *, replace_nul: bool = False) -> Form:
    """How the rows of `table` travel; with `replace_nul` U+FFFD travels in the place of a NUL."""
    columns = tuple(table.columns)
    sent = tuple(_encoder(column, replace_nul) for column in columns)
    compared = tuple(
        _double_bits if isinstance(column.type, Double) else encode
        for column, encode in zip(columns, sent, strict=True)
    )
    names = tuple(column.name for column in columns)
    return Form(table.name, names, sent, compared, tuple(map(_said, columns)))


def checksum(lines: Iterable[bytes]) -> int:
    """The sum of the lines' hashes."""
    total = 0
    for line in lines:
        total += int.from_bytes(blake2b(line, digest_size=16).digest())
    return total % MODULUS


def holds_nul(written: str) -> bool:
    """Whether a NUL is written in a text of this JSON."""
    return _NUL_IN_JSON.search(written) is not None


def _lines(encoders: Sequence[Encode], rows: Sequence[tuple[Any, ...]]) -> list[bytes]:
    columns = zip(*rows, strict=True)
    written = [
        [encode(value) if value is not None else NULL for value in column]
        for encode, column in zip(encoders, columns, strict=True)
    ]
    return [("\t".join(fields) + "\n").encode() for fields in zip(*written, strict=True)]


def _encoder(column: Column[Any], replace_nul: bool) -> Encode:
    encode = _plain(column.type)
    if not replace_nul or encode is not _text:
        return encode
    if isinstance(column.type, Json):
        taken_apart = (column.table.name, column.name) in TAKEN_APART
        return _json_without_nul if taken_apart else encode
    return _text_without_nul


def _plain(kind: TypeEngine[Any]) -> Encode:
    match kind:
        case Boolean():
            return _truth
        case LargeBinary():
            return _bytes
        case Double():
            return _double
        case UtcDateTime() | Date():
            return str
    return _text if kind.python_type is str or isinstance(kind, Json) else str


def _text(value: str) -> str:
    return value.translate(_ESCAPES) if _SPECIAL(value) else value


def _text_without_nul(value: str) -> str:
    return _text(value.replace("\0", REPLACEMENT))


def _json_without_nul(value: str) -> str:
    return _text(_NUL_IN_JSON.sub(rf"\1{REPLACEMENT}", value) if "\\u0000" in value else value)


def _truth(value: int) -> str:
    return "t" if value else "f"


def _bytes(value: bytes) -> str:
    return f"\\\\x{value.hex()}"


def _double(value: float) -> str:
    return repr(float(value))


def _double_bits(value: float) -> str:
    return struct.pack(">d", value).hex()


def _said(column: Column[Any]) -> str:
    name = f'"{column.name}"'
    if isinstance(column.type, UtcDateTime):
        return f"""to_char({name}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    if isinstance(column.type, Date):
        return f"to_char({name}, 'YYYY-MM-DD')"
    if isinstance(column.type, Double):
        return f"encode(float8send({name}), 'hex')"
    return name
