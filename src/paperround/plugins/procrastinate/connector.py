"""Procrastinate's connector, which waits for a database that is down.

A worker opens a connection for each statement, so a restart of the server leaves no broken ones
behind. A statement that fails is retried until it succeeds or the worker is to stop, so no outage
ends a worker.
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
"""Connections that a worker may have open at once, beside the one that it listens on."""

PAUSE_SECONDS = 0.5
"""The delay before a failed statement is retried."""

FINAL = (psycopg.IntegrityError, psycopg.errors.RaiseException)
"""Errors that a retry does not fix: a lock is taken, or another worker has the job."""

_log = logging.getLogger(__name__)


class WorkerPool(AsyncNullConnectionPool):
    """Opens a connection for each statement, and can be opened while the database is down."""

    async def wait(self, timeout: float = 30.0) -> None:
        """Do not wait for a first connection."""


class WorkerConnector(PsycopgConnector):
    """Runs the statements of a worker. The driver opens connections with `arguments`. Once
    `stopping` is set, a statement that fails is cancelled."""

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
        """Pass on notifications on `channels` until cancelled, reconnecting when the connection is
        lost. The worker's polling finds the jobs of notifications missed meanwhile."""
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
                raise asyncio.CancelledError  # nothing waits for it any more
            await asyncio.sleep(PAUSE_SECONDS)

    def _note(self, error: BaseException | None) -> None:
        """Log when the database goes down, and when it is back."""
        if error is not None and not self.is_away:
            reason = str(error).strip().partition("\n")[0]
            _log.warning("the queue cannot use its database: %s", reason)
        elif error is None and self.is_away:
            _log.info("the queue can use its database again")
        self.is_away = error is not None
