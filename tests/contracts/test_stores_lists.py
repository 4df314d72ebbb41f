"""Lists: their pauses, and how they are held after a restore, on every database."""

from datetime import datetime

import pytest
from sqlalchemy import Engine, insert, select

from paperround.db.schema import tables as db
from paperround.db.transactions import Database, SqlDatabase
from paperround.delivery.store.ledger import Ledger
from paperround.editions.lists import ListId, MailingList
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import (
    HOUR,
    NOW,
    lease,
    new_delivery,
    plan,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
)


def default_list(database: Database) -> MailingList:
    with database.reading() as work:
        found = work[ListStore].default()
    assert found is not None
    return found


def pause(database: Database, mailing_list: MailingList, *, now: datetime = NOW) -> bool:
    with database.writing() as work:
        return work[ListStore].pause(mailing_list.id, now=now)


def test_a_list_is_paused_since_the_first_time_and_resumed_once(database: Database) -> None:
    default = seed_list(database)
    assert pause(database, default)
    assert not pause(database, default, now=NOW + HOUR)
    assert default_list(database).paused_at == NOW
    with database.writing() as work:
        assert work[ListStore].resume(default.id)
        assert not work[ListStore].resume(default.id)
    assert default_list(database) == default


@pytest.mark.accept("A9", part="lists")
def test_lists_come_page_by_page_in_the_order_they_were_made(
    database: Database, engine: Engine
) -> None:
    seed_list(database)
    with engine.begin() as connection:
        row = dict(connection.execute(select(db.lists)).mappings().one())
        del row["id"]
        connection.execute(insert(db.lists), [{**row, "name": name} for name in ("b", "a")])
    with database.reading() as work:
        first = work[ListStore].page(ListId(0), limit=2)
        rest = work[ListStore].page(first[-1].id, limit=2)
        assert work[ListStore].page(rest[-1].id, limit=2) == []
    assert [one.name for one in (*first, *rest)] == ["trending", "b", "a"]


@pytest.mark.accept("F34", part="pause")
def test_nothing_of_a_paused_list_is_sent_until_it_is_resumed(database: Database) -> None:
    default, papers = seed_list(database), seed_papers(database, 1)
    (alice,) = seed_subscribers(database, default, ("alice",))
    plan(database, seed_edition(database, default, papers), [new_delivery(alice, papers)])
    pause(database, default)
    with database.writing() as work:
        assert work[Ledger].claim(lease(), limit=5, now=NOW) == []
        work[ListStore].resume(default.id)
        assert len(work[Ledger].claim(lease(), limit=5, now=NOW)) == 1


def test_starting_again_does_not_end_a_pause(database: Database) -> None:
    default = seed_list(database)
    with database.writing() as work:
        work[ListStore].hold_after_restore(now=NOW)
        held = work[ListStore].ensure_default(zone="Europe/Berlin", now=NOW + HOUR)
    assert (held.paused_at, held.not_before) == (NOW, NOW)
    assert default_list(database) == held != default


def test_lists_come_by_name(engine: Engine) -> None:
    default = seed_list(SqlDatabase(engine))
    _copy_of_default(engine, "bio")
    with SqlDatabase(engine).reading() as work:
        lists = work[ListStore].all()
    assert [one.name for one in lists] == ["bio", "trending"]
    assert lists[1] == default


@pytest.mark.accept("D5", part="held")
def test_after_a_restore_every_list_is_held(engine: Engine) -> None:
    database = SqlDatabase(engine)
    pause(database, seed_list(database))
    _copy_of_default(engine, "bio")
    with database.writing() as work:
        work[ListStore].hold_after_restore(now=NOW + HOUR)
        bio, trending = work[ListStore].all()
    assert (trending.paused_at, trending.not_before) == (NOW, NOW + HOUR)
    assert (bio.paused_at, bio.not_before) == (NOW, NOW + HOUR)


@pytest.mark.accept("T3", part="the list moves")
def test_a_list_that_moves_sets_the_clocks_of_those_who_follow_it_anew(engine: Engine) -> None:
    database = SqlDatabase(engine)
    people = seed_subscribers(database, seed_list(database), ("owed", "follows", "elsewhere"))
    dues = (NOW - HOUR, NOW + HOUR, NOW + HOUR)
    with database.writing() as work:
        elsewhere = Preferences(timezone="Asia/Tokyo")
        work[SubscriberStore].choose(people[2].id, elsewhere, now=NOW)
        work[SubscriberStore].schedule({one.id: due for one, due in zip(people, dues, strict=True)})
        work[ListStore].ensure_default(zone="Europe/Berlin", now=NOW)
        assert [one.id for one in work[SubscriberStore].unscheduled(limit=9)] == [people[1].id]


def _copy_of_default(engine: Engine, name: str) -> None:
    """Another list: nothing makes one by itself yet."""
    with engine.begin() as connection:
        row = dict(connection.execute(select(db.lists)).mappings().one(), name=name)
        del row["id"]
        connection.execute(insert(db.lists).values(row))
