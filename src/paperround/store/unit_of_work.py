"""The unit of work: every store of one transaction, committed on a clean exit."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from paperround.domain.errors import Conflict, DatabaseFailed
from paperround.store import engine as engines
from paperround.store.dialect import is_busy, is_lost_race
from paperround.store.editions import SqlEditions
from paperround.store.feeds import SqlFeeds
from paperround.store.ledger import SqlLedger
from paperround.store.lists import SqlLists
from paperround.store.papers import SqlPapers
from paperround.store.subscribers import SqlSubscribers

BEGIN_TRIES = 5
"""Each one waits for SQLite's lock as long as the engine's busy timeout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlUnitOfWork:
    """The stores of one transaction. None of them commits."""

    feeds: SqlFeeds
    papers: SqlPapers
    lists: SqlLists
    editions: SqlEditions
    subscribers: SqlSubscribers
    ledger: SqlLedger


def stores_on(connection: Connection) -> SqlUnitOfWork:
    """Every store, on the transaction that `connection` is in."""
    return SqlUnitOfWork(
        feeds=SqlFeeds(connection),
        papers=SqlPapers(connection),
        lists=SqlLists(connection),
        editions=SqlEditions(connection),
        subscribers=SqlSubscribers(connection),
        ledger=SqlLedger(connection),
    )


class SqlDatabase:
    """Opens units of work on one engine. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = engines.reader(engine)
        self._writer = engines.writer(engine)

    @contextmanager
    def reading(self) -> Iterator[SqlUnitOfWork]:
        """One consistent snapshot; nothing done in it is kept.

        Raises DatabaseFailed when the database is down.
        """
        with _failures_named(), self._reader.connect() as connection:
            yield stores_on(connection)

    @contextmanager
    def writing(self) -> Iterator[SqlUnitOfWork]:
        """One transaction: commits on a clean exit, rolls back on an exception.

        Raises Conflict when PostgreSQL ended it in favour of another one, and DatabaseFailed when
        the database is down, full or locked: nothing of it is kept then.
        """
        with _failures_named(), self._writer.connect() as connection:
            _begin(connection)
            yield stores_on(connection)
            connection.commit()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


@contextmanager
def _failures_named() -> Iterator[None]:
    """The database's own troubles as errors of ours; what is our own mistake passes as it is."""
    try:
        yield
    except DBAPIError as error:
        if is_lost_race(error):
            raise Conflict("another transaction changed the same rows: try again") from error
        if isinstance(error, OperationalError):
            reason = str(error.orig).strip().partition("\n")[0]
            raise DatabaseFailed(f"the database failed: {reason}") from error
        raise


def _begin(connection: Connection) -> None:
    for tries_left in reversed(range(BEGIN_TRIES)):
        try:
            connection.begin()
        except OperationalError as error:
            if not (is_busy(error) and tries_left):
                raise
        else:
            return
