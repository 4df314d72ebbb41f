"""Group commit: whoever waits to write at the same time shares a transaction, and its sync.

    asked ─► waiting ─► a thread takes all who wait ─► one after the other ─► one commit
                                                              each hears ◄──────┘

Whoever is refused loses what they did and hears why, and nobody else hears of it: all of it is
undone and done again, each in a part of its own. So are those who come next, for as long as
somebody is refused; where nobody is, parts would cost and serve nothing. Where one fails in a way
that is no answer (a lost race, a database that fails, a fault of ours) all of it is undone, and
each is done by itself: so it comes to whom it belongs. Nobody hears anything before what they asked
for is on the disk.

What is `Shared` is done for many in one go, and says itself who is refused, before it does anything
for them: nothing is undone or done again for that.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Any, Generic, TypeVar

from paperround.domain.errors import Conflict, DatabaseFailed, PaperroundError
from paperround.jobs.ports import Database, Joining, Prompt, UnitOfWork
from paperround.jobs.transactions import write

C = TypeVar("C")
A = TypeVar("A")
T = TypeVar("T")

log = logging.getLogger(__name__)

MOST = 64
"""Those who share a transaction at most: others wait for the writer's lock meanwhile."""

IDLE_SECONDS = 0.05
"""How long the thread waits for somebody before it ends; the next one starts another."""

GATHER_SECONDS = 0.01
"""How long those who come to an event loop at the same time are waited for at most."""

Do = Callable[[UnitOfWork], T]
Waiter = Future[Any] | asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class Shared(Generic[C, A, T]):
    """Something that may be done for many at once. `do_all` gives what each of them is answered, in
    their order, or the error that they are refused with: nothing of theirs was done then. What it
    raises is nobody's, and all of it is done again for each by themselves."""

    do_all: Callable[[C, UnitOfWork, Sequence[A]], Sequence[T | PaperroundError]]
    context: C
    asked: A

    def __call__(self, work: UnitOfWork) -> T:
        """Do it for this one alone."""
        (answer,) = self.do_all(self.context, work, [self.asked])
        if isinstance(answer, PaperroundError):
            raise answer
        return answer


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


class _Refused(Exception):
    """One of many was refused, and what they did is among that of the others."""


class _Spoilt(Exception):
    """One of many failed in a way that is no answer."""


