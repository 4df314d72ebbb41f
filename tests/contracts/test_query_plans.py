"""What runs every minute, or for every mail, reads what it needs and not the whole table."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from paperround.core.interfaces import Worker
from paperround.db.transactions import SqlDatabase, Transaction
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.editions.lists import ListId
from paperround.editions.model import DeliveryId
from paperround.editions.store.lists import ListStore
from paperround.feeds.store.feeds import FeedStore
from paperround.plugins.channels.store import PostLedger
from paperround.ranking.store import ModelStore
from paperround.subscribers.model import SubscriptionId
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import DAY, HOUR, NOW, TOKEN, lease
from tests.databases import opened

LIST = ListId(1)
DAY_AGO = NOW - timedelta(days=1)
Ask = Callable[[Transaction], object]


class Alive:
    """Says of every process that it lives."""

    def current(self) -> Worker:
        return lease().worker

    def is_dead(self, worker: Worker) -> bool:
        return worker.pid < 0


@pytest.fixture
def engine(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """An SQLite database: its planner has no figures to go by, and says what it does in words."""
    path = shutil.copy(sqlite_template, tmp_path / "paperround.db")
    with opened(f"sqlite:///{path}") as engine:
        yield engine


@contextmanager
def plans(engine: Engine) -> Iterator[list[str]]:
    """How SQLite runs the statements that are sent meanwhile, a line a step."""
    steps: list[str] = []

    def explain(
        connection: Connection, _cursor: object, statement: str, parameters: object, *_: object
    ) -> None:
        if statement.startswith(("SELECT", "UPDATE")):
            driver = connection.connection.driver_connection
            assert driver is not None
            rows = driver.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps.extend(row[3] for row in rows)

    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield steps
    finally:
        event.remove(engine, "before_cursor_execute", explain)


GROWING = ("deliveries", "subscriptions", "subscribers", "notices", "listings", "runs", "models")


def scans(steps: list[str]) -> list[str]:
    """Steps that read a table that grows with people or days from end to end."""
    return [
        step
        for step in steps
        if step.startswith("SCAN") and step.split()[1] in GROWING and "ix_" not in step
    ]


@pytest.mark.accept("B16", part="plans")
@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda work: work[Ledger].backlog(LIST, now=NOW), "ix_deliveries_waiting (list_id=?)"),
        (lambda work: work[Ledger].missed(LIST, since=DAY), "ix_deliveries_missed (list_id=?"),
        (lambda work: work[Ledger].totals(now=NOW), "edition_id"),
        (lambda work: work[Ledger].expire(now=NOW), "ix_deliveries_ends"),
        (lambda work: work[Ledger].reclaim(Alive(), now=NOW), "ix_deliveries_leases"),
        (lambda work: work[Ledger].give_up(TOKEN), "ix_deliveries_leases"),
        (
            lambda work: work[PostLedger].claim(lease(), limit=1, now=NOW),
            "SEARCH deliveries USING INDEX ix_deliveries_subscriber_id (subscriber_id=?)",
        ),
        (lambda work: work[NoticeLedger].expire(now=NOW), "ix_notices_ends"),
        (lambda work: work[NoticeLedger].claim(lease(), limit=9, now=NOW), "ix_notices_due"),
        (
            lambda work: work[FeedStore].brought(since=DAY_AGO, until=NOW),
            "ix_listings_first_seen_at",
        ),
        (lambda work: work[FeedStore].forget_names(before=NOW), "ix_runs_named (started_at<?)"),
        (
            lambda work: work[ModelStore].newest("prior", by=NOW),
            "ix_models_name_as_of (name=? AND as_of<?)",
        ),
        (lambda work: work[SubscriberStore].unscheduled(limit=9), "ix_subscriptions_no_clock"),
        (
            lambda work: work[SubscriberStore].due(LIST, now=NOW, limit=9, after=SubscriptionId(0)),
            "SEARCH subscriptions USING INDEX ix_subscriptions_due (list_id=? AND due_at<?)",
        ),
    ],
)
def test_a_question_of_every_minute_uses_its_index(engine: Engine, ask: Ask, index: str) -> None:
    with SqlDatabase(engine).writing() as work, plans(engine) as steps:
        ask(work)
    assert any(index in step for step in steps), steps
    assert scans(steps) == []


def test_a_claim_looks_only_at_the_lines_that_move(engine: Engine) -> None:
    database = SqlDatabase(engine)
    with database.writing() as work:
        default = work[ListStore].ensure_default(zone="UTC", now=NOW)
        with plans(engine) as steps:
            lines = work[Ledger].claim(lease(), limit=9, now=NOW)
            work[ListStore].pause(default.id, now=NOW)
            work[Ledger].claim(lease(), limit=9, now=NOW + timedelta(days=1))
    assert lines == []
    assert any("ix_deliveries_due (list_id=?" in step for step in steps), steps
    assert scans(steps) == []


def test_a_mark_finds_its_rows_and_their_people_by_key(engine: Engine) -> None:
    with SqlDatabase(engine).writing() as work, plans(engine) as steps:
        work[Ledger].mark_in_data([DeliveryId(1)], TOKEN, until=NOW + HOUR, now=NOW)
    assert "SEARCH deliveries USING INTEGER PRIMARY KEY (rowid=?)" in steps
    assert scans(steps) == []
