"""A scheduler that sleeps."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from paperround.db.transactions import Database, Transaction


@dataclass
class Sleeper:
    """A scheduler's database; before its n-th write the scheduler sleeps, and the world goes on."""

    database: Database
    write: int
    meanwhile: Callable[[], object]

    def reading(self) -> AbstractContextManager[Transaction]:
        return self.database.reading()

    def writing(self) -> AbstractContextManager[Transaction]:
        self.write -= 1
        if self.write == 0:
            self.meanwhile()
        return self.database.writing()
