"""Queues whose clock is set by hand, on threads and on PostgreSQL.

PostgreSQL's own clock says what is due there. So the database of these tests has a function `now()`
of its own that is found before the real one, and answers what a table says.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import Engine, make_url

from paperround.domain.work import Line
from paperround.queue.postgres import PostgresQueue
from paperround.store import engine as engines
from paperround.store import migrate
from paperround.store.schema import metadata
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
    """A queue on a timed database, which is put to the time that a test runs it at."""

    def __init__(self, engine: Engine, now: Callable[[], datetime], *lines: Line) -> None:
        super().__init__(
            partial(engines.driver_connection, engine),
            engines.driver_arguments(engine),
            now=now,
            lines=lines or tuple(Line),
        )
        self._url = engine.url.render_as_string(hide_password=False)

    def run_until_idle(self, *, now: datetime) -> int:
        """Set the database's clock, and run what is due by it."""
        if now.tzinfo is not None:
            set_clock(self._url, now)
        return super().run_until_idle(now=now)


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
