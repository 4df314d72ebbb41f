"""Transactions, column types and engines, on every database."""

from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, LargeBinary, PickleType, inspect, select
from sqlalchemy.exc import DBAPIError, StatementError

from paperround.core.errors import (
    Conflict,
    DatabaseFailed,
    InvalidInput,
    Misconfigured,
    NotFound,
)
from paperround.db import engine as engines
from paperround.db.engine import MUCH_CACHE, enlarged_page_cache
from paperround.db.schema import tables as db
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, SqlDatabase, Transaction
from paperround.delivery.store.status import StatusStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.store.papers import PaperStore
from tests.builders import NOW, paper, seed_list, seed_papers, write
from tests.databases import opened

OTHERS = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
ENDED = OTHERS.replace("SELECT pid", "SELECT pid, pg_terminate_backend(pid)")


def test_an_exception_undoes_the_whole_unit(database: Database) -> None:
    with pytest.raises(Conflict), database.writing() as work:
        work[PaperStore].save([write(paper(1)), write(paper(2)), write(paper(1))], now=NOW)
    with database.reading() as work:
        assert work[PaperStore].count() == 0


def test_a_write_that_fails_within_a_unit_is_undone_alone(database: SqlDatabase) -> None:
    with database.together():
        seed_papers(database, 1)
        with pytest.raises(Conflict), database.writing() as work:
            write_in_vain(work)
    with database.reading() as work:
        assert work[PaperStore].count() == 1


def write_in_vain(work: Transaction) -> None:
    work[PaperStore].save([write(paper(2))], now=NOW)
    raise Conflict


def test_a_line_that_is_lost_in_a_part_is_told_as_what_it_is(engine: Engine) -> None:
    with pytest.raises(DatabaseFailed, match="away"), SqlDatabase(engine).writing() as work:
        lose_the_line(work)
    with SqlDatabase(engine).writing() as work, work.part():
        work[ListStore].ensure_default(zone="UTC", now=NOW)


def lose_the_line(work: Transaction) -> None:
    with work.part():
        work.connection.invalidate()
        raise DatabaseFailed("the server went away")


def test_a_reading_unit_cannot_write(database: Database) -> None:
    with pytest.raises((DBAPIError, DatabaseFailed)), database.reading() as work:
        work[ListStore].ensure_default(zone="UTC", now=NOW)
    seed_list(database)


@pytest.mark.accept("R2", part="a database that stops taking writes")
def test_a_database_that_takes_no_writes_any_more_has_failed(postgres_url: str) -> None:
    """As after a switch to a standby: whoever has something to keep tries again."""
    with opened(postgres_url) as engine:
        database = SqlDatabase(engine)
        with pytest.raises(DatabaseFailed, match="read-only"), database.writing() as work:
            write_to_a_standby(work)


def write_to_a_standby(work: Transaction) -> None:
    work.connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    work[ListStore].ensure_default(zone="UTC", now=NOW)


def test_a_connection_reads_and_writes_in_turns(database: Database) -> None:
    for _ in range(2):
        test_a_reading_unit_cannot_write(database)
        with database.writing() as work:
            work[ListStore].ensure_default(zone="UTC", now=NOW)


def test_a_reading_unit_sees_one_snapshot(database: Database) -> None:
    with database.reading() as work:
        assert work[PaperStore].count() == 0
        seed_papers(database, 2)
        assert work[PaperStore].count() == 0
    with database.reading() as work:
        assert work[PaperStore].count() == 2


def test_a_name_that_no_text_column_holds_is_the_fault_of_whoever_asks(database: Database) -> None:
    seed_list(database)
    with pytest.raises((NotFound, InvalidInput)), database.reading() as work:
        work[ListStore].get("trending\0")


def test_a_naive_datetime_is_refused(database: Database) -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises((ValueError, StatementError), match="naive"), database.writing() as work:
        work[FeedStore].get_or_create("hf", "hf", now=naive)
    with pytest.raises((ValueError, StatementError), match="naive"), database.writing() as work:
        work[PaperStore].save([write(paper(1, counts_from=naive))], now=NOW)


