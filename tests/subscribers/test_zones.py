"""Readers and lists that move to another zone around the hour of the digest."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.digests.planning import DAY, HOUR, at, cut, days, plan
from tests.sample_database import fill, record, subscribe

START = at(0)
MOVES = [("Europe/Berlin", "America/Los_Angeles"), ("UTC", "Pacific/Auckland")]
"""To the west and to the east at the hour itself; `editions/test_schedule.py` has the others."""


def due_on_the_second_day(zone: str) -> datetime:
    """Seven o'clock there, on the first of February."""
    offsets = {"Europe/Berlin": 1, "America/Los_Angeles": -8, "Pacific/Auckland": 13, "UTC": 0}
    return datetime(2026, 2, 1, 7, tzinfo=at(0).tzinfo) - offsets[zone] * HOUR


Life = Callable[[SqlDatabase, datetime, Callable[[], None]], None]
"""Lets the days pass, in which somebody moves at a moment."""


@pytest.fixture
def lived(long_form: bool) -> Life:
    """A look every hour, at the very moments when a digest may be due; in the long form every half
    hour, too."""
    step = HOUR / 2 if long_form else HOUR
    return partial(pass_days, step)


def pass_days(
    step: timedelta, database: SqlDatabase, moves_at: datetime, move: Callable[[], None]
) -> None:
    """Four days and a half, a look every `step` and at the moment somebody moves."""
    moments = [START + number * step for number in range(int(4.5 * DAY / step))]
    for now in sorted([*moments, moves_at]):
        if now == moves_at:
            move()
        if now.hour % 6 == now.minute == 0:
            fill(database, [record(now.day * 100 + now.hour)], now)
            cut(database, now)
        plan(database, now)


def dates(database: SqlDatabase) -> list[date]:
    found = days(database)
    assert "missed" not in {reason for _, _, reason in found}
    return [day for day, _, _ in found]


def is_whole(found: list[date]) -> bool:
    """Every date once, and none left out."""
    return found == [found[0] + timedelta(days=n) for n in range(len(found))]


@pytest.mark.slow
@pytest.mark.accept("T3")
@pytest.mark.parametrize(("here", "there"), MOVES)
def test_a_reader_who_moves_around_the_hour_gets_every_date_once(
    database: SqlDatabase, lived: Life, here: str, there: str
) -> None:
    fill(database, [record(n) for n in range(1, 31)])
    subscribe(database, "ada", wish=Preferences(timezone=here))
    moves_at = due_on_the_second_day(here)

    def move() -> None:
        with database.writing() as work:
            (person, _), *_ = work[SubscriberStore].export(work[ListStore].get("trending").id)
            (one,) = work[SubscriberStore].subscriptions_of(person.id)
            work[SubscriberStore].choose(one.id, Preferences(timezone=there), now=moves_at)

    lived(database, moves_at, move)
    found = dates(database)
    assert is_whole(found)
    assert len(found) >= 4


@pytest.mark.slow
@pytest.mark.accept("T3", part="the list moves")
@pytest.mark.parametrize(("here", "there"), MOVES)
def test_a_list_that_moves_around_the_hour_brings_its_readers_every_date_once(
    database: SqlDatabase, lived: Life, here: str, there: str
) -> None:
    with database.writing() as work:
        work[ListStore].ensure_default(zone=here, now=START)
    fill(database, [record(n) for n in range(1, 31)])
    subscribe(database, "ada")
    moves_at = due_on_the_second_day(here)

    def move() -> None:
        with database.writing() as work:
            work[ListStore].ensure_default(zone=there, now=moves_at)

    lived(database, moves_at, move)
    found = dates(database)
    assert is_whole(found)
    assert len(found) >= 4
