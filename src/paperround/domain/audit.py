"""The audit: what somebody did to an installation, when, and with which key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

COMMAND_LINE = "command line"
"""The actor of whatever is done on the machine itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something done. `target` names a list or an edition, never a person; `details` are numbers
    and words that go with it."""

    actor: str
    action: str
    target: str
    details: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """A deed as it was written down."""

    id: int
    at: datetime
    deed: Deed


def by_key(prefix: str) -> str:
    """The actor who showed the key with this prefix."""
    return f"key {prefix}"
