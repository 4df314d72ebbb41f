"""Bringing a database to the schema this version needs, and comparing it with what is declared.

Everything pending runs in one transaction, so a process killed in the middle leaves the old
schema or the new one. SQLite copies a table to change it, and would delete the children of the
copied rows: so foreign keys are off while that lasts, and checked before the commit.

On PostgreSQL others go on meanwhile. A change of a table waits for whoever reads it, and everybody
else waits behind: so it gives way after `LOCK_SECONDS`, keeps nothing, and tries again later.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from paperround.core import paths
from paperround.core.errors import DatabaseFailed, SchemaOutOfDate
from paperround.db.dialect import is_lost_race, reason_of
from paperround.db.engine import rest
from paperround.db.revisions import head, require_here
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
"""How migrations are run and how a database is compared with the declared schema."""

HEAD, BASE = "head", "base"

LOCK_SECONDS = 3
"""How long a migration waits for a table on PostgreSQL, and everybody else behind it."""

LOCK_PAUSES = (1.0, 2.0, 5.0, 10.0, 20.0)
"""Seconds to leave the tables alone before each further try."""

_MIGRATION_LOCK = 7_276_943_051
"""Any number, as long as nothing else on the database takes the same advisory lock."""


def upgrade(
    engine: Engine, revision: str = HEAD, *, pause: Callable[[float], None] = rest
) -> list[str]:
    """Migrate to `revision`; does nothing when the database is there. With the newest one come the
    changes of the queue's tables, after ours; returns their names.

    Raises SchemaOutOfDate for a database of a newer version, MovedAway for one that takes part in a
    move, and Misconfigured where PostgreSQL's queue is not installed.
    """
    require_here(engine)

    def run(connection: Connection) -> None:
        try:
            command.upgrade(_config(connection), revision)
        except CommandError as error:
            raise SchemaOutOfDate(
                f"the database cannot be brought to this version's schema: {error}; "
                "install the version of Paperround it was used with last"
            ) from error

    patiently(engine, run, pause)
    return upgrade_queue(engine, pause=pause) if revision == HEAD else []


def bring_up(engine: Engine) -> list[str]:
    """As `upgrade` to the newest revision, and look that nothing is missing afterwards.

    Raises SchemaOutOfDate, too, when something is.
    """
    of_queue = upgrade(engine)
    lacking = [line for line in check_drift(engine) if not line.endswith(NOT_DECLARED)]
    if lacking:
        raise SchemaOutOfDate(
            f"the database is at revision {head()} and not as that should be: "
            f"{'; '.join(lacking)}. Put back the backup from before the upgrade and upgrade that, "
            "or make what is missing by hand; `paperround db check` looks again"
        )
    return of_queue


def upgrade_queue(
    engine: Engine, *, folder: Path | None = None, pause: Callable[[float], None] = rest
) -> list[str]:
    """Make the changes of the queue's tables that are missing; returns which there were. `folder`
    is that of another package than the installed one."""
    missing = still_missing = _missing_of_queue(engine, folder)
    while still_missing:
        patiently(engine, partial(queue.make_next, folder=folder), pause)
        still_missing = _missing_of_queue(engine, folder)
    return missing


def _missing_of_queue(engine: Engine, folder: Path | None) -> list[str]:
    with engine.connect() as connection:
        return queue.missing(connection, folder=folder)


def downgrade(engine: Engine, revision: str) -> None:
    """Migrate back to `revision`; `base` is the empty database."""

    def run(connection: Connection) -> None:
        command.downgrade(_config(connection), revision)
        if revision == BASE:
            queue.remove(connection)

    patiently(engine, run)


def patiently(
    engine: Engine, run: Callable[[Connection], None], pause: Callable[[float], None] = rest
) -> None:
    """Run it in one transaction, again after a pause when somebody held a table for too long.

    Raises DatabaseFailed when that goes on, or when the database refuses for another reason.
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
                    "the schema was not changed: somebody holds a table for longer than "
                    f"{LOCK_SECONDS} seconds each time. Stop what works with the database (a long "
                    "report, a dump), and run `paperround db upgrade` again"
                ) from error
            pause(pause_after)
        else:
            return


def check_drift(engine: Engine) -> list[str]:
    """Where the database differs from the declared schema, one line each; empty when nowhere."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=dict(OPTIONS))
        drift = compare_metadata(context, metadata)
        return [*spoken(drift), *queue.drift(connection)]


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """One transaction in which tables may be rebuilt. Raises SchemaOutOfDate, and keeps nothing,
    when a row would refer to a row that is not there."""
    with engine.connect() as connection, _loose_references(connection), connection.begin():
        if connection.dialect.name == "postgresql":
            # One migration at a time, as long as it takes. (SQLite's BEGIN IMMEDIATE sees to it.)
            no_limits = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0"
            connection.exec_driver_sql(no_limits)
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        yield connection
        search.mend(connection)
        if connection.dialect.name != "sqlite":
            return
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            tables = ", ".join(sorted({row[0] for row in broken}))
            raise SchemaOutOfDate(
                f"the migration was undone: {len(broken)} rows of {tables} would refer to nothing; "
                "restore a backup or report this with the revision you came from"
            )


@contextmanager
def _loose_references(connection: Connection) -> Iterator[None]:
    """SQLite's foreign keys off. Outside a transaction, since within one the switch is ignored."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - a connection in use has one
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _config(connection: Connection) -> Config:
    config = Config(str(paths.alembic_ini()))
    config.set_main_option("script_location", str(paths.migrations_dir()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


NOT_DECLARED = "is not declared"
"""The end of a line about what the database has beyond the schema."""


def spoken(differences: Sequence[Any]) -> Iterator[str]:
    """A line for each difference that Alembic's comparison found: `add_...` is what the database
    lacks, `remove_...` what it has and nobody declared, `modify_...` a column that is otherwise."""
    for one in differences:
        if isinstance(one, list):  # the changes of one column
            yield from map(_modified, one)
        else:
            yield _added_or_removed(*one)


def _added_or_removed(what: str, *of: Any) -> str:
    change, _, kind = what.partition("_")
    thing = of[-1]
    name = thing.name or "without a name"
    table = getattr(thing, "table", None)
    where = None if table is None else table.name
    if kind == "column":
        where = of[1]
    word = "reference" if kind == "fk" else kind
    named = f"the {word} {f'{where}.{name}' if kind == 'column' else name}"
    if where is not None and kind not in {"column", "table"}:
        named += f" of {where}"
    return f"{named} is missing" if change == "add" else f"{named} {NOT_DECLARED}"


def _modified(change: Sequence[Any]) -> str:
    what, _, table, column, _, found, declared = change
    aspect = what.removeprefix("modify_")
    return f"the {aspect} of {table}.{column} is {_said(found)}, declared as {_said(declared)}"


def _said(value: Any) -> str:
    text = getattr(getattr(value, "arg", value), "text", value)  # a default of the server
    return "none" if text is None else str(text)
