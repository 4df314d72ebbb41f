"""Serialize models to npz archives of named arrays, without pickle or any code.

A value is a tree of dataclasses. Each leaf is stored under its path (`prior.text.idf`), so a new
field needs no change here:

    arrays       of LONG entries or more as 32-bit floats: the non-zero values and a bit mask of
                 their places; shorter ones unchanged
    mappings     from text to numbers: the keys as JSON, the numbers as a 32-bit array
    the others   text, numbers and dates, in one JSON document

A changed format needs a new FORMAT; readers refuse any other.
"""

import json
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from io import BytesIO
from typing import Any, TypeVar, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from paperround.core.errors import InvalidInput

FORMAT = "paperround-model-1"
LONG = 4096
HEAD = "head"
REMAKE = "`paperround learn` trains a new one"

DAMAGE_ERRORS = (
    *(ValueError, KeyError, TypeError, EOFError, OSError, RuntimeError, MemoryError, SyntaxError),
    *(struct.error, zlib.error, zipfile.BadZipFile, tokenize.TokenError),
)
"""Exceptions that damaged archives and arrays cause."""

Array = NDArray[Any]
T = TypeVar("T")


def to_bytes(value: object, version: str) -> bytes:
    """Serialize a dataclass with the version of the code that can use it."""
    packed = _Packed()
    packed.add("", value)
    head = {"format": FORMAT, "version": version, "plain": packed.plain}
    target = BytesIO()
    np.savez_compressed(target, allow_pickle=False, **{HEAD: _json_array(head)}, **packed.arrays)
    return target.getvalue()


def from_bytes(content: bytes, kind: type[T], version: str) -> T:
    """Read the output of `to_bytes`. Raises InvalidInput for other bytes and other versions."""
    try:
        with np.load(BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        head = json.loads(arrays.pop(HEAD).tobytes())
        found_format, found_version = head["format"], head["version"]
    except DAMAGE_ERRORS as error:
        raise InvalidInput(f"it is damaged ({error}): {REMAKE}") from None
    if (found_format, found_version) != (FORMAT, version):
        raise InvalidInput(f"it is of {found_version}, and this program reads {version}: {REMAKE}")
    try:
        found: T = _Unpacked(arrays, head["plain"]).get("", kind)
    except (KeyError, ValueError, TypeError) as error:
        raise InvalidInput(f"it lacks what {version} needs ({error}): {REMAKE}") from None
    return found


def _json_array(value: object) -> Array:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return np.frombuffer(text.encode(), dtype=np.uint8)


@dataclass(slots=True)
class _Packed:
    arrays: dict[str, Array] = field(default_factory=dict)
    plain: dict[str, Any] = field(default_factory=dict)

    def add(self, path: str, value: object) -> None:
        if is_dataclass(value):
            for one in fields(value):
                self.add(_join_path(path, one.name), getattr(value, one.name))
        elif isinstance(value, np.ndarray):
            self._add_array(path, value)
        elif isinstance(value, Mapping):
            self.arrays[f"{path}.keys"] = _json_array(list(value))
            numbers = np.array(list(value.values()))
            narrow = np.int32 if numbers.dtype.kind == "i" else np.float32
            self.arrays[f"{path}.values"] = numbers.astype(narrow)
        else:
            self.plain[path] = value.isoformat() if isinstance(value, date) else value

    def _add_array(self, path: str, value: Array) -> None:
        if value.size < LONG:
            self.arrays[path] = value
            return
        narrow = value.astype(np.float32)
        self.plain[path] = list(value.shape)
        self.arrays[f"{path}.mask"] = np.packbits(narrow != 0)
        self.arrays[f"{path}.values"] = narrow[narrow != 0]


def _join_path(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


@dataclass(frozen=True, slots=True)
class _Unpacked:
    arrays: Mapping[str, Array]
    plain: Mapping[str, Any]

    def get(self, path: str, kind: Any) -> Any:
        if is_dataclass(kind) and isinstance(kind, type):
            hints = get_type_hints(kind)
            return kind(
                **{
                    one.name: self.get(_join_path(path, one.name), hints[one.name])
                    for one in fields(kind)
                }
            )
        # In newer versions of numpy, NDArray is a type alias.
        origin = get_origin(kind)
        origin = get_origin(getattr(origin, "__value__", origin)) or origin
        if origin is np.ndarray:
            if path in self.arrays:
                return self.arrays[path]
            shape = tuple(self.plain[path])
            whole = np.zeros(shape)
            mask = np.unpackbits(self.arrays[f"{path}.mask"], count=whole.size).astype(bool)
            whole.reshape(-1)[mask] = self.arrays[f"{path}.values"]
            return whole
        if origin in (dict, Mapping):
            keys = json.loads(self.arrays[f"{path}.keys"].tobytes())
            return dict(zip(keys, self.arrays[f"{path}.values"].tolist(), strict=True))
        return date.fromisoformat(self.plain[path]) if kind is date else self.plain[path]
