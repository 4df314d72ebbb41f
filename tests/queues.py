"""Queues whose clock is set by hand, on threads and on PostgreSQL.

PostgreSQL's own clock says what is due there. So the database of these tests has a function `now()`
of its own that is found before the real one, and answers what a table says.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import pytest
from procrastinate.worker import Worker
from sqlalchemy import Engine, make_url

from paperround.core.jobs import QueueName
from paperround.db import engine as engines
from paperround.db import migrate
from paperround.db.schema.tables import metadata
from paperround.ops.queue import ThreadQueue
from paperround.plugins.procrastinate.queue import PostgresQueue
from tests.databases import PostgresServer, opened, run_on

NOON = datetime(2026, 1, 30, 12, tzinfo=UTC)

CLOCK = f"""
CREATE SCHEMA clock;
CREATE TABLE clock.present (at timestamptz NOT NULL);
INSERT INTO clock.present VALUES ('{NOON.isoformat()}');
CREATE FUNCTION clock.now() RETURNS timestamptz STABLE LANGUAGE sql
    AS 'SELECT at FROM clock.present';
"""

THEIRS = ("procrastinate_jobs", "procrastinate_workers")
OURS = [table.name for table in reversed(metadata.sorted_tables)]
EMPTY = "; ".join(f"DELETE FROM {name}" for name in (*THEIRS, *OURS))


class Present:
    """A clock that is set by hand. `heard` is told whenever it is."""

    def __init__(self) -> None:
        self._moment = NOON
        self.heard: Callable[[datetime], None] = lambda _: None

    def __call__(self) -> datetime:
        return self._moment

    @property
    def moment(self) -> datetime:
        return self._moment

    @moment.setter
    def moment(self, moment: datetime) -> None:
        self._moment = moment
        self.heard(moment)


@contextmanager
def timed_database(server: PostgresServer) -> Iterator[str]:
    """The URL of a migrated database whose clock stands at NOON until it is set."""
    with server.created() as url:
        engine = engines.create(url)
        migrate.upgrade(engine)
        engine.dispose()
        run_on(url, CLOCK)
        name = make_url(url).database
        run_on(url, f"ALTER DATABASE {name} SET search_path = clock, public, pg_catalog")
        yield url


def set_clock(url: str, moment: datetime) -> None:
    """Put the clock of a timed database to `moment`."""
    run_on(url, f"UPDATE clock.present SET at = '{moment.isoformat()}'")


class TimedQueue(PostgresQueue):
    """A queue on a timed database."""

    def __init__(self, engine: Engine, now: Callable[[], datetime], *lines: QueueName) -> None:
        super().__init__(
            partial(engines.driver_connection, engine),
            engines.driver_arguments(engine),
            now=now,
            lines=lines or tuple(QueueName),
        )

    def run_waiting(self) -> int:
        """Run what waits, and what that adds, one after another; returns how many jobs ran."""
        before = sum(self.done().values())
        worker = Worker(
            self._app,
            wait=False,
            listen_notify=False,
            install_signal_handlers=False,
            delete_jobs="always",
        )
        self.once(worker.run)
        return sum(self.done().values()) - before

    def recover(self) -> None:
        """Put back what nobody runs."""
        self.once(self.manager.recover)

    def once(self, do: Callable[[], Awaitable[object]]) -> None:
        """Await `do` on a loop of its own."""

        async def within() -> None:
            async with self._app.open_async():
                await do()

        asyncio.run(within())


class SteppedQueue(ThreadQueue):
    """A queue in threads whose jobs a test may run by itself."""

    def run_waiting(self) -> int:
        """Run what waits, and what that adds, one after another; returns how many jobs ran."""
        ran = 0
        while self._waiting:
            self._tasks.run(self._waiting.pop(0))
            ran += 1
        return ran


@pytest.fixture
def present() -> Present:
    return Present()


@pytest.fixture(scope="session")
def timed_url(postgres: PostgresServer) -> Iterator[str]:
    with timed_database(postgres) as url:
        yield url


@pytest.fixture
def timed_engine(timed_url: str, present: Present) -> Iterator[Engine]:
    """The engine of a database without jobs, whose clock is that of the test."""
    run_on(timed_url, EMPTY)
    present.heard = partial(set_clock, timed_url)
    present.moment = NOON
    with opened(timed_url) as engine:
        yield engine
