"""Requests that may come twice: what was asked under a key, and what was answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request under a key of its sender: `key` is a hash that only this sender's key gives,
    `prints` are hashes of what was asked, of which the first is written down and each may match."""

    key: str
    prints: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered. `headers` are those that go with the body."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The request that came first under a key; its answer is None while it is worked on, and for
    good when the process that worked on it died."""

    print: str
    taken_at: datetime
    answer: Answer | None
