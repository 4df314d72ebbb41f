"""An installation on a PostgreSQL of its own, with readers whose digest is due."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.clock import FixedClock
from paperround.db import engine as engines
from paperround.db import migrate
from paperround.db.transactions import SqlDatabase
from paperround.editions.store.lists import ListStore
from paperround.ops.tick import tick
from paperround.subscribers.model import Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import imported
from tests.databases import PostgresServer, postgres_server
from tests.reliability.fleet import CONNECTIONS
from tests.sample_database import fill, record

DURABLE = (
    "-c listen_addresses='' -c max_connections=100 -c shared_buffers=32MB"
    " -c synchronous_commit=on -c fsync=on"
)
SETTINGS = {
    "SECRET_KEY": "only-for-this-test-and-long-enough-for-it",
    "OPERATOR": "A test",
    "CONTACT": "keeper@example.org",
    "POSTAL_ADDRESS": "1 Paper Street, Pressburg",
    "MAIL_FROM": "Papers <digest@papers.example.org>",
    "SMTP_CONNECTIONS": str(CONNECTIONS),
    "LEASE_SECONDS": "10",
}


@contextmanager
def durable_server() -> Iterator[PostgresServer]:
    """A server of a test's own, which keeps its promises when it is killed."""
    with postgres_server(DURABLE) as found:
        if found.crash is None:
            pytest.skip("the PostgreSQL that TEST_DATABASE_URL names is not ours to kill")
        yield found


def prepare(url: str, folder: Path, *, readers: int, now: datetime) -> None:
    """Migrate the database at `url`. Everybody's digest is due within the two hours before `now`,
    of an edition of half a day ago."""
    before = now - timedelta(hours=12)
    with engines.opened(url) as engine:
        migrate.upgrade(engine)
        database = SqlDatabase(engine)
        with database.writing() as work:
            trending = work[ListStore].ensure_default(zone="UTC", now=before)
        fill(database, [record(n) for n in range(1, 4)], before - timedelta(hours=6))
        hour = Preferences(hour=(now - timedelta(hours=1)).hour)
        with database.writing() as work:
            for number in range(readers):
                reader = imported(f"reader{number}", preferences=hour)
                work[SubscriberStore].put(reader, trending.id, now=before)
    home = home_at(url, folder, before)
    assert tick(home.tick_context, now=before).editions
    assert isinstance(home.database, SqlDatabase)
    home.database.close()


def home_at(url: str, folder: Path, now: datetime) -> AppContext:
    """The installation as a process of it has it at `now`."""
    known: dict[str, Any] = {name.lower(): value for name, value in SETTINGS.items()}
    return AppContext(Settings(database_url=url, data_dir=folder, **known), FixedClock(now))
