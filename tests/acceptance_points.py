"""The acceptance points of acceptance.toml, and the marks by which tests say what they show."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

CACHE_KEY = "paperround/acceptance"
"""Where pytest's cache holds the last outcome of each marked test, by its node id."""

_POINTS = Path(__file__).with_name("acceptance.toml")


@dataclass(frozen=True, slots=True)
class Point:
    """One thing Paperround must be able to do; weight 3 is a blocker, 1 is nice to have.

    `parts` are those that together are all of it; empty while some of it does not exist yet.
    """

    id: str
    weight: int
    says: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """What a test says it shows: a point, or only a part of it. `mutant` names the deliberate break
    that turns the test red."""

    id: str
    part: str | None = None
    mutant: str | None = None


def points() -> dict[str, Point]:
    """Every acceptance point by its id, in the file's order."""
    table = tomllib.loads(_POINTS.read_text(encoding="utf-8"))
    return {
        key: Point(key, row["weight"], row["says"], tuple(row.get("parts", ())))
        for key, row in table.items()
    }


def marks(item: pytest.Item) -> Iterator[Mark]:
    """The item's `accept` marks; raises ValueError for one that says nothing."""
    for mark in item.iter_markers("accept"):
        if len(mark.args) != 1 or set(mark.kwargs) - {"part", "mutant"}:
            raise ValueError('write accept("F07", mutant="a-name") or accept("F12", part="mail")')
        yield Mark(str(mark.args[0]), **mark.kwargs)
