"""Migrate a database to the schema this version needs, and compare it with the declared one.

All pending migrations run in one transaction, so a killed process leaves the old schema or the new
one. SQLite copies a table to change it, and would delete the children of the copied rows: so
foreign keys are off meanwhile, and checked before the commit.

On PostgreSQL other processes continue. A schema change waits for the readers of a table, and all
other transactions queue behind it: so it gives up after `LOCK_SECONDS`, rolls back, and retries
later.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from paperround.core.errors import DatabaseFailed, SchemaOutOfDate
from paperround.core.paths import data_path
from paperround.db.dialect import is_lost_race, reason_of
from paperround.db.engine import driver_of, rest, writer
from paperround.db.revisions import head, require_not_moved
from paperround.db.schema import queue, search
from paperround.db.schema.tables import RETIRED, metadata


def _is_declared(name: str | None, kind: str, parents: Any) -> bool:
    return search.is_declared(name, kind, parents) and (
        kind != "table" or (queue.is_declared(name) and name not in RETIRED)
    )


OPTIONS: Mapping[str, Any] = {
    "target_metadata": metadata,
    "compare_type": True,
    "compare_server_default": True,
    "render_as_batch": True,
    "include_name": _is_declared,
}
"""Alembic's options for migrations and for comparing a database with the declared schema."""

HEAD = "head"

LOCK_SECONDS = 3
"""How long a migration waits for a table lock on PostgreSQL, with other transactions behind it."""

LOCK_PAUSES = (1.0, 2.0, 5.0, 10.0, 20.0)
"""Seconds to wait before each retry."""

_MIGRATION_LOCK = 7_276_943_051
"""An arbitrary number; no other advisory lock on the database may use it."""


def upgrade(
    engine: Engine, revision: str = HEAD, *, pause: Callable[[float], None] = rest
) -> list[str]:
    """Migrate to `revision`, unless the database is already there.

    With the newest revision this also migrates the queue's tables; returns the names of those
    changes. Raises SchemaOutOfDate for a database of a newer version, MovedAway for one that is
    part of a move, and Misconfigured when PostgreSQL's queue is not installed.
    """
    require_not_moved(engine)

    def run(connection: Connection) -> None:
        try:
            command.upgrade(alembic_config(connection), revision)
        except CommandError as error:
            raise SchemaOutOfDate(
                f"the database cannot be brought to this version's schema: {error}; "
                "install the version of Paperround that last used it"
            ) from error

    run_with_lock_retries(engine, run, pause)
    return upgrade_queue(engine, pause=pause) if revision == HEAD else []


def upgrade_and_check(engine: Engine) -> list[str]:
    """Upgrade to the newest revision, and check that nothing is missing afterwards.

    Raises what `upgrade` raises, and SchemaOutOfDate when something is missing.
    """
    of_queue = upgrade(engine)
    lacking = [line for line in check_drift(engine) if not line.endswith(NOT_DECLARED)]
    if lacking:
        raise SchemaOutOfDate(
            f"the database is at revision {head()}, but its schema is not: "
            f"{'; '.join(lacking)}. Restore the backup from before the upgrade and upgrade that, "
            "or create what is missing by hand; `paperround db check` checks again"
        )
    return of_queue


def upgrade_queue(engine: Engine, *, pause: Callable[[float], None] = rest) -> list[str]:
    """Apply the missing migrations of the queue's tables, and return their names."""

    def find_missing() -> list[str]:
        with engine.connect() as connection:
            return queue.missing(connection)

    missing = still_missing = find_missing()
    while still_missing:
        run_with_lock_retries(engine, queue.apply_next, pause)
        still_missing = find_missing()
    return missing


def run_with_lock_retries(
    engine: Engine, run: Callable[[Connection], None], pause: Callable[[float], None] = rest
) -> None:
    """Run `run` in one transaction; after a lock timeout pause and retry.

    Raises DatabaseFailed when the retries are used up, or when the database fails otherwise.
    """
    for pause_after in (*LOCK_PAUSES, None):
        try:
            with migrating(engine) as connection:
                run(connection)
        except DBAPIError as error:
            if not is_lost_race(error):
                words = f"the schema was not changed: {reason_of(error)}"
                raise DatabaseFailed(words) from error
            if pause_after is None:
                raise DatabaseFailed(
                    "the schema was not changed: another session locks a table for more than "
                    f"{LOCK_SECONDS} seconds each time. Stop it (a long report, a dump), and run "
                    "`paperround db upgrade` again"
                ) from error
            pause(pause_after)
        else:
            return


def check_drift(engine: Engine) -> list[str]:
    """Return the differences from the declared schema, one line each."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=dict(OPTIONS))
        drift = compare_metadata(context, metadata)
        return [*describe_drift(drift), *queue.missing_migrations(connection)]


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that may rebuild tables.

    Rolls back and raises SchemaOutOfDate when a row would refer to a missing row.
    """
    with writer(engine).connect() as connection, _loose_references(connection), connection.begin():
        if connection.dialect.name == "postgresql":
            # One migration at a time, without a timeout. (SQLite has BEGIN IMMEDIATE.)
            no_limits = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0"
            connection.exec_driver_sql(no_limits)
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        yield connection
        search.recreate_triggers(connection)
        if connection.dialect.name != "sqlite":
            return
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            tables = ", ".join(sorted({row[0] for row in broken}))
            raise SchemaOutOfDate(
                f"the migration was rolled back: {len(broken)} rows of {tables} would refer to "
                "missing rows; "
                "restore a backup or report this with the revision you came from"
            )


@contextmanager
def _loose_references(connection: Connection) -> Iterator[None]:
    """Turn SQLite's foreign keys off. Needs no open transaction: within one that has no effect."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = driver_of(connection)
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def alembic_config(connection: Connection) -> Config:
    """Return the configuration with which Alembic's commands run on `connection`."""
    config = Config(str(data_path("alembic.ini")))
    config.set_main_option("script_location", str(data_path("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


NOT_DECLARED = "is not declared"
"""How a line ends about something in the database that the schema does not declare."""


def describe_drift(differences: Sequence[Any]) -> Iterator[str]:
    """Yield a line for each difference that Alembic found.

    `add_...` is missing in the database, `remove_...` is not declared; a list has the aspects in
    which a column differs.
    """
    for one in differences:
        if isinstance(one, list):
            for what, _, table, column, _, found, declared in one:
                aspect = f"{what.removeprefix('modify_')} of {table}.{column}"
                yield f"the {aspect} is {_text(found)}, declared as {_text(declared)}"
            continue
        change, _, kind = one[0].partition("_")
        thing = one[-1]
        named = f"{one[2]}.{thing.name}" if kind == "column" else thing.name or "without a name"
        if kind not in {"column", "table"}:
            named += f" of {thing.table.name}"
        yield f"the {kind} {named} {'is missing' if change == 'add' else NOT_DECLARED}"


def _text(value: Any) -> str:
    text = getattr(getattr(value, "arg", value), "text", value)  # unwraps a server default
    return "none" if text is None else str(text)
