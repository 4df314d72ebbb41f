"""The processes of many machines: who asks, who takes over, who lives, on every database."""

from datetime import timedelta
from functools import partial

import pytest

from paperround.core.interfaces import Worker
from paperround.core.jobs import QueueName
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database
from paperround.ops.cleanup import clean_up
from paperround.ops.cluster import check_in, cluster_status, record_worker_heartbeat, sign_off
from paperround.scheduler import POLL_SECONDS
from tests.builders import HOUR, MINUTE, NOW
from tests.contracts.sleeper import Sleeper
from tests.races import at_once
from tests.sample_database import IDENTITY

ANN, BOB = (Worker(host="north", pid=number, started="") for number in (1, 2))
SECOND = timedelta(seconds=1)
BOTH = (QueueName.NOTICES, QueueName.MAIL)


def asks(database: Database, who: Worker, *, after: timedelta = timedelta(0)) -> bool:
    """Whether a scheduler that looks some time after NOW is the one that asks."""
    return check_in(database, who, (), (), now=NOW + after)


def asks_at(database: Database, after: timedelta, _: int) -> bool:
    return asks(database, ANN, after=after)


@pytest.mark.accept("T6", part="one tick of many schedulers")
def test_of_many_schedulers_one_asks_in_each_period(database: Database) -> None:
    for minute in range(3):
        looks = at_once(4, partial(asks_at, database, minute * MINUTE))
        assert looks.count(True) == 1


@pytest.mark.accept("T6", part="take-over within a minute")
def test_a_scheduler_that_died_is_replaced_within_a_minute(database: Database) -> None:
    """Bob looks as often as schedulers do, from the moment Ann has asked and died."""
    assert asks(database, ANN)
    takes_over = next(
        second
        for second in range(0, 600, POLL_SECONDS)
        if asks(database, BOB, after=second * SECOND)
    )
    assert takes_over <= 60


@pytest.mark.accept("T6", part="the period of a sleeper is taken")
def test_a_scheduler_that_was_asleep_finds_its_period_taken(database: Database) -> None:
    """Ann read the clock and was stopped; Bob went on for two hours."""
    nights = range(0, 7200, 50)
    sleeper = Sleeper(
        database, 1, lambda: [asks(database, BOB, after=second * SECOND) for second in nights]
    )
    assert not asks(sleeper, ANN)


@pytest.mark.accept("T6", part="a clock is put back")
def test_a_clock_that_is_put_back_stops_the_rounds_for_minutes_only(database: Database) -> None:
    """An hour's periods were taken ahead of their time."""
    ahead = [asks(database, ANN, after=HOUR + second * SECOND) for second in range(0, 3600, 50)]
    assert all(ahead)
    assert asks(database, ANN)
    later = range(0, 7200, 50)
    assert all(asks(database, ANN, after=second * SECOND) for second in later[1:])


def test_clocks_that_differ_a_little_share_their_periods(database: Database) -> None:
    assert asks(database, ANN, after=MINUTE)
    assert asks(database, BOB)
    assert not asks(database, BOB, after=MINUTE)


def test_whoever_leaves_signs_of_life_lives(database: Database) -> None:
    asks(database, ANN)
    record_worker_heartbeat(database, BOB, BOTH, now=NOW)
    with database.reading() as work:
        soon = cluster_status(work, now=NOW + 10 * SECOND)
        assert soon.schedulers == ("north/1",)
        assert soon.workers == {"north/2": frozenset(BOTH)}
        later = cluster_status(work, now=NOW + 30 * SECOND)
        assert (later.schedulers, later.workers) == ((), {"north/2": frozenset(BOTH)})
        assert cluster_status(work, now=NOW + 31 * SECOND).workers == {}


def test_a_worker_of_a_later_version_may_serve_what_we_do_not_know(database: Database) -> None:
    with database.writing() as work:
        work[SlotStore].beat("worker/north/1/mail,pigeons", now=NOW)
        assert cluster_status(work, now=NOW).workers == {"north/1": frozenset({QueueName.MAIL})}


def test_whoever_ends_politely_is_gone_at_once(database: Database) -> None:
    asks(database, ANN)
    record_worker_heartbeat(database, BOB, BOTH, now=NOW)
    sign_off(database, ANN, None)
    sign_off(database, BOB, BOTH)
    with database.reading() as work:
        people = cluster_status(work, now=NOW)
    assert (people.schedulers, people.workers) == ((), {})


def test_signs_of_life_of_the_dead_are_forgotten(database: Database) -> None:
    asks(database, ANN)
    record_worker_heartbeat(database, BOB, BOTH, now=NOW)
    record_worker_heartbeat(database, ANN, BOTH, now=NOW + 2 * HOUR)
    clean_up(database=database, identity=IDENTITY, now=NOW + 2 * HOUR)
    with database.reading() as work:
        assert list(work[SlotStore].beats("worker/")) == ["north/1/notices,mail"]
        assert list(work[SlotStore].beats("scheduler/")) == []
