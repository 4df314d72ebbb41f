"""Create and migrate procrastinate's tables, the job queue on PostgreSQL.

procrastinate ships a full schema for an empty database, and a file per migration. The table
`queue_migrations` lists the applied ones, so that an upgrade applies each once, in order. If
procrastinate's tables are missing, the list is ignored and everything is created again: jobs only
refer to rows that exist, so they are enqueued again. Finding missing migrations only reads file
names, and imports nothing of the package.
"""

import importlib.util
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, text

from paperround.core.errors import Misconfigured
from paperround.db.engine import HOW_TO_INSTALL_DRIVER

APPLIED = "queue_migrations"
THEIRS = "procrastinate_"

_PACKAGE = "procrastinate"
_JOBS = f"{THEIRS}jobs"
_SELECT_TABLES = text(
    "SELECT relname FROM pg_class"
    f" WHERE relname IN ('{APPLIED}', '{_JOBS}') AND pg_table_is_visible(oid)"
)
"""Reads the catalogue: `to_regclass` may return a cached result from before a lock was granted."""

_CREATE_APPLIED = f"CREATE TABLE IF NOT EXISTS {APPLIED} (name text PRIMARY KEY)"
_SELECT_APPLIED = text(f"SELECT name FROM {APPLIED}")
_INSERT_APPLIED = text(f"INSERT INTO {APPLIED} (name) VALUES (:name)")
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
    """Return the SQL folder of the installed package. Raises Misconfigured if there is none."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise Misconfigured(f"PostgreSQL needs its queue: {HOW_TO_INSTALL_DRIVER}")
    return Path(found.submodule_search_locations[0]) / "sql"


@cache
def shipped_migrations(folder: Path) -> tuple[str, ...]:
    """Return the names of the migrations in a package's folder, in order."""
    return tuple(path.stem for path in sorted((folder / "migrations").glob("*.sql")))


def missing(connection: Connection) -> list[str]:
    """Return the missing migrations in order; empty on SQLite."""
    if connection.dialect.name != "postgresql":
        return []
    is_there = _existing_tables(connection) == {APPLIED, _JOBS}
    done = set(connection.execute(_SELECT_APPLIED).scalars()) if is_there else ()
    return [name for name in shipped_migrations(package()) if name not in done]


def missing_migrations(connection: Connection) -> list[str]:
    """Return messages about missing migrations."""
    lacking = missing(connection)
    if lacking and len(lacking) == len(shipped_migrations(package())):
        return ["the queue has no tables"]
    return [f"the queue's tables lack the change {name}" for name in lacking]


def apply_next(connection: Connection) -> None:
    """Apply and record the next missing migration, or create the full schema without tables.

    Only one process may do so at a time, each migration in its own transaction: a value added to
    an enum type can only be used after the commit.
    """
    lacking = missing(connection)
    if not lacking:
        return
    if _JOBS not in _existing_tables(connection):
        remove(connection)  # leftover functions and types would conflict
        _run(connection, package() / "schema.sql")
    else:
        lacking = lacking[:1]
        _run(connection, package() / "migrations" / f"{lacking[0]}.sql")
    connection.exec_driver_sql(_CREATE_APPLIED)
    connection.execute(_INSERT_APPLIED, [{"name": name} for name in lacking])


def remove(connection: Connection) -> None:
    """Drop the queue's tables, functions and types, and so all jobs. Does nothing on SQLite."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_DROP.replace("%", "%%"))
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {APPLIED}")


def is_declared(name: str | None) -> bool:
    """Whether a table is not one of the queue's, which the schema does not declare."""
    return name is None or not (name == APPLIED or name.startswith(THEIRS))


def _run(connection: Connection, script: Path) -> None:
    """Run a script. The driver accepts several statements when there are no parameters."""
    connection.exec_driver_sql(script.read_text(encoding="utf-8").replace("%", "%%"))


def _existing_tables(connection: Connection) -> frozenset[str]:
    return frozenset(connection.execute(_SELECT_TABLES).scalars())
