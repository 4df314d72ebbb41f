"""Protocols that every layer uses: clock, processes and progress."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """The process that holds a claim: enough to tell on the same host whether it is alive."""

    host: str
    pid: int
    started: str


class Clock(Protocol):
    """The only source of the current time."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        ...


class Processes(Protocol):
    """Identifies this process, and tells whether another one is dead."""

    def current(self) -> Worker:
        """Return this process."""
        ...

    def is_dead(self, worker: Worker) -> bool:
        """Return True only when `worker` ran on this host and has certainly ended."""
        ...


Advance = Callable[[int], None]
"""A progress callback: called with the number of items done since the last call."""


def no_progress(_: int) -> None:
    """Ignore progress."""
