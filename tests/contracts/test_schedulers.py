"""Several schedulers on one database: every due instant is planned once."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from typing import NoReturn

import pytest
from sqlalchemy import Engine, func, select

from paperround.db.engine import opened
from paperround.db.schema import tables as db
from paperround.db.transactions import Database, SqlDatabase
from paperround.digests.plan import Hours, plan_due
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import HOUR, MINUTE, NOW, imported, seed_edition, seed_list, seed_papers
from tests.contracts.sleeper import Sleeper
from tests.races import LOST, at_once
from tests.sample_database import IDENTITY

SCHEDULERS = 4
HOURS = Hours(hour=10)
DUE = NOW + 2 * HOUR


def people(database: Database, count: int) -> None:
    """Readers who are due at DUE, and an edition for them."""
    trending, papers = seed_list(database), seed_papers(database, 3)
    seed_edition(database, trending, papers)
    with database.writing() as work:
        for number in range(count):
            work[SubscriberStore].put(imported(f"reader{number}"), trending.id, now=NOW)
    assert plan(database, late=-HOUR) == 0


def plan(database: Database, *, late: timedelta = 2 * HOUR) -> int:
    """Plan what is due some time after DUE; returns how many mails that made."""
    reports = plan_due(database=database, identity=IDENTITY, hours=HOURS, now=DUE + late)
    return reports["trending"].planned


def plan_three_times(url: str) -> None:
    """What one scheduler process does for three minutes."""
    with opened(url) as engine:
        for minute in range(3):
            plan(SqlDatabase(engine), late=2 * HOUR + minute * MINUTE)


def rows(engine: Engine) -> tuple[int, int]:
    """How many rows there are, and for how many people and dates."""
    c = db.deliveries.c
    pairs = select(c.subscription_id, c.local_date).distinct().subquery()
    with engine.connect() as connection:
        total = connection.execute(select(func.count()).select_from(db.deliveries)).scalar_one()
        return total, connection.execute(select(func.count()).select_from(pairs)).scalar_one()


def still_due(engine: Engine) -> int:
    """How many people's clocks have not been moved on."""
    waiting = select(func.count()).where(db.subscriptions.c.due_at <= DUE + 2 * HOUR)
    with engine.connect() as connection:
        return connection.execute(waiting).scalar_one()


@pytest.mark.accept("T6", part="short")
def test_four_schedulers_at_once_plan_every_due_instant_once(
    database: Database, engine: Engine
) -> None:
    people(database, 400)
    assert LOST not in at_once(SCHEDULERS, lambda _: plan(database))
    assert rows(engine) == (400, 400)
    assert still_due(engine) == 0


@pytest.mark.accept("T6", part="fenced")
@pytest.mark.parametrize("write", range(1, 6))
def test_a_scheduler_that_was_asleep_meanwhile_plans_nothing_again(
    database: Database, engine: Engine, write: int
) -> None:
    """However far it was: it may have chosen everybody's papers already."""
    people(database, 3)
    plan(Sleeper(database, write, lambda: plan(database)))
    assert rows(engine) == (3, 3)
    assert still_due(engine) == 0


@pytest.mark.accept("T6", part="take-over")
@pytest.mark.parametrize("write", range(1, 4))
def test_a_minute_after_a_scheduler_was_killed_another_one_has_done_its_work(
    database: Database, engine: Engine, write: int
) -> None:
    def kill() -> NoReturn:
        raise KeyboardInterrupt

    people(database, 3)
    with pytest.raises(KeyboardInterrupt):
        plan(Sleeper(database, write, kill))
    plan(database, late=2 * HOUR + MINUTE)
    assert rows(engine) == (3, 3)
    assert still_due(engine) == 0


@pytest.mark.long
@pytest.mark.accept("T6", part="10,000 due instants")
def test_four_scheduler_processes_plan_ten_thousand_due_instants_once(
    database: Database, engine: Engine, database_url: str
) -> None:
    people(database, 10_000)
    with ProcessPoolExecutor(SCHEDULERS, multiprocessing.get_context("spawn")) as processes:
        list(processes.map(plan_three_times, [database_url] * SCHEDULERS))
    assert rows(engine) == (10_000, 10_000)
    assert still_due(engine) == 0
