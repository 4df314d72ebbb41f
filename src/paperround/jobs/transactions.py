"""Transactions that may lose a race and are then simply done again."""

from collections.abc import Callable
from random import uniform
from threading import Event
from typing import TypeVar

from paperround.domain.errors import Conflict
from paperround.jobs.ports import Database, UnitOfWork

T = TypeVar("T")

TRIES = 10

FIRST_WAIT = 0.01
LONGEST_WAIT = 1.0
"""Seconds."""


def rest(seconds: float) -> None:
    """Let the thread rest for that long."""
    Event().wait(seconds)


def write(database: Database, do: Callable[[UnitOfWork], T]) -> T:
    """Run `do` in a writing transaction and return what it returns.

    When another transaction wins a race, everything is undone and `do` runs again, so it must
    read what it decides by. Raises Conflict when it lost `TRIES` times.
    """

    def transaction() -> T:
        with database.writing() as work:
            return do(work)

    return tried(transaction)


def tried(do: Callable[[], T], *, pause: Callable[[float], None] = rest) -> T:
    """Run `do`, again while it raises Conflict, and return what it returns.

    Before each try it waits longer, up to a second, and by chance, so that those who met do not
    meet again. Raises Conflict when it lost `TRIES` times.
    """
    for lost in range(1, TRIES + 1):
        try:
            return do()
        except Conflict:
            if lost == TRIES:
                raise
            pause(wait_after(lost))
    raise AssertionError("the last try returns or raises")


def wait_after(lost: int) -> float:
    """Seconds to wait after so many lost races: from half of what doubles up to all of it."""
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (lost - 1))
    return uniform(longest / 2, longest)  # noqa: S311 - only apart from others, nothing secret
