"""PostgreSQL's own count of statements stays readable: a day is some hundred texts, whoever reads
and however many."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from paperround.bounces.classify import evidence_of_outcome
from paperround.bounces.handling import record_refusals
from paperround.core.clock import FixedClock
from paperround.core.errors import Conflict
from paperround.db import engine as engines
from paperround.db import migrate
from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.history import SentPapers
from paperround.digests.sending import DeliveryContext, deliver
from paperround.editions.store.lists import ListStore
from paperround.feeds.store.feeds import FeedStore
from paperround.subscribers.model import SubscriberId
from tests.builders import HOUR, seed_list
from tests.databases import SERVER_OPTIONS, opened, postgres_server
from tests.delivery.publishing import send
from tests.fakes import SENDER_IDENTITY, Neighbours, PlainRenderer, ScriptedMailer, accepting
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

COUNTING = f"{SERVER_OPTIONS} -c shared_preload_libraries=pg_stat_statements"
EXTENSION = "CREATE EXTENSION pg_stat_statements"
STATEMENTS = """
    SELECT query FROM pg_stat_statements AS one JOIN pg_database AS base ON base.oid = one.dbid
    WHERE base.datname = current_database() AND query NOT LIKE '%pg_stat%'
"""


@pytest.fixture(scope="module")
def counting() -> Iterator[Engine]:
    """A migrated database on a server that counts statements."""
    with postgres_server(COUNTING) as server, server.created() as url, opened(url) as engine:
        with engine.begin() as connection:
            try:
                connection.exec_driver_sql(EXTENSION)
            except DBAPIError:
                pytest.skip("needs the extension pg_stat_statements, and a server that loads it")
        migrate.upgrade(engine)
        seed_list(SqlDatabase(engine))
        yield engine


def texts(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.exec_driver_sql(STATEMENTS.replace("%", "%%")).scalars())


def live_a_day(database: SqlDatabase, day: int, *, readers: int, papers: int) -> None:
    """Papers come, are searched, chosen and mailed; all numbers are others than the day before."""
    now = NOW + timedelta(days=day)
    fill(database, [record(100 * day + n) for n in range(1, papers)], now)
    subscribe(database, *(f"day{day}-{n}" for n in range(readers)))
    send(database, days=day)
    with database.writing() as work:
        for number in range(day + 2):
            work[FeedStore].get_or_create(f"feed-{day}-{number}", "hf", now=now)
        for _ in range(day + 2):
            assert work[FeedStore].lease_due(["hf"], Neighbours(), until=now + HOUR, now=now)
    with database.reading() as work:
        work[SentPapers].already_sent([SubscriberId(n * 7) for n in range(readers)])
    mailing = DeliveryContext(
        judge=evidence_of_outcome,
        record_refusals=record_refusals,
        database=database,
        mailer=ScriptedMailer(accepting),
        renderer=PlainRenderer(),
        sender_identity=SENDER_IDENTITY,
        keys=IDENTITY.keys,
        clock=FixedClock(now),
        processes=Neighbours(),
        lease=timedelta(seconds=900),
        jitter=Random(1),  # noqa: S311 - the same waits in every run
    )
    assert deliver(mailing).totals.sent > 0


@pytest.mark.accept("F47", part="statements")
def test_more_people_and_papers_make_no_more_kinds_of_statements(counting: Engine) -> None:
    database = SqlDatabase(counting)
    for day, (readers, papers) in enumerate([(12, 14), (29, 70)]):
        live_a_day(database, day, readers=readers, papers=papers)
    known = texts(counting)
    live_a_day(database, 2, readers=37, papers=31)
    assert len(known) > 20
    assert sorted(texts(counting) - known) == []


def test_no_value_stands_in_a_statement(counting: Engine) -> None:
    live_a_day(SqlDatabase(counting), 3, readers=11, papers=12)
    assert [one for one in texts(counting) if "day3-" in one or "reader" in one] == []


@pytest.mark.accept("F47", part="limits")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lock_timeout", "5s"),
        ("statement_timeout", "1min"),
        ("idle_in_transaction_session_timeout", "1min"),
        ("TimeZone", "UTC"),
    ],
)
def test_nothing_waits_or_works_for_ever(postgres_url: str, name: str, value: str) -> None:
    with opened(postgres_url) as engine:
        for one in (engines.reader(engine), engines.writer(engine)):
            with one.connect() as connection:
                assert connection.exec_driver_sql(f"SHOW {name}").scalar_one() == value


def test_a_lock_that_is_held_ends_in_a_conflict_that_may_be_tried_again(postgres_url: str) -> None:
    with opened(postgres_url) as engine:
        database = SqlDatabase(engine)
        seed_list(database)
        with engine.connect() as holder, holder.begin():
            holder.exec_driver_sql("SELECT * FROM lists FOR UPDATE").all()
            with pytest.raises(Conflict, match="try again"):
                pause_at_once(database)
        with engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM lists")


def pause_at_once(database: SqlDatabase) -> None:
    """Pause every list, or give up after a moment."""
    with database.writing() as work:
        work.connection.exec_driver_sql("SET LOCAL lock_timeout = '20ms'")
        work[ListStore].hold_after_restore(now=NOW)