class GroupCommit:
    """Writes to `database` for many at once. `then` is called after each commit.

    Safe to share between threads and event loops. What they ask for runs in a thread of its own, so
    it reads no context; and again when it lost a race, as with `write`, or when another is refused.
    """

    def __init__(self, database: Database, *, then: Callable[[], None]) -> None:
        self._database = database
        self._joining = database if isinstance(database, Joining) else None
        self._then = then
        self._coming: dict[asyncio.AbstractEventLoop, list[_Asked[Any]]] = {}
        self._waiting = deque[_Asked[Any]]()
        self._changed = Condition()
        self._runs = False
        self._apart = False

    def write(self, do: Do[T]) -> T:
        """What `do` returns, once it is committed; raises what it or the database does."""
        if self._is_joined():
            return self._by_itself(do)
        waiter = Future[T]()
        self._put([_Asked(do, waiter, None)])
        return waiter.result()

    async def written(self, do: Do[T]) -> T:
        """The same without holding up the event loop."""
        if self._is_joined():  # its loop serves nobody else
            return self._by_itself(do)
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()
        asked = _Asked(do, waiter, loop)
        if loop in self._coming:
            self._coming[loop].append(asked)
        else:
            self._coming[loop] = [asked]
            loop.call_soon(self._gather, loop, 0, loop.time() + GATHER_SECONDS)
        return await waiter

    def _gather(self, loop: asyncio.AbstractEventLoop, seen: int, end: float) -> None:
        """Hand over those who came, once a turn of their loop brings nobody else. Until then the
        thread would take few, and the two would be in each other's way."""
        coming = self._coming[loop]
        if seen < len(coming) < MOST and loop.time() < end:
            loop.call_soon(self._gather, loop, len(coming), end)
        else:
            self._put(self._coming.pop(loop))

    def _is_joined(self) -> bool:
        """Whether this context has a transaction already, which others cannot share."""
        return self._joining is not None and self._joining.is_joined

    def _by_itself(self, do: Do[T]) -> T:
        result = write(self._database, do)
        self._then()
        return result

    def _put(self, asked: Sequence[_Asked[Any]]) -> None:
        with self._changed:
            self._waiting.extend(asked)
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
        """Somebody waits for each of them: they go before what waits for nobody."""
        crowd, database = 1, self._database
        with database.next() if isinstance(database, Prompt) else nullcontext():
            while batch := self._batch(crowd):
                self._serve(batch)
                crowd = min(MOST, len(batch) + len(self._waiting))

    def _batch(self, crowd: int) -> list[_Asked[Any]]:
        """Those who wait, once there are any; none when nobody came for a while. Where a `crowd`
        was there before it is waited for a moment: else it falls into two halves, of which one is
        answered while the other is written, and both run slower than one after the other."""
        with self._changed:
            if crowd > 1:
                self._changed.wait_for(lambda: len(self._waiting) >= crowd, GATHER_SECONDS)
            if not self._waiting:
                self._changed.wait(IDLE_SECONDS)
            self._runs = bool(self._waiting)
            return [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]

    def _serve(self, batch: Sequence[_Asked[Any]]) -> None:
        """Do it for all of them, and tell them."""
        try:
            outcomes = self._outcomes(batch)
        except BaseException as error:
            outcomes = [_Outcome(error=error) for _ in batch]
            log.exception("group commit failed")
        if any(one.error is None for one in outcomes):
            self._follow()
        _tell(batch, outcomes)

    def _follow(self) -> None:
        """What follows a commit may fail: it stands, and a later look finds what it left."""
        try:
            self._then()
        except Exception:
            log.exception("what follows a group commit failed")

    def _outcomes(self, batch: Sequence[_Asked[Any]]) -> list[_Outcome]:
        if len(batch) == 1:
            return [_alone(self._database, batch[0])]
        try:
            if not self._apart:
                with suppress(_Refused):
                    return _together(self._database, batch, _plainly)
            outcomes = _together(self._database, batch, _in_a_part)
            self._apart = any(one.error is not None for one in outcomes)
        except (Conflict, _Spoilt):
            return [_alone(self._database, one) for one in batch]
        except PaperroundError as error:  # nothing could be begun, or committed
            return [_Outcome(error=error) for _ in batch]
        return outcomes


def _together(
    database: Database,
    batch: Sequence[_Asked[Any]],
    one_of_many: Callable[[UnitOfWork, _Asked[Any]], _Outcome],
) -> list[_Outcome]:
    with database.writing() as work:
        done = _shared(work, batch)
        return [
            done[place] if place in done else one_of_many(work, one)
            for place, one in enumerate(batch)
        ]


def _shared(work: UnitOfWork, batch: Sequence[_Asked[Any]]) -> dict[int, _Outcome]:
    """Do what may be done for many at once; what came of it, by the place of whoever asked."""
    alike = defaultdict[Any, list[tuple[int, Shared[Any, Any, Any]]]](list)
    for place, one in enumerate(batch):
        if isinstance(one.do, Shared):
            alike[one.do.do_all, id(one.do.context)].append((place, one.do))
    done: dict[int, _Outcome] = {}
    try:
        for same in alike.values():
            _, first = same[0]
            answers = first.do_all(first.context, work, [one.asked for _, one in same])
            each = zip(same, answers, strict=True)
            done |= {place: _outcome(answer) for (place, _), answer in each}
    except Exception as error:
        raise _Spoilt from error
    return done


def _outcome(answer: Any) -> _Outcome:
    is_refused = isinstance(answer, PaperroundError)
    return _Outcome(error=answer) if is_refused else _Outcome(answer)


def _plainly(work: UnitOfWork, asked: _Asked[Any]) -> _Outcome:
    try:
        return _Outcome(asked.do(work))
    except (Conflict, DatabaseFailed) as error:
        raise _Spoilt from error
    except PaperroundError as error:
        raise _Refused from error
    except Exception as error:
        raise _Spoilt from error


def _in_a_part(work: UnitOfWork, asked: _Asked[Any]) -> _Outcome:
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
