"""One connection for many transactions that follow one another.

To take a connection out of the pool and give it back costs as much as a short transaction does; on
PostgreSQL it is asked first whether it still works, which is a round trip more. One that worked a
moment ago and has heard nothing since, not even a goodbye, is not asked.
"""

import select
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import Connection

if TYPE_CHECKING:  # it imports this module
    from paperround.store.unit_of_work import SqlDatabase, UnitOfWork

A_MOMENT = 1.0
"""Seconds. A connection that was idle for longer goes back to the pool, which asks it."""


class KeptDatabase:
    """`database`, whose writing transactions share a connection until one of them fails.

    Safe to share between threads: while the connection is in use, others take one of their own.
    """

    def __init__(self, database: "SqlDatabase", monotonic: Callable[[], float]) -> None:
        self._database = database
        self._monotonic = monotonic
        self._lock = Lock()
        self._kept: tuple[Connection, float] | None = None

    def reading(self) -> "AbstractContextManager[UnitOfWork]":
        """As the database itself does."""
        return self._database.reading()

    @contextmanager
    def writing(self) -> "Iterator[UnitOfWork]":
        """As the database itself does."""
        connection = self._taken() or self._database.connect()
        with self._database.transaction(connection) as work:
            yield work
        self._keep(connection)

    def let_go(self) -> None:
        """Give the connection back to the pool."""
        kept = self._swapped(None)
        if kept is not None:
            kept[0].close()

    def _taken(self) -> Connection | None:
        kept = self._swapped(None)
        if kept is None:
            return None
        connection, worked_at = kept
        if self._monotonic() - worked_at <= A_MOMENT and _is_quiet(connection):
            return connection
        connection.close()
        return None

    def _keep(self, connection: Connection) -> None:
        others = self._swapped((connection, self._monotonic()))
        if others is not None:  # of another thread, which came back first
            others[0].close()

    def _swapped(self, kept: tuple[Connection, float] | None) -> tuple[Connection, float] | None:
        """What was kept; from now on this is."""
        with self._lock:
            before, self._kept = self._kept, kept
            return before


def _is_quiet(connection: Connection) -> bool:
    """Whether the server has said nothing unasked: it does when it ends a connection. A look at the
    socket, if there is one, and no round trip."""
    fileno = getattr(connection.connection.driver_connection, "fileno", None)
    if fileno is None:
        return True
    looking = select.poll()
    looking.register(fileno(), select.POLLIN)
    return not looking.poll(0)
