"""Statements that are written out once read what any other would, in the same transaction."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Select, bindparam, column, insert, literal, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from paperround.db.dialect import read_json, read_jsons
from paperround.db.driver import CompiledQuery
from paperround.db.engine import reader
from paperround.db.schema import tables as db
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, SqlDatabase
from paperround.editions.store.editions import EditionStore
from paperround.subscribers.model import SubscriptionId
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import DAY, NOW, new_edition, seed_list, seed_papers, seed_subscribers

_EDITIONS = select(db.editions, literal("said").label("word")).where(
    db.editions.c.day >= bindparam("since"), db.editions.c.state != "cancelled"
)


def test_rows_are_those_that_sqlalchemy_reads(database: Database, engine: Engine) -> None:
    mailing_list = seed_list(database)
    papers = seed_papers(database, 2)
    with database.writing() as work:
        work[EditionStore].freeze(new_edition(mailing_list, papers))
    query = CompiledQuery(_EDITIONS)
    with engine.connect() as connection:
        asked = connection.execute(_EDITIONS, {"since": DAY}).all()
        rows = query.rows(connection, since=DAY)
        none = query.rows(connection, since=DAY + timedelta(days=1))
    assert [tuple(row) for row in rows] == [tuple(row) for row in asked]
    assert (rows[0].day, rows[0].as_of.tzinfo, rows[0].word) == (DAY, NOW.tzinfo, "said")
    assert none == []


def test_all_of_one_transaction_read_one_state(engine: Engine) -> None:
    """The first one begins it, as with any other statement."""
    query = CompiledQuery(select(db.slots.c.slot).where(db.slots.c.kind == bindparam("kind")))
    with reader(engine).connect() as connection:
        before = query.rows(connection, kind="one")
        with SqlDatabase(engine).writing() as work:
            work[SlotStore].take("one", "key", now=NOW)
        assert query.rows(connection, kind="one") == before == []
    with reader(engine).connect() as connection:
        assert query.rows(connection, kind="one")[0].slot == "key"


def test_a_first_statement_whose_rows_come_as_the_driver_has_them_begins_it_too(
    database: Database,
) -> None:
    mailing_list, start = seed_list(database), SubscriptionId(0)
    with database.reading() as work:
        before = work[SubscriberStore].subscriptions_after(mailing_list.id, start, limit=9)
        seed_subscribers(database, mailing_list, ("alice",))
        after = work[SubscriberStore].subscriptions_after(mailing_list.id, start, limit=9)
    assert before == after == []


def test_what_a_transaction_has_written_is_read_in_it(engine: Engine) -> None:
    query = CompiledQuery(select(db.slots.c.taken_at).where(db.slots.c.kind == bindparam("kind")))
    with engine.connect() as connection:
        row = {"kind": "two", "slot": "key", "taken_at": NOW}
        connection.execute(insert(db.slots), row)
        assert [one.taken_at for one in query.rows(connection, kind="two")] == [NOW]
        connection.rollback()
        assert query.rows(connection, kind="two") == []


@pytest.mark.parametrize("said", ["50%", "%%"])
def test_a_percent_sign_that_is_written_out_stays_one(engine: Engine, said: str) -> None:
    """Some drivers want it twice in a statement."""
    with engine.connect() as connection:
        assert CompiledQuery(select(literal(said).label("said"))).rows(connection) == [(said,)]


def test_a_column_of_lists_is_read_as_one_text() -> None:
    texts = ["[]", '{"b":1.5,"a":[null]}', '"a,b"', '"]["']
    assert read_jsons(texts) == [read_json(one) for one in texts]
    assert read_jsons([None, "{}"]) == [None, {}]
    assert read_jsons([]) == []
    assert list(read_json('{"b":1,"a":2}')) == ["b", "a"]


@pytest.mark.parametrize("text", ["", "[1", "1 2", "[1] x", "nothing"])
def test_what_is_no_json_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        read_json(text)
    with pytest.raises(ValueError):
        read_jsons(["[]", text])


def test_an_error_has_the_name_that_sqlalchemy_gives_it(engine: Engine) -> None:
    taking = insert(db.slots).values(kind="x", slot=bindparam("slot"), taken_at=NOW)
    take, row = CompiledQuery(taking), {"slot": "y"}
    with engine.begin() as connection:
        take.run(connection, row)
        with pytest.raises(IntegrityError):
            take.run(connection, row)
        connection.rollback()
    if engine.dialect.name == "sqlite":
        with pytest.raises(IntegrityError), engine.begin() as connection:
            take.run_many(connection, [row, row])
    with engine.begin() as connection:
        assert connection.execute(select(db.slots)).all() == []


def test_an_error_repeats_no_parameter(engine: Engine) -> None:
    named = db.slots.c.slot == bindparam("slot")
    asked: Select[Any] = select(column("nothing")).select_from(db.slots).where(named)
    with pytest.raises(DBAPIError) as raised, engine.begin() as connection:
        CompiledQuery(asked).run(connection, {"slot": "alice@mail.example"})
    assert "alice" not in str(raised.value)
    assert not raised.value.connection_invalidated
