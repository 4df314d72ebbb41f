"""Protocols that packages of every layer need: the present, processes and HTTP."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from paperround.domain.deliveries import Worker
from paperround.domain.feeds import FetchRequest, Page


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


class HttpClient(Protocol):
    """Requests one page, within limits."""

    def get(self, request: FetchRequest) -> Page:
        """The answer; raises FetchFailed or FetchRefused."""
        ...


Advance = Callable[[int], None]
"""Called with how much more is done."""


def no_progress(_: int) -> None:
    """Nobody wants to know."""
