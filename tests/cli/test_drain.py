"""What was heard while the database was away is written down while a process lives."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest

from paperround.bootstrap import AppContext
from paperround.cli.process import drain
from paperround.config import Settings
from paperround.core.clock import StartedClock
from paperround.core.errors import DatabaseFailed
from paperround.db.transactions import RetryPolicy, SqlDatabase, Transaction
from tests.builders import NOW
from tests.databases import postgres, postgres_url, run_on
from tests.delivery.distant import Distant
from tests.queues import EMPTY

__all__ = ["postgres", "postgres_url"]

MOST_SECONDS = 20.0


@pytest.fixture
def home(tmp_path: Path) -> AppContext:
    """An embedded installation."""
    return AppContext(Settings(data_dir=tmp_path), StartedClock(NOW))


@pytest.fixture
def worker(postgres_url: str, tmp_path: Path) -> Iterator[AppContext]:
    """One process of many."""
    run_on(postgres_url, EMPTY)
    secret = "a secret that is only used by these tests"
    settings = Settings(data_dir=tmp_path, database_url=postgres_url, secret_key=secret)
    yield AppContext(settings, StartedClock(NOW))
    run_on(postgres_url, EMPTY)


def leave_unwritten(home: AppContext, *, fails: bool = False) -> Event:
    """Something is heard while the database is away; what is set once it is written down."""
    assert isinstance(home.database, SqlDatabase)
    written = Event()

    def do(_: Transaction) -> None:
        if fails:
            raise DatabaseFailed("nobody is there")
        written.set()

    with suppress(DatabaseFailed):
        away = Distant(home.database, away=True)
        home.pending_writes.write(away, do, RetryPolicy(lambda _: True))
    assert not written.is_set()
    return written


def ends(*, drain_seconds: float) -> bool:
    return drain_seconds > 0


def hangs(*, drain_seconds: float) -> bool:
    return drain_seconds < 0


def test_a_process_that_ends_writes_down_what_it_heard(home: AppContext) -> None:
    written = leave_unwritten(home)
    drain(home, ends)
    assert written.is_set()


def test_where_it_cannot_it_says_what_becomes_of_the_mails(
    home: AppContext, caplog: pytest.LogCaptureFixture
) -> None:
    leave_unwritten(home, fails=True)
    with caplog.at_level(logging.ERROR):
        drain(home, ends)
    assert "they become unknown: nobody is there" in caplog.text


def test_one_whose_jobs_hang_waits_for_nothing_more(home: AppContext) -> None:
    written = leave_unwritten(home)
    drain(home, hangs)
    assert not written.is_set()


def test_a_process_of_many_writes_it_down_though_another_one_sends(worker: AppContext) -> None:
    written = leave_unwritten(worker)
    worker.queue.start()
    try:
        assert written.wait(MOST_SECONDS)
    finally:
        worker.queue.stop(drain_seconds=MOST_SECONDS)
