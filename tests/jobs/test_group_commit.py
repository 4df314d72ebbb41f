"""Those who write at the same time share a transaction, and nobody hears of anybody else."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import Event, Thread
from types import coroutine
from typing import Any

import pytest
from sqlalchemy import Engine, event

from paperround.domain.errors import Conflict, DatabaseFailed, NotFound, RateLimited
from paperround.domain.limits import SignupLimits
from paperround.jobs.asking import SignupRequest
from paperround.jobs.group_commit import GroupCommit
from paperround.jobs.ports import Database, UnitOfWork
from paperround.jobs.signup import subscribe_soon
from paperround.store.unit_of_work import SqlDatabase
from tests.builders import NOW, address
from tests.jobs.readers import LIMITS, desk, post, request, visitor
from tests.races import THREADS, at_once

Do = Callable[[UnitOfWork], Any]
SECONDS = 60
"""Nobody waits for longer, not even on a busy machine."""


@contextmanager
def commits(engine: Engine) -> Iterator[list[object]]:
    """What is committed meanwhile."""
    heard: list[object] = []
    listen = heard.append
    event.listen(engine, "commit", listen)
    try:
        yield heard
    finally:
        event.remove(engine, "commit", listen)


def grouped(group: GroupCommit, *each: Do) -> list[Any]:
    """What each of them returned, or the exception that it raised: all of them waited while the
    first that ever came was at work."""
    return list(asyncio.run(_grouped(group, [group.written(do) for do in each])))


async def _grouped(group: GroupCommit, each: Sequence[Awaitable[Any]]) -> Sequence[Any]:
    begun, go_on = Event(), Event()

    def hold(_: UnitOfWork) -> None:
        begun.set()
        assert go_on.wait(SECONDS)

    first = asyncio.ensure_future(group.written(hold))
    assert await asyncio.to_thread(begun.wait, SECONDS)
    others = [asyncio.ensure_future(one) for one in each]
    await asyncio.wait(others, timeout=0)  # all of them wait at the group now
    go_on.set()
    await first
    return await asyncio.gather(*others, return_exceptions=True)


@coroutine
def a_turn() -> Generator[None, None, None]:
    """Let the event loop do whatever else is there to do, once."""
    yield


def beat(name: str) -> Do:
    """Leaves a row."""

    def do(work: UnitOfWork) -> str:
        work.slots.beat(name, now=NOW)
        return name

    return do


def stand(database: Database, *names: str) -> list[bool]:
    """Which of the rows are there."""
    with database.reading() as work:
        return [work.slots.last_beat(name) is not None for name in names]


@pytest.mark.accept("B10", part="one commit")
def test_those_who_wait_share_one_commit(database: SqlDatabase, engine: Engine) -> None:
    woken: list[int] = []
    group = GroupCommit(database, then=lambda: woken.append(len(heard)))
    with commits(engine) as heard:
        assert grouped(group, *map(beat, "abcdefgh")) == list("abcdefgh")
    assert len(heard) == 2
    assert woken == [1, 2]
    assert all(stand(database, *"abcdefgh"))


@pytest.mark.accept("B10", part="one bad among many")
def test_one_who_is_refused_takes_nobody_along(database: SqlDatabase, engine: Engine) -> None:
    refusal = RateLimited("not so fast", retry_after=1)

    def refused(work: UnitOfWork) -> None:
        work.slots.beat("refused", now=NOW)
        raise refusal

    with commits(engine) as heard:
        ended = grouped(GroupCommit(database, then=lambda: None), beat("a"), refused, beat("b"))
    assert ended == ["a", refusal, "b"]
    assert len(heard) == 2
    assert stand(database, "a", "refused", "b") == [True, False, True]


def test_where_somebody_is_refused_the_others_are_done_again(database: SqlDatabase) -> None:
    """In parts of their own, and so are the next ones, until nobody is refused."""
    group, runs = GroupCommit(database, then=lambda: None), list[str]()

    def counted(name: str) -> Do:
        def do(work: UnitOfWork) -> None:
            runs.append(name)
            beat(name)(work)

        return do

    def refused(_: UnitOfWork) -> None:
        raise NotFound("not this one")

    grouped(group, counted("a"), refused, counted("b"))
    assert runs == ["a", "a", "b"]
    grouped(group, counted("c"), refused, counted("d"))
    grouped(group, counted("e"), counted("f"))
    assert runs[3:] == ["c", "d", "e", "f"]
    grouped(group, counted("g"), refused)
    assert runs[7:] == ["g", "g"]
    assert all(stand(database, *"abcdefg"))


@pytest.mark.accept("B10", part="one commit")
def test_those_who_come_turn_by_turn_of_their_loop_share_too(
    database: SqlDatabase, engine: Engine
) -> None:
    group = GroupCommit(database, then=lambda: None)

    async def late(turns: int) -> str:
        for _ in range(turns):
            await a_turn()
        return await group.written(beat(f"turn {turns}"))

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*map(late, range(5)))

    with commits(engine) as heard:
        names = asyncio.run(all_of_them())
    assert len(heard) == 1
    assert all(stand(database, *names))


def test_what_the_database_cannot_take_comes_to_whom_it_belongs(database: SqlDatabase) -> None:
    ended = grouped(
        GroupCommit(database, then=lambda: None),
        beat("a"),
        lambda work: work.lists.pause(10**30, now=NOW),  # type: ignore[arg-type]
        beat("b"),
    )
    assert ended[::2] == ["a", "b"]
    assert isinstance(ended[1], Exception)
    assert stand(database, "a", "b") == [True, True]


def test_a_lost_race_is_run_again(database: SqlDatabase) -> None:
    lost: list[int] = []

    def loses(work: UnitOfWork) -> str:
        work.slots.beat("c", now=NOW)
        if not lost:
            lost.append(1)
            raise Conflict("another one was faster")
        return "won"

    ended = grouped(GroupCommit(database, then=lambda: None), beat("a"), loses, beat("b"))
    assert ended == ["a", "won", "b"]
    assert all(stand(database, "a", "b", "c"))


@pytest.mark.accept("B10", part="durable before the answer")
def test_where_nothing_can_be_committed_everybody_hears_it(
    database: SqlDatabase, engine: Engine
) -> None:
    down: list[int] = []

    class Down(SqlDatabase):
        """Goes down after the first transaction."""

        @contextmanager
        def transaction(self, connection: Any) -> Iterator[Any]:
            with super().transaction(connection) as work:
                yield work
                down.append(1)
                if len(down) > 1:
                    raise DatabaseFailed("the disk is full")

    there = Down(engine)
    ended = grouped(GroupCommit(there, then=lambda: None), beat("a"), beat("b"))
    assert [str(one) for one in ended] == ["the disk is full", "the disk is full"]
    assert stand(database, "a", "b") == [False, False]


@pytest.mark.postgres
def test_where_no_thread_can_be_had_nobody_waits_for_one(
    database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = GroupCommit(database, then=lambda: None)
    with monkeypatch.context() as full:
        full.setattr(Thread, "start", refuse_a_thread)
        with pytest.raises(RuntimeError, match="new thread"):
            asyncio.run(asyncio.wait_for(group.written(beat("a")), SECONDS))
    assert asyncio.run(asyncio.wait_for(group.written(beat("b")), SECONDS)) == "b"
    assert stand(database, "a", "b") == [False, True]


def refuse_a_thread(_: Thread) -> None:
    """As a system does that has no more of them."""
    raise RuntimeError("can't start new thread")


@pytest.mark.postgres
def test_threads_share_as_well_as_coroutines(database: SqlDatabase) -> None:
    group = GroupCommit(database, then=lambda: None)
    names = [f"thread {number}" for number in range(THREADS)]
    assert at_once(THREADS, lambda number: group.write(beat(names[number]))) == names
    assert all(stand(database, *names))


def test_within_a_transaction_for_all_it_is_part_of_that(database: SqlDatabase) -> None:
    group = GroupCommit(database, then=lambda: None)

    async def both() -> None:
        await group.written(beat("a"))
        group.write(beat("b"))
        raise NotFound("nothing of it stays")

    with pytest.raises(NotFound), database.together(lambda _: None):
        asyncio.run(both())
    assert stand(database, "a", "b") == [False, False]


# --- signing up ----------------------------------------------------------------------------------


def asked_at_once(
    database: Database, *requests: SignupRequest, limits: SignupLimits = LIMITS
) -> list[Any]:
    """What each was answered of sign-ups that shared a transaction."""
    here = desk(database, limits)
    asking = [subscribe_soon(here, one, now=NOW) for one in requests]
    return list(asyncio.run(_grouped(here.group, asking)))


@pytest.mark.postgres
@pytest.mark.accept("S2", part="at once")
def test_limits_hold_among_those_who_share_a_transaction(database: SqlDatabase) -> None:
    """Five of one address may ask, and one who is not let through costs the network nothing."""
    same = [request(f"same{number}", by=visitor(1)) for number in range(8)]
    ended = asked_at_once(database, *same, request("other", by=visitor(2)))
    refused = [isinstance(one, RateLimited) for one in ended]
    assert refused == [False] * 5 + [True] * 3 + [False]
    left = [one.remaining for one in ended if not isinstance(one, RateLimited)]
    assert left == [4, 3, 2, 1, 0, 4]
    told = {mail.address.partition("@")[0] for mail in post(database)}
    assert told == {"same0", "same1", "same2", "same3", "same4", "other"}


@pytest.mark.postgres
@pytest.mark.accept("S1", part="at once")
def test_one_address_is_mailed_once_however_many_ask_at_once(database: SqlDatabase) -> None:
    spelt = [("victim", "gmail.com"), ("v.ictim", "gmail.com"), ("vict.im+a", "googlemail.com")]
    requests = [
        replace(request(by=visitor(number)), address=address(name, domain))
        for number, (name, domain) in enumerate(spelt)
    ]
    assert len(asked_at_once(database, *requests)) == len(spelt)
    assert [mail.address for mail in post(database)] == ["victim@gmail.com"]


DYING = """
import asyncio, os, signal, sys
from paperround.jobs.group_commit import GroupCommit
from paperround.store import engine, unit_of_work
from tests.builders import NOW
from tests.jobs.test_group_commit import beat, _grouped

