"""Protocols that packages of every layer need: the present, processes and HTTP."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Who holds a claim: enough to tell, on the same host, whether they still live."""

    host: str
    pid: int
    started: str


class Clock(Protocol):
    """The only source of the present."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class Processes(Protocol):
    """Identifies this process, and tells whether another one still lives."""

    def current(self) -> Worker:
        """This process."""
        ...

    def is_dead(self, worker: Worker) -> bool:
        """True only when `worker` ran on this host and is certainly gone."""
        ...


Advance = Callable[[int], None]
"""Called with how much more is done."""


def no_progress(_: int) -> None:
    """Nobody wants to know."""
