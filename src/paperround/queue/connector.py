"""Procrastinate on the connections that everything else uses: one pool a process.

The library is asynchronous inside and brings a pool of its own; everything here is synchronous and
has one already. So its statements run on connections of that pool, in threads of ours while its
loop waits. Only listening has a connection of its own, as it has to have.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Any, TypeVar

import psycopg
from procrastinate.connector import Notify
from procrastinate.exceptions import ConnectorException
from procrastinate.sync_psycopg_connector import SyncPsycopgConnector
from psycopg import sql

from paperround.domain.errors import DatabaseFailed

T = TypeVar("T")

_log = logging.getLogger(__name__)

Connections = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]
"""Opens a transaction, which is committed on a clean exit."""

LISTEN_SECONDS = 30.0
"""How long a connection that listens may be silent before it is asked whether it still lives."""

TOLD_AFTER = 100
"""Tries to listen, of all lines together and in a row, after which the log says that they fail:
some ten seconds."""

TRIES, PAUSE = 3, 0.5
"""A statement whose connection was lost is tried again on another one: a server that was started
anew closed all of them."""


async def in_thread(do: Callable[[], T]) -> T:
    """What `do` returns or raises, run in a thread of its own that no end of a process waits for:
    what hangs must not keep it alive. Whoever is cancelled meanwhile hears of it when it has ended:
    what has begun is finished."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def work() -> None:
        try:
            result = do()
        except BaseException as error:  # raised again where it is awaited
            _tell(loop, partial(_fail, future, error))
        else:
            _tell(loop, partial(_give, future, result))

    threading.Thread(target=work, name="paperround-job", daemon=True).start()
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        future.exception()  # looked at, so that nobody complains that it was not
        raise


def _tell(loop: asyncio.AbstractEventLoop, say: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(say)


def _give(future: "asyncio.Future[T]", result: T) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: "asyncio.Future[Any]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


class BorrowedPool:
    """The pool as the library wants to see one."""

    def __init__(self, connections: Connections) -> None:
        self.connection = connections


class EngineConnector(SyncPsycopgConnector):
    """Runs the library's statements on borrowed connections; `listening` says how the driver opens
    one of its own, by keyword."""

    def __init__(
        self,
        connections: Connections,
        listening: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self._listening = listening
        self._deaf = 0
        self.open(BorrowedPool(connections))  # type: ignore[arg-type]  # all it uses of a pool

    async def open_async(self, pool: Any | None = None) -> None:
        """Nothing to open: the pool is somebody else's."""

    async def close_async(self) -> None:
        """Nothing to close."""

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        """Run a statement that returns nothing."""
        await _tried(partial(self.execute_query, query, **arguments))

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        """Run a statement that returns one row."""
        return await _tried(partial(self.execute_query_one, query, **arguments))

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        """Run a statement that returns rows."""
        return await _tried(partial(self.execute_query_all, query, **arguments))

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Pass on what is said on `channels` until cancelled, over another connection when one is
        lost. What was said meanwhile is found by looking, which a worker does all the time."""
        while True:
            try:
                await self._listen(on_notification, channels)
            except psycopg.OperationalError as error:
                self._note_deaf(error)
                await asyncio.sleep(PAUSE)

    def _note_deaf(self, error: psycopg.OperationalError) -> None:
        """Say it once it lasts: of a server that is started anew the workers tell themselves."""
        self._deaf += 1
        if self._deaf == TOLD_AFTER:
            reason = str(error).strip().partition("\n")[0]
            _log.warning("nothing wakes this worker, it looks by itself: %s", reason)

    async def _listen(self, on_notification: Notify, channels: Iterable[str]) -> None:
        opening = psycopg.AsyncConnection.connect(**self._listening, autocommit=True)
        async with await opening as connection:
            for channel in channels:
                await connection.execute(
                    sql.SQL("LISTEN {}").format(sql.Identifier(channel))  # a name, no value
                )
            self._deaf = 0
            while True:
                async for heard in connection.notifies(timeout=LISTEN_SECONDS):
                    await on_notification(channel=heard.channel, payload=heard.payload)
                await connection.execute("SELECT 1")


async def _tried(do: Callable[[], T]) -> T:
    for _ in range(TRIES - 1):
        try:
            return await in_thread(do)
        except (ConnectorException, DatabaseFailed) as error:
            if not _is_lost(error):
                raise
            await asyncio.sleep(PAUSE)
    return await in_thread(do)


def _is_lost(error: Exception) -> bool:
    """Whether another connection may do better."""
    return isinstance(error, DatabaseFailed) or isinstance(
        error.__cause__, psycopg.OperationalError
    )
