"""Procrastinate's connector, which waits for a database that is away.

A worker reads and writes its jobs on connections of its own, each opened for one statement: a
server that was restarted has closed none that anybody still counts on. A statement that fails is
tried again until it succeeds or the worker is to stop, so no outage ends a worker.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from procrastinate import PsycopgConnector
from procrastinate.connector import Notify
from procrastinate.exceptions import ConnectorException
from psycopg_pool import AsyncNullConnectionPool

T = TypeVar("T")

CONNECTIONS = 4
"""How many a worker may have open at once, beside the one that it listens on."""

PAUSE_SECONDS = 0.5
"""How long a statement that failed waits before its next try."""

FINAL = (psycopg.IntegrityError, psycopg.errors.RaiseException)
"""What another try cannot help: a lock is taken, or somebody else has the job."""

_log = logging.getLogger(__name__)


class WorkerPool(AsyncNullConnectionPool):
    """Opens a connection for each statement, and may be opened while the database is away."""

    async def wait(self, timeout: float = 30.0) -> None:
        """Do not wait for a first connection."""


class WorkerConnector(PsycopgConnector):
    """Runs the statements of a worker. `arguments` say how the driver opens a connection, by
    keyword. Once `stopping` is set, a statement that fails is cancelled."""

    def __init__(self, arguments: Mapping[str, Any], stopping: threading.Event) -> None:
        super().__init__(pool_factory=WorkerPool, kwargs=dict(arguments), max_size=CONNECTIONS)
        self._stopping = stopping
        self.is_away = False
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        """Run a statement that returns nothing."""
        run = super().execute_query_async
        await self._patiently(lambda: run(query, **arguments))

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        """Run a statement that returns one row."""
        run = super().execute_query_one_async
        return await self._patiently(lambda: run(query, **arguments))

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        """Run a statement that returns rows."""
        run = super().execute_query_all_async
        return await self._patiently(lambda: run(query, **arguments))

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Pass on what is said on `channels` until cancelled, over another connection when one is
        lost. What was said meanwhile is found by looking, which a worker does all the time."""
        while True:
            with suppress(ConnectorException):
                await super().listen_notify(on_notification, channels)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _patiently(self, run: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                result = await run()
            except ConnectorException as error:
                if error.__cause__ is None or isinstance(error.__cause__, FINAL):
                    raise
                self._note(error.__cause__)
            else:
                self._note(None)
                return result
            if self._stopping.is_set():
                raise asyncio.CancelledError  # nobody waits for it any more
            await asyncio.sleep(PAUSE_SECONDS)

    def _note(self, error: BaseException | None) -> None:
        """Log when the database goes away, and when it is back."""
        if error is not None and not self.is_away:
            reason = str(error).strip().partition("\n")[0]
            _log.warning("the queue cannot use its database: %s", reason)
        elif error is None and self.is_away:
            _log.info("the queue can use its database again")
        self.is_away = error is not None