database = unit_of_work.SqlDatabase(engine.create(sys.argv[1]))
group = GroupCommit(database, then=lambda: None)
commit, times = unit_of_work._commit, []

def die_at_the_second(connection):
    times.append(1)
    if len(times) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    commit(connection)

unit_of_work._commit = die_at_the_second

async def told(name):
    print(await group.written(beat(name)), flush=True)

asyncio.run(_grouped(group, [told(name) for name in "abc"]))
"""


@pytest.mark.slow
@pytest.mark.accept("B10", part="killed in the commit")
def test_a_process_that_dies_in_the_commit_told_nobody(
    database: SqlDatabase, database_url: str
) -> None:
    line = [sys.executable, "-c", DYING, database_url]
    died = subprocess.run(line, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (died.returncode, died.stdout) == (-signal.SIGKILL, ""), died.stderr
    assert stand(database, "a", "b", "c") == [False, False, False]


def test_what_fails_after_the_commit_does_not_undo_what_people_hear(database: SqlDatabase) -> None:
    def broken() -> None:
        raise OSError("nobody to wake")

    group = GroupCommit(database, then=broken)
    assert group.write(lambda work: work.slots.take("group", "it", now=NOW))
    assert not group.write(lambda work: work.slots.take("group", "it", now=NOW))  # it stands
