"""The workers of one process: one for each line it serves, all on one loop in a thread of its own.

    start ─► a worker for each line ─► (it ended by itself: the database was away) ─► anew
               └─► every ten seconds: jobs of dead workers back into their lines
    stop  ─► nothing new is taken ─► what runs ends ─► the thread ends

A worker that was stopped for so long that others took it for dead finds that its name is gone from
the book: it ends, and a new one begins under a new name.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from procrastinate import App
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker

from paperround.domain.errors import PaperroundError
from paperround.domain.work import Line
from paperround.queue.book import BEAT_SECONDS, STALLED_SECONDS
from paperround.queue.connector import in_thread

POLL_SECONDS = 2.0
"""How long a job may wait whose call was not heard: one that somebody held on to until their
commit, one whose time has come."""

REST_SECONDS = 2.0
"""How long a line rests before its worker begins anew."""

LOGS = ("procrastinate.worker", "procrastinate.utils")
"""Under which the library logs what befalls its workers. Each adds the name of its line to the
first."""

BEGIN_SECONDS = 0.05
"""How often it is looked whether a worker has begun."""

TELLING_SECONDS = 5.0
"""How long whoever stops the lines waits at most until all of them know, and take nothing new."""

_log = logging.getLogger(__name__)


class Crew:
    """Serves lines until it is stopped. `width` says how many jobs of each run at once."""

    def __init__(self, app: App, width: Mapping[Line, int], look_after: Callable[[], None]) -> None:
        self._app = app
        self._width = width
        self._look_after = look_after
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = threading.Event()
        self._asked: asyncio.Event | None = None
        self._begun, self._told = threading.Event(), threading.Event()
        self._down: set[Line] = set()
        self._workers: dict[Line, Worker] = {}
        for name in (*LOGS, *(f"{LOGS[0]}.{line}" for line in width)):
            logging.getLogger(name).addFilter(_in_one_line)
        self._thread = threading.Thread(target=self._work, name="paperround-queue", daemon=True)

    def start(self) -> None:
        """Begin; returns when the loop runs."""
        self._thread.start()
        self._begun.wait()

    def stop(self, *, drain_seconds: float) -> bool:
        """Take nothing new; True when all that ran has ended in time."""
        if not self._stop.is_set():
            self._stop.set()
            with suppress(RuntimeError):  # the loop has ended by itself
                if self._loop is not None and self._asked is not None:
                    self._loop.call_soon_threadsafe(self._asked.set)
                    self._told.wait(TELLING_SECONDS)
        self._thread.join(drain_seconds)
        return not self._thread.is_alive()

    @property
    def down(self) -> frozenset[Line]:
        """The lines whose worker has ended and has not begun anew."""
        return frozenset(self._down)

    def names(self) -> list[int]:
        """What the workers of this process are called in the book."""
        named = [worker.worker_id for worker in list(self._workers.values())]
        return [name for name in named if name is not None]

    def _work(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._asked = asyncio.get_running_loop(), asyncio.Event()
        self._begun.set()
        lines = [
            asyncio.create_task(self._serve_line(line, wide)) for line, wide in self._width.items()
        ]
        keeper = asyncio.create_task(self._keep_looking())
        await self._asked.wait()
        for task in [*lines, keeper]:
            task.cancel()  # a worker that is cancelled finishes what it has in hand
        await asyncio.sleep(BEGIN_SECONDS)  # until each of them has heard of it
        self._told.set()
        await asyncio.gather(*lines, keeper, return_exceptions=True)

    async def _serve_line(self, line: Line, wide: int) -> None:
        """A worker after another. Whatever ended one, the line must not stay without."""
        while not self._stop.is_set():
            error = await _outcome(self._run_worker(line, wide))
            self._note_down(line, error)
            await asyncio.sleep(REST_SECONDS)

    async def _run_worker(self, line: Line, wide: int) -> None:
        worker = Worker(
            self._app,
            queues=[line.value],
            name=line.value,
            concurrency=wide,
            install_signal_handlers=False,
            delete_jobs="always",  # what they did stands in the ledger
            fetch_job_polling_interval=POLL_SECONDS,
            update_heartbeat_interval=BEAT_SECONDS,
            stalled_worker_timeout=STALLED_SECONDS,
        )
        self._workers[line] = worker
        running = asyncio.create_task(worker.run())  # type: ignore[no-untyped-call]  # theirs is
        try:
            while worker.worker_id is None and not running.done():
                await asyncio.sleep(BEGIN_SECONDS)
            if not running.done():
                self._note_up(line)
            await asyncio.shield(running)
        except asyncio.CancelledError:
            running.cancel()
            await asyncio.wait([running])
            raise

    def _note_down(self, line: Line, error: Exception | None) -> None:
        """Say it of the first: what ends one worker mostly ends all of them, for as long."""
        level = logging.DEBUG if self._down else logging.WARNING
        reason = f": {_said(error)}" if error else ""
        _log.log(level, "the worker of %s ended and begins anew%s", line, reason)
        self._down.add(line)

    def _note_up(self, line: Line) -> None:
        was_down = bool(self._down)
        self._down.discard(line)
        if was_down and not self._down:
            _log.info("every queue is served again")

    async def _keep_looking(self) -> None:
        while True:
            error = await _outcome(in_thread(self._look_after))
            if error is not None:
                level = logging.DEBUG if self._down else logging.WARNING
                _log.log(level, "the queue cannot be looked after: %s", _said(error))
            await asyncio.sleep(BEAT_SECONDS)


async def _outcome(work: Awaitable[None]) -> Exception | None:
    """The error that `work` ended with, None when it ended well."""
    try:
        await work
    except Exception as error:  # told by whoever asked; the next try is theirs
        return error
    return None


def _said(error: Exception) -> str:
    """In one line: of an error of the library the driver's words, which are its cause."""
    told = error.__cause__ if isinstance(error, ConnectorException) else error
    return _first_line(str(told or error)) or type(error).__name__


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def _in_one_line(record: logging.LogRecord) -> bool:
    """A worker that lost its database says so; where in the library it did helps nobody. What
    nobody foresaw is told whole."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, ConnectorException | PaperroundError):
        record.msg, record.args = f"{_first_line(record.getMessage())}: {_said(error)}", ()
        record.exc_info = None
    return True
