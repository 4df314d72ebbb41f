"""Statements past SQLAlchemy: the same rows and errors, and nothing is hidden from listeners."""

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError

from paperround.store import straight
from paperround.store.storage import MUCH_CACHE, roomy
from paperround.store.unit_of_work import SqlDatabase

TAKE = "INSERT INTO slots (kind, slot, taken_at) VALUES ('x', 'y', '2026-01-30T08:00:00.000000Z')"
LONGER = "UPDATE slots SET slot = slot || {} WHERE kind = 'x'"


def mark_of(engine: Engine) -> str:
    """How the driver writes a parameter."""
    return "?" if engine.dialect.name == "sqlite" else "%s::text"


@pytest.mark.parametrize("listened", [False, True])
def test_rows_come_whether_anybody_listens_or_not(engine: Engine, listened: bool) -> None:
    heard: list[str] = []
    if listened:
        event.listen(engine, "before_cursor_execute", lambda *said: heard.append(said[2]))
    asked = f"SELECT {mark_of(engine)}, 2"
    with engine.begin() as connection:
        assert [tuple(row) for row in straight.run(connection, asked, ("a",))] == [("a", 2)]
        assert straight.run(connection, TAKE) == []
        longer = LONGER.format(mark_of(engine))
        assert straight.run_many(connection, longer, [("1",), ("2",)]) == 2
        (slot,) = straight.run(connection, "SELECT slot FROM slots")
    assert tuple(slot) == ("y12",)
    assert [asked in heard, longer in heard] == [listened, listened]


def test_an_error_has_the_name_that_sqlalchemy_gives_it(engine: Engine) -> None:
    with engine.begin() as connection:
        straight.run(connection, TAKE)
        with pytest.raises(IntegrityError):
            straight.run(connection, TAKE)
        connection.rollback()
    with pytest.raises(IntegrityError), engine.begin() as connection:
        straight.run_many(connection, TAKE.replace("'y'", mark_of(engine)), [("z",), ("z",)])
    with engine.begin() as connection:
        assert straight.run(connection, "SELECT * FROM slots") == []


def test_an_error_repeats_no_parameter(engine: Engine) -> None:
    asked = f"SELECT nothing FROM slots WHERE slot = {mark_of(engine)}"
    with pytest.raises(DBAPIError) as raised, engine.begin() as connection:
        straight.run(connection, asked, ("alice@mail.example",))
    assert "alice" not in str(raised.value)
    assert not raised.value.connection_invalidated


def cache_of(connection: Connection) -> int:
    ((pages,),) = straight.run(connection, "PRAGMA cache_size")
    return int(pages)


def test_sqlite_has_more_room_for_pages_only_while_much_is_written(
    sqlite_database: SqlDatabase,
) -> None:
    with sqlite_database.writing() as work:
        usual = cache_of(work.connection)
        with roomy(work.connection):
            assert cache_of(work.connection) == -MUCH_CACHE // 1024
        assert cache_of(work.connection) == usual
