"""The tables of the queue on PostgreSQL, which are procrastinate's: what is shipped, what is there.

Its package holds one file with everything, for a database that has nothing yet, and one file a
change. Which of them a database has stands in a book of ours, `queue_migrations`, so that the
changes of a later version are made once, in their order. Where the tables themselves are gone the
book counts for nothing, and all of it is made anew: a job names rows that are there, so whoever
looks at those asks for it again. Telling what is missing reads names of files and needs none of the
package's code.
"""

import importlib.util
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, text

from paperround.core.errors import Misconfigured

BOOK = "queue_migrations"
THEIRS = "procrastinate_"

_PACKAGE = "procrastinate"
_JOBS = f"{THEIRS}jobs"
_THERE = text(
    "SELECT relname FROM pg_class"
    f" WHERE relname IN ('{BOOK}', '{_JOBS}') AND pg_table_is_visible(oid)"
)
"""Read from the catalogue: what `to_regclass` remembers may be older than a lock that was waited
for."""

_MAKE_BOOK = f"CREATE TABLE IF NOT EXISTS {BOOK} (name text PRIMARY KEY)"
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
    there = _there(connection) == {BOOK, _JOBS}
    done = set(connection.execute(_BOOKED).scalars()) if there else ()
    return [name for name in shipped(folder or package()) if name not in done]


def drift(connection: Connection) -> list[str]:
    """What is missing, in words."""
    lacking = missing(connection)
    if lacking and len(lacking) == len(shipped(package())):
        return ["the queue has no tables"]
    return [f"the queue's tables lack the change {name}" for name in lacking]


def make_next(connection: Connection, *, folder: Path | None = None) -> None:
    """Make the first change that is missing, with its entry in the book; all of them at once where
    there are no tables. One process at a time may do so, each change in a transaction of its own:
    a value that one adds to a type can be used by the next one only."""
    shelf = folder or package()
    lacking = missing(connection, folder=shelf)
    if not lacking:
        return
    if _JOBS not in _there(connection):
        remove(connection)  # what may be left beside the tables is in the way
        _run(connection, shelf / "schema.sql")
    else:
        lacking = lacking[:1]
        _run(connection, shelf / "migrations" / f"{lacking[0]}.sql")
    connection.exec_driver_sql(_MAKE_BOOK)
    connection.execute(_ENTER, [{"name": name} for name in lacking])


def remove(connection: Connection) -> None:
    """Drop all of it, with the jobs in it; nothing where there is nothing."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_DROP.replace("%", "%%"))
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {BOOK}")


def is_declared(name: str | None) -> bool:
    """Whether a table may be one of ours: theirs are not declared by us."""
    return name is None or not (name == BOOK or name.startswith(THEIRS))


def _run(connection: Connection, script: Path) -> None:
    """Several statements at once, as the driver sends them when there are no parameters."""
    connection.exec_driver_sql(script.read_text(encoding="utf-8").replace("%", "%%"))


def _there(connection: Connection) -> frozenset[str]:
    return frozenset(connection.execute(_THERE).scalars())
