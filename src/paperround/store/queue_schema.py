"""The tables of the queue on PostgreSQL, which are procrastinate's: what is shipped, what is there.

Its package holds one file with everything, for a database that has nothing yet, and one file a
change. Which of them a database has stands in a book of ours, `queue_migrations`, so that the
changes of a later version are made once, in their order. Telling what is missing reads names of
files and needs none of the package's code.
"""

import importlib.util
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from paperround.domain.errors import Misconfigured

BOOK = "queue_migrations"
THEIRS = "procrastinate_"

_PACKAGE = "procrastinate"
_MAKE_BOOK = f"CREATE TABLE {BOOK} (name text PRIMARY KEY)"
_BOOKED = text(f"SELECT name FROM {BOOK}")
_ENTER = text(f"INSERT INTO {BOOK} (name) VALUES (:name)")
_DROP = r"""
DO $$
DECLARE one record;
BEGIN
    FOR one IN SELECT tablename AS name FROM pg_tables
        WHERE schemaname = current_schema() AND tablename LIKE 'procrastinate\_%' LOOP
        EXECUTE format('DROP TABLE %I CASCADE', one.name);
    END LOOP;
    FOR one IN SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'procrastinate\_%' LOOP
        EXECUTE format('DROP FUNCTION %s CASCADE', one.name);
    END LOOP;
    FOR one IN SELECT typname AS name FROM pg_type
        WHERE typnamespace = current_schema()::regnamespace AND typname LIKE 'procrastinate\_%'
        AND typelem = 0 LOOP
        EXECUTE format('DROP TYPE IF EXISTS %I CASCADE', one.name);
    END LOOP;
END $$
"""


def package() -> Path:
    """The folder of what the installed package ships. Raises Misconfigured where it is not
    installed."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise Misconfigured("PostgreSQL needs its queue: pip install 'paperround[postgres]'")
    return Path(found.submodule_search_locations[0]) / "sql"


@cache
def shipped(folder: Path) -> tuple[str, ...]:
    """The names of the changes in a package's folder, in their order."""
    return tuple(path.stem for path in sorted((folder / "migrations").glob("*.sql")))


def missing(connection: Connection, *, folder: Path | None = None) -> list[str]:
    """The changes that the database lacks, in their order; empty for another than PostgreSQL.
    `folder` is that of another package than the installed one."""
    if connection.dialect.name != "postgresql":
        return []
    done = _booked(connection)
    return [name for name in shipped(folder or package()) if name not in done]


def drift(connection: Connection) -> list[str]:
    """What is missing, in words."""
    lacking = missing(connection)
    if lacking and len(lacking) == len(shipped(package())):
        return ["the queue has no tables"]
    return [f"the queue's tables lack the change {name}" for name in lacking]


def upgrade(engine: Engine, *, lock: int, folder: Path | None = None) -> list[str]:
    """Make the changes that are missing, each with its entry in the book in a transaction of its
    own, one process at a time by the advisory lock `lock`. Returns what was made."""
    made: list[str] = []
    if engine.dialect.name != "postgresql":
        return made
    while step := _next_step(engine, lock, folder or package()):
        made += step
    return made


def remove(connection: Connection) -> None:
    """Drop all of it, with the jobs in it; nothing where there is nothing."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_DROP.replace("%", "%%"))
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {BOOK}")


def is_declared(name: str | None) -> bool:
    """Whether a table may be one of ours: theirs are not declared by us."""
    return name is None or not (name == BOOK or name.startswith(THEIRS))


def _next_step(engine: Engine, lock: int, folder: Path) -> list[str]:
    """The first change that is missing; all of them at once where there is nothing yet."""
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({lock})")
        lacking = missing(connection, folder=folder)
        if not lacking:
            return []
        is_new = not inspect(connection).has_table(BOOK)
        if is_new:
            connection.exec_driver_sql(_MAKE_BOOK)
        whole = is_new and not inspect(connection).has_table(f"{THEIRS}jobs")
        step = lacking if whole else lacking[:1]
        file = folder / ("schema.sql" if whole else f"migrations/{step[0]}.sql")
        _run(connection, file.read_text(encoding="utf-8"))
        connection.execute(_ENTER, [{"name": name} for name in step])
        return step


def _run(connection: Connection, script: str) -> None:
    """Several statements at once, as the driver sends them when there are no parameters."""
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - a connection in use has one
    driver.execute(script)


def _booked(connection: Connection) -> frozenset[str]:
    if not inspect(connection).has_table(BOOK):
        return frozenset()
    return frozenset(connection.execute(_BOOKED).scalars())
