"""What an answer has otherwise than its shape says. Pure.

What the shape does not know is named and not looked into, so that an answer of any size and depth
is compared in one pass.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from paperround.domain.errors import InvalidInput
from paperround.domain.text import clean
from paperround.sources.shapes import ALWAYS, ANY, NEEDED, Field, Shape
from paperround.sources.xml import Node, read_xml, without_doctype

MOST_NEW = 50
"""New fields that are named; more are counted."""

_LONGEST = 120
_ROOT = "$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that changed. `breaks` says that papers cannot be read without it."""

    path: str
    says: str
    breaks: bool = False

    def __str__(self) -> str:
        return f"{self.path} {self.says}"


@dataclass(slots=True)
class _Seen:
    """What was met at each path: how often, in how many of its parents, with which types."""

    shape: Shape
    times: Counter[str] = field(default_factory=Counter)
    parents: Counter[str] = field(default_factory=Counter)
    types: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    new: Counter[str] = field(default_factory=Counter)

    def met(self, path: str, kind: str) -> bool:
        """Note one value; whether to look into it."""
        known = self.shape.fields.get(path)
        if known is None:
            if path in self.new or len(self.new) <= MOST_NEW:
                self.new[path] += 1
            return False
        self.types[path].add(kind)
        if kind not in known.types:
            return False
        self.times[path] += 1
        return True

    def held(self, paths: Iterable[str]) -> None:
        """Note which paths one parent has."""
        self.parents.update(path for path in set(paths) if path in self.shape.fields)


def differences(shape: Shape, content: bytes) -> tuple[Difference, ...]:
    """What of `content` differs from `shape`; what breaks comes first, then what is missing or of
    another type, then what is new."""
    try:
        seen = _seen(shape, content)
    except InvalidInput as error:
        return (Difference(path="the answer", says=f"cannot be read: {error}", breaks=True),)
    found = [*_changed(seen), *_missing(seen)]
    return (*sorted(found, key=lambda one: not one.breaks), *_new(seen))


def _seen(shape: Shape, content: bytes) -> _Seen:
    seen = _Seen(shape)
    if shape.form == "xml":
        root = read_xml(without_doctype(content))
        seen.held([f"/{root.name}"])
        _walk_xml(root, "", seen)
    else:
        _walk_json(_json(content), _ROOT, seen)
    return seen


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise InvalidInput("it is not JSON") from None


def _walk_json(value: Any, path: str, seen: _Seen) -> None:
    if not seen.met(path, _type_of(value)):
        return
    if isinstance(value, Mapping):
        inner = [(f"{path}.{key}", value[key]) for key in value]
    elif isinstance(value, list):
        inner = [(f"{path}[]", one) for one in value]
    else:
        return
    seen.held(at for at, _ in inner)
    for at, one in inner:
        _walk_json(one, at, seen)


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "flag"
    names: tuple[tuple[type, str], ...] = (
        (str, "text"),
        (int, "number"),
        (float, "number"),
        (list, "list"),
        (dict, "object"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "null")


def _walk_xml(node: Node, above: str, seen: _Seen) -> None:
    path = f"{above}/{node.name}"
    if not seen.met(path, "-"):
        return
    attributes = [f"{path}@{name}" for name in node.attributes]
    elements = [part for part in node.content if isinstance(part, Node)]
    seen.held([*attributes, *(f"{path}/{one.name}" for one in elements)])
    for at in attributes:
        seen.met(at, "-")
    for one in elements:
        _walk_xml(one, path, seen)


def _changed(seen: _Seen) -> Iterator[Difference]:
    for path, known in seen.shape.fields.items():
        other = seen.types[path] - known.types
        if other and ANY not in known.types:
            yield Difference(
                path=_shown(path),
                says=f"is {' or '.join(sorted(other))}, was {' or '.join(sorted(known.types))}",
                breaks=known.presence == NEEDED,
            )


def _missing(seen: _Seen) -> Iterator[Difference]:
    """What more than half are without breaks; one entry that is without is no change of shape."""
    for known in seen.shape.fields.values():
        parents = _parents_of(known, seen)
        without = parents - seen.parents[known.path]
        if parents and without > 0 and known.presence in {NEEDED, ALWAYS}:
            yield Difference(
                path=_shown(known.path),
                says="is missing" if parents == without else f"is missing in {without}/{parents}",
                breaks=known.presence == NEEDED and without * 2 > parents,
            )


def _parents_of(known: Field, seen: _Seen) -> int:
    if known.path == _ROOT:
        return 0  # there is always one, and its type is looked at
    above = parent_of(known.path)
    return seen.times[above] if above else 1


def parent_of(path: str) -> str:
    """The path of what holds the field; empty for the outermost element."""
    if path.endswith("[]"):
        return path.removesuffix("[]")
    marks = "@/" if path.startswith("/") else "."
    return path[: max(map(path.rfind, marks))]


def _new(seen: _Seen) -> Iterator[Difference]:
    for path in list(seen.new)[:MOST_NEW]:
        yield Difference(path=_shown(path), says="is new")
    if len(seen.new) > MOST_NEW:
        yield Difference(path="more fields", says="are new")


def _shown(path: str) -> str:
    """`$[].paper.authors[].name` as `paper.authors.name`: what a person looks for."""
    plain = path.removeprefix(_ROOT).replace("[]", "").lstrip("./") or "the whole"
    return clean(plain, limit=_LONGEST)
