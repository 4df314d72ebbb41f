"""Transactions that may lose a race and are then simply done again."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from random import uniform
from threading import Event
from typing import TypeVar

from paperround.domain.errors import Conflict, DatabaseFailed
from paperround.store.unit_of_work import Database, UnitOfWork

T = TypeVar("T")

log = logging.getLogger(__name__)

TRIES = 10

FIRST_WAIT = 0.01
LONGEST_WAIT = 1.0
"""Seconds."""

PATIENCE = (0.1, 0.4, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before each further try of what must be written: half a minute in all, in which a server
is started anew, or another one takes over."""


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


@dataclass(slots=True)
class Patience:
    """Tries what must not be forgotten again, while the database is away for a moment.

    `wait` waits for so many seconds and says whether to stop: then there is one last try. The
    waits of PATIENCE are had once: a database that stays away is not waited for again.
    """

    wait: Callable[[float], bool]
    _waits: list[float] = field(default_factory=lambda: list(PATIENCE))

    def tried(self, do: Callable[[], T]) -> T:
        """Do it, again while it raises DatabaseFailed, and return what it returns. The answer to a
        commit may have been lost, so `do` may come to count although it is done again: it must be
        the same twice. Raises DatabaseFailed in the end."""
        while self._waits:
            try:
                return do()
            except DatabaseFailed as error:
                seconds = self._waits.pop(0)
                log.warning("%s; trying again in %.1f s", error, seconds)
                if self.wait(seconds):
                    self._waits.clear()
        return do()
