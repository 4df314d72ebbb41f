"""Transactions that may lose a race and are then simply done again."""

from collections.abc import Callable
from typing import TypeVar

from paperround.domain.errors import Conflict
from paperround.jobs.ports import Database, UnitOfWork

T = TypeVar("T")

TRIES = 5


def write(database: Database, do: Callable[[UnitOfWork], T]) -> T:
    """Run `do` in a writing transaction and return what it returns.

    When another transaction wins a race, everything is undone and `do` runs again, so it must
    read what it decides by. Raises Conflict when it lost `TRIES` times.
    """
    for attempt in range(1, TRIES + 1):
        try:
            with database.writing() as work:
                return do(work)
        except Conflict:
            if attempt == TRIES:
                raise
    raise AssertionError("the last try returns or raises")
