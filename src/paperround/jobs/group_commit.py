"""Group commit: whoever waits to write at the same time shares a transaction, and its sync.

    asked ─► waiting ─► a thread takes all who wait ─► each in a part of its own ─► one commit
                                                                    each hears ◄──────┘

Whoever is refused loses their own part and hears why, and nobody else hears of it. Where one fails
in a way that is no answer (a lost race, a database that fails, a fault of ours) all of it is
undone, and each is done by itself: so it comes to whom it belongs. Nobody hears anything before
what they asked for is on the disk.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Any, Generic, TypeVar

from paperround.domain.errors import Conflict, DatabaseFailed, PaperroundError
from paperround.jobs.ports import Database, Joining, UnitOfWork
from paperround.jobs.transactions import write

T = TypeVar("T")

log = logging.getLogger(__name__)

MOST = 64
"""Those who share a transaction at most: others wait for the writer's lock meanwhile."""

IDLE_SECONDS = 0.05
"""How long the thread waits for somebody before it ends; the next one starts another."""

Do = Callable[[UnitOfWork], T]
Waiter = Future[Any] | asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Asked(Generic[T]):
    """What somebody waits for; `loop` is where, None for a thread."""

    do: Do[T]
    waiter: Waiter
    loop: asyncio.AbstractEventLoop | None


@dataclass(frozen=True, slots=True)
class _Outcome:
    result: Any = None
    error: BaseException | None = None


class _Spoilt(Exception):
    """One of many failed in a way that is no answer."""


class GroupCommit:
    """Writes to `database` for many at once. `then` is called after each commit.

    Safe to share between threads and event loops. What they ask for runs in a thread of its own, so
    it reads no context; and again when it lost a race, as with `write`.
    """

    def __init__(self, database: Database, *, then: Callable[[], None]) -> None:
        self._database = database
        self._joining = database if isinstance(database, Joining) else None
        self._then = then
        self._waiting = deque[_Asked[Any]]()
        self._changed = Condition()
        self._runs = False

    def write(self, do: Do[T]) -> T:
        """What `do` returns, once it is committed; raises what it or the database does."""
        if self._is_joined():
            return self._by_itself(do)
        waiter = Future[T]()
        self._put(_Asked(do, waiter, None))
        return waiter.result()

    async def written(self, do: Do[T]) -> T:
        """The same without holding up the event loop."""
        if self._is_joined():  # its loop serves nobody else
            return self._by_itself(do)
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()
        self._put(_Asked(do, waiter, loop))
        return await waiter

    def _is_joined(self) -> bool:
        """Whether this context has a transaction already, which others cannot share."""
        return self._joining is not None and self._joining.is_joined

    def _by_itself(self, do: Do[T]) -> T:
        result = write(self._database, do)
        self._then()
        return result

    def _put(self, asked: _Asked[Any]) -> None:
        with self._changed:
            self._waiting.append(asked)
            if self._runs:
                self._changed.notify()
                return
            self._runs = True
        try:
            Thread(target=self._run, name="paperround-group-commit", daemon=True).start()
        except RuntimeError as error:  # the system has no more of them
            self._refuse(error)

    def _refuse(self, error: RuntimeError) -> None:
        """Tell all who wait that nobody serves them; whoever comes next tries it anew."""
        with self._changed:
            self._runs = False
            batch = list(self._waiting)
            self._waiting.clear()
        _tell(batch, [_Outcome(error=error) for _ in batch])

    # --- the thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        for batch in iter(self._batch, []):
            _serve(self._database, batch, self._then)

    def _batch(self) -> list[_Asked[Any]]:
        """Those who wait, once there are any; none when nobody came for a while."""
        with self._changed:
            if not self._waiting:
                self._changed.wait(IDLE_SECONDS)
            self._runs = bool(self._waiting)
            return [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]


def _serve(database: Database, batch: Sequence[_Asked[Any]], then: Callable[[], None]) -> None:
    """Do it for all of them, and tell them."""
    try:
        outcomes = _outcomes(database, batch)
        if any(one.error is None for one in outcomes):
            then()
    except BaseException as error:
        outcomes = [_Outcome(error=error) for _ in batch]
        log.exception("group commit failed")
    _tell(batch, outcomes)


def _outcomes(database: Database, batch: Sequence[_Asked[Any]]) -> list[_Outcome]:
    if len(batch) == 1:
        return [_alone(database, batch[0])]
    try:
        return _together(database, batch)
    except (Conflict, _Spoilt):
        return [_alone(database, one) for one in batch]
    except PaperroundError as error:  # nothing could be begun, or committed
        return [_Outcome(error=error) for _ in batch]


def _together(database: Database, batch: Sequence[_Asked[Any]]) -> list[_Outcome]:
    with database.writing() as work:
        return [_part(work, one) for one in batch]


def _part(work: UnitOfWork, asked: _Asked[Any]) -> _Outcome:
    try:
        with work.part(keep=True):
            return _Outcome(asked.do(work))
    except (Conflict, DatabaseFailed) as error:
        raise _Spoilt from error
    except PaperroundError as error:
        return _Outcome(error=error)
    except Exception as error:
        raise _Spoilt from error


def _alone(database: Database, asked: _Asked[Any]) -> _Outcome:
    try:
        return _Outcome(write(database, asked.do))
    except Exception as error:  # it belongs to whoever asked
        return _Outcome(error=error)


def _tell(batch: Sequence[_Asked[Any]], outcomes: Sequence[_Outcome]) -> None:
    """Each hears how theirs ended; an event loop is called once for all who wait in it."""
    loops = defaultdict[asyncio.AbstractEventLoop, list[tuple[Waiter, _Outcome]]](list)
    for asked, outcome in zip(batch, outcomes, strict=True):
        if asked.loop is None:
            _settle([(asked.waiter, outcome)])
        else:
            loops[asked.loop].append((asked.waiter, outcome))
    for loop, told in loops.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, told)


def _settle(told: Sequence[tuple[Waiter, _Outcome]]) -> None:
    for waiter, outcome in told:
        if waiter.done():  # whoever waited has gone
            continue
        if outcome.error is None:
            waiter.set_result(outcome.result)
        else:
            waiter.set_exception(outcome.error)
