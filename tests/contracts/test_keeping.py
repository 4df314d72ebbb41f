"""One connection for many transactions: it is the same one while it works, and no loss when not."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, event

from paperround.domain.errors import DatabaseFailed
from paperround.store import engine as engines
from paperround.store.keeping import A_MOMENT, KeptDatabase
from paperround.store.unit_of_work import SqlDatabase, UnitOfWork
from tests.builders import NOW
from tests.databases import opened

ON_POSTGRES = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
OTHERS = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
ENDED = OTHERS.replace("SELECT pid", "SELECT pid, pg_terminate_backend(pid)")


class Broken(Exception):
    """What a transaction was for came to nothing."""


class Watch:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Counted:
    """How often a connection left the pool."""

    def __init__(self, engine: Engine) -> None:
        self.times = 0
        event.listen(engine, "checkout", self._count)

    def _count(self, *_: object) -> None:
        self.times += 1


@pytest.fixture
def taken(engine: Engine) -> Counted:
    return Counted(engine)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def kept(engine: Engine, watch: Watch) -> Iterator[KeptDatabase]:
    kept = KeptDatabase(SqlDatabase(engine), watch)
    yield kept
    kept.let_go()


def beat(kept: KeptDatabase, slot: str) -> None:
    with kept.writing() as work:
        work.slots.take("keeping", slot, now=NOW)


def stands(kept: KeptDatabase, slot: str) -> bool:
    with kept.writing() as work:
        return not work.slots.take("keeping", slot, now=NOW)


def test_transactions_that_follow_one_another_share_a_connection(
    kept: KeptDatabase, taken: Counted
) -> None:
    for slot in "abc":
        beat(kept, slot)
    assert taken.times == 1
    assert all(stands(kept, slot) for slot in "abc")


def test_each_of_them_is_committed_before_the_next(engine: Engine, kept: KeptDatabase) -> None:
    beat(kept, "a")
    with SqlDatabase(engine).writing() as work:
        assert not work.slots.take("keeping", "a", now=NOW)


def test_what_fails_is_undone_and_another_connection_taken(
    kept: KeptDatabase, taken: Counted
) -> None:
    def fail(work: UnitOfWork) -> None:
        work.slots.take("keeping", "a", now=NOW)
        raise Broken

    with pytest.raises(Broken), kept.writing() as work:
        fail(work)
    assert not stands(kept, "a")
    assert taken.times == 2


def test_one_that_was_idle_for_long_goes_back_to_the_pool(
    kept: KeptDatabase, watch: Watch, taken: Counted
) -> None:
    beat(kept, "a")
    watch.seconds = A_MOMENT
    beat(kept, "b")
    assert taken.times == 1
    watch.seconds = 2 * A_MOMENT + 0.001
    beat(kept, "c")
    assert taken.times == 2


@ON_POSTGRES
def test_a_transaction_within_another_has_a_connection_of_its_own(
    engine: Engine, kept: KeptDatabase
) -> None:
    with kept.writing() as outer:
        outer.slots.take("keeping", "a", now=NOW)
        with kept.writing() as inner:
            inner.slots.take("keeping", "b", now=NOW)
    assert stands(kept, "a")
    assert stands(kept, "b")
    kept.let_go()
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_it_is_given_back_in_the_end(engine: Engine) -> None:
    with SqlDatabase(engine).kept() as kept, kept.writing() as work:
        work.slots.take("keeping", "a", now=NOW)
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]


@ON_POSTGRES
@pytest.mark.accept("R2", part="a connection that was ended between two marks")
def test_a_connection_that_the_server_ended_meanwhile_is_no_loss(
    database_url: str, kept: KeptDatabase
) -> None:
    beat(kept, "a")
    end_all_others(database_url)
    beat(kept, "b")
    assert stands(kept, "a")
    assert stands(kept, "b")


@ON_POSTGRES
def test_one_that_ends_within_a_transaction_has_failed(
    database_url: str, kept: KeptDatabase
) -> None:
    def be_ended(work: UnitOfWork) -> None:
        work.slots.take("keeping", "b", now=NOW)
        end_all_others(database_url)
        work.slots.take("keeping", "c", now=NOW)

    beat(kept, "a")
    with pytest.raises(DatabaseFailed), kept.writing() as work:
        be_ended(work)
    assert not stands(kept, "b")


def end_all_others(url: str) -> None:
    """End every other connection to the database, and ask until they are gone."""
    with opened(url) as other:
        left = _asked(other, ENDED)
        while left:
            left = _asked(other, OTHERS)


def _asked(other: Engine, statement: str) -> list[tuple[object, ...]]:
    with engines.driver_connection(other) as driver:  # each in a snapshot of its own
        found: list[tuple[object, ...]] = driver.execute(statement).fetchall()
    return found
