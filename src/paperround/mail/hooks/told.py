"""JSON of strangers, read with care: what is missing, or is of another type, reads as nothing."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

LONGEST = 10_000
"""Characters of a text that are read."""
MOST = 1000
"""Items of a list that are read."""


@dataclass(frozen=True, slots=True)
class Told:
    """A JSON value and what stands in it."""

    value: object

    @property
    def is_object(self) -> bool:
        """Whether it has fields."""
        return isinstance(self.value, dict)

    def inner(self, name: str) -> "Told":
        """The value of a field."""
        return Told(self.value.get(name)) if isinstance(self.value, dict) else Told(None)

    def items(self) -> "list[Told]":
        """What a list holds, its first thousand; of anything else nothing."""
        return [Told(one) for one in self.value[:MOST]] if isinstance(self.value, list) else []

    def text(self, name: str) -> str:
        """A field's text, or its whole number as text, without half characters and NUL."""
        found = self.inner(name).value
        if isinstance(found, int) and not isinstance(found, bool):
            found = str(found)
        if not isinstance(found, str):
            return ""
        return found[:LONGEST].encode("utf-8", "replace").decode().replace("\0", " ").strip()

    def moment(self, name: str, *, now: datetime) -> datetime:
        """When a field says that it happened; `now` where it says nothing, or the future."""
        return min(moment_of(self.inner(name).value) or now, now)


def read(body: bytes) -> Told:
    """What a body holds; nothing when it is no JSON, or is nested deeper than Python follows."""
    try:
        return Told(json.loads(body.decode("utf-8-sig")))
    except (ValueError, RecursionError):
        return Told(None)


def moment_of(said: object) -> datetime | None:
    """An instant in ISO 8601 or in seconds since 1970; None for anything else."""
    try:
        if isinstance(said, str) and not said.isdecimal():
            found = datetime.fromisoformat(said)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(said, str | int | float) and not isinstance(said, bool):
            return datetime.fromtimestamp(float(said), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