def test_instants_come_back_in_utc_and_sort_by_time(engine: Engine) -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    moments = [NOW, (NOW + timedelta(microseconds=1)).astimezone(east), NOW + timedelta(seconds=1)]
    with SqlDatabase(engine).writing() as work:
        for number, moment in enumerate(moments):
            work[FeedStore].get_or_create(f"f{number}", "hf", now=moment)
    with engine.connect() as connection:
        stored = connection.execute(select(db.feeds.c.created_at).order_by(db.feeds.c.created_at))
        found: list[datetime] = list(stored.scalars())
    assert found == moments
    assert {moment.utcoffset() for moment in found} == {timedelta(0)}


@pytest.mark.accept("C4")
def test_no_column_holds_bytes_that_could_be_a_pickle(engine: Engine) -> None:
    inspector = inspect(engine)
    kinds = {
        (table, column["name"]): column["type"]
        for table in inspector.get_table_names()
        if not table.startswith("papers_search_")  # SQLite's own, of the search index
        for column in inspector.get_columns(table)
    }
    assert len(kinds) > 100
    of_bytes = [one for one, kind in kinds.items() if isinstance(kind, LargeBinary | PickleType)]
    # Arrays, read with pickles refused; numbers, as compressed JSON; and emails as they came back.
    assert sorted(of_bytes) == [
        ("models", "content"),
        ("past_deliveries", "ids"),
        ("past_deliveries", "people"),
        ("past_papers", "people"),
        ("quarantine", "content"),
    ]


def test_sqlite_is_opened_so_that_it_keeps_its_promises(sqlite_database: Database) -> None:
    assert isinstance(sqlite_database, SqlDatabase)
    with sqlite_database.reading() as work:
        connection = work[PaperStore]._connection
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]
    assert found == ["wal", 2, 1, 50_000]


def test_a_database_with_a_file_of_its_own_tells_how_much_room_it_has(engine: Engine) -> None:
    with SqlDatabase(engine).writing() as work:
        work[SlotStore].beat("room", now=NOW)
    with SqlDatabase(engine).reading() as work:
        found = work[StatusStore].storage()
    if engine.dialect.name == "sqlite":
        assert found.log_bytes
        assert found.free_bytes
    else:
        assert (found.log_bytes, found.free_bytes) == (None, None)
    assert not found.is_full
    assert not found.log_is_long


@pytest.mark.parametrize("url", ["not a url", "mysql://host/x", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_cannot_be_served_says_what_to_write(url: str) -> None:
    with pytest.raises(Misconfigured, match="DATABASE_URL"):
        engines.create(url)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.accept("R2", part="a connection that was ended between two marks")
def test_a_connection_that_the_server_ended_meanwhile_is_no_loss(
    database_url: str, engine: Engine
) -> None:
    database = SqlDatabase(engine)
    with database.writing() as work:
        assert work[SlotStore].take("mark", "a", now=NOW)
    end_all_others(database_url)
    with database.writing() as work:
        assert work[SlotStore].take("mark", "b", now=NOW)
        assert not work[SlotStore].take("mark", "a", now=NOW)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_one_that_ends_within_a_transaction_has_failed(database_url: str, engine: Engine) -> None:
    def be_ended(work: Transaction) -> None:
        work[SlotStore].take("mark", "b", now=NOW)
        end_all_others(database_url)
        work[SlotStore].take("mark", "c", now=NOW)

    database = SqlDatabase(engine)
    with pytest.raises(DatabaseFailed), database.writing() as work:
        be_ended(work)
    with database.writing() as work:
        assert work[SlotStore].take("mark", "b", now=NOW)


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


def cache_of(work: Transaction) -> int:
    return int(work.connection.exec_driver_sql("PRAGMA cache_size").scalar_one())


def test_sqlite_has_more_room_for_pages_only_while_much_is_written(
    sqlite_database: SqlDatabase,
) -> None:
    with sqlite_database.writing() as work:
        usual = cache_of(work)
        with enlarged_page_cache(work.connection):
            assert cache_of(work) == -MUCH_CACHE // 1024
        assert cache_of(work) == usual
