"""What the services' answers looked like when their sources were written, to tell what changed.

Each `*.txt` beside this module is a shape: a few lines `key: value`, an empty line, then one line a
field: its path, the types it may have, and how often it is there. Adding a shape is adding a file.

    kind: hf-daily                the source it belongs to
    when: via=api                 with these settings (several: one line each); none means all
    default: yes                  also when those settings are not given
    form: json                    or xml
    ask: categories=cs.CL         a setting for a look at the service without a feed

A service that answers in both forms has a file for each, with the same settings.

    $[].paper.title  text         needed

- A path begins with `$` in JSON, `[]` stands for the elements of a list; in XML it is the names of
  the elements, `@` before an attribute.
- Types are `object list text number flag null`, several joined by `|`; what is `any` is not looked
  into. In XML they are `-`.
- `needed`: there is no paper without it. `always`: no answer was without it. `some`: it comes and
  goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

NEEDED, ALWAYS, SOME = "needed", "always", "some"
TYPES = frozenset("object list text number flag null any -".split())
ANY = "any"
_BEFORE_XML = b"\xef\xbb\xbf \t\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an answer: where, of which types, and how often."""

    path: str
    types: frozenset[str]
    presence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The fields of a service's answers. `ask` are settings for a small request of its own."""

    name: str
    kind: str
    form: str
    when: Mapping[str, str]
    is_default: bool
    ask: Mapping[str, str]
    fields: Mapping[str, Field]

    def fits(self, settings: Mapping[str, str]) -> bool:
        """Whether a feed with these settings gets such answers."""
        given = {name: settings.get(name, "").strip() for name in self.when}
        return given == self.when or (self.is_default and not any(given.values()))


@cache
def shapes() -> tuple[Shape, ...]:
    """Every shape, by name."""
    files = [one for one in resources.files(__package__).iterdir() if one.name.endswith(".txt")]
    return tuple(
        read_shape(one.name.removesuffix(".txt"), one.read_text("utf-8"))
        for one in sorted(files, key=lambda one: one.name)
    )


def shape_of(kind: str, settings: Mapping[str, str], answer: bytes = b"") -> Shape | None:
    """What a feed's answers look like; None where that is not known, as of a `feed`.

    Of a service that answers in both forms (a search in JSON, then articles in XML) it is that of
    the form that `answer` has.
    """
    form = "xml" if answer.lstrip(_BEFORE_XML).startswith(b"<") else "json"
    fitting = [one for one in shapes() if one.kind == kind and one.fits(settings)]
    return next((one for one in fitting if one.form == form), next(iter(fitting), None))


def read_shape(name: str, text: str) -> Shape:
    """The shape that a file describes; raises ValueError that names a line it cannot read."""
    head, _, body = text.partition("\n\n")
    said: dict[str, Any] = {"kind": "", "form": "", "default": "", "when": {}, "ask": {}}
    for line in filter(None, map(_meant, head.splitlines())):
        key, _, value = (part.strip() for part in line.partition(":"))
        if isinstance(said.get(key), dict):
            setting, _, value = value.partition("=")
            said[key][setting] = value
        else:
            said[key] = value
    fields = [_field(line) for line in map(_meant, body.splitlines()) if line]
    return Shape(
        name=name,
        kind=said["kind"],
        form=said["form"],
        when=said["when"],
        is_default=said["default"] == "yes",
        ask=said["ask"],
        fields=MappingProxyType({field.path: field for field in fields}),
    )


def _meant(line: str) -> str:
    """A line without its remark."""
    return line.partition("#")[0].strip()


def _field(line: str) -> Field:
    path, types, presence = line.split()
    field = Field(path=path, types=frozenset(types.split("|")), presence=presence)
    if not field.types <= TYPES or presence not in {NEEDED, ALWAYS, SOME}:
        raise ValueError(f"not a field of a shape: {line!r}")
    return field
