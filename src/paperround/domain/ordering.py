"""Comparing versions, days and instants of which one may not be known."""

from datetime import date, datetime
from typing import TypeVar

T = TypeVar("T", int, datetime, date)


def order(one: T | None, other: T | None) -> int:
    """1 when the first is later, -1 when it is earlier; 0 when neither, or nobody can tell."""
    if one is None or other is None or one == other:
        return 0
    return 1 if one > other else -1


def earliest(one: T | None, other: T | None) -> T | None:
    """The earlier of those that are known, None when neither is."""
    return min((value for value in (one, other) if value is not None), default=None)


def latest(one: T | None, other: T | None) -> T | None:
    """The later of those that are known, None when neither is."""
    return max((value for value in (one, other) if value is not None), default=None)
