"""A database that is away for a while, or whose answer to a commit is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from paperround.core.errors import DatabaseFailed
from paperround.db.transactions import SqlDatabase, Transaction


@dataclass
class Distant:
    """A database behind a line that is cut while it is `away`. Of the commit numbered `loses_at`,
    from now on, the answer is lost."""

    database: SqlDatabase
    away: bool = False
    loses_at: int = 0

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        self._reach()
        with self.database.reading() as work:
            yield work

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        self._reach()
        with self.database.writing() as work:
            yield work
        self.loses_at -= 1
        if self.loses_at == 0:
            raise DatabaseFailed("the line broke at the commit")

    def _reach(self) -> None:
        if self.away:
            raise DatabaseFailed("nobody is there")
