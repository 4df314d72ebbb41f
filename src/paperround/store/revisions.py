"""Whether a database has the schema this version needs, told without the machinery that migrates.

Every command asks that, and few migrate: the machinery alone costs more than all else a command
loads. So the newest revision is read off the files that migrate, as the machinery reads it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from paperround import paths
from paperround.domain.errors import Misconfigured, SchemaOutOfDate
from paperround.store import queue_schema
from paperround.store.dialect import reason_of
from paperround.store.engine import place_of
from paperround.store.moving import marks

_TABLE = "alembic_version"
_REVISION = re.compile(r'^revision = "(\w+)"', re.MULTILINE)
_BEFORE = re.compile(r'^down_revision = "(\w+)"', re.MULTILINE)


def prepare(engine: Engine, *, creates: bool = True) -> None:
    """Make an empty SQLite file ready where that is wanted; raises SchemaOutOfDate for anything not
    ready, MovedAway for one that takes part in a move, and Misconfigured when it cannot be reached
    or is none.

    Nothing that holds data is migrated unasked: whoever runs the database may want a backup first.
    """
    with reached(engine):
        found = require_here(engine)
    if found is None and creates and engine.dialect.name == "sqlite" and _is_empty(engine):
        from paperround.store.migrate import upgrade

        upgrade(engine)
        found = current(engine)
    if found != head():
        raise SchemaOutOfDate(mismatch(found))
    with reached(engine), engine.connect() as connection:
        drift = queue_schema.drift(connection)
    if drift:
        raise SchemaOutOfDate(f"{drift[0]}: run `paperround db upgrade`")


def mismatch(found: str | None) -> str:
    """That a database at revision `found` is not where this version needs it, and the way out."""
    if found is None:
        return "the database holds nothing of Paperround yet: run `paperround db upgrade`"
    if is_newer(found):
        return (
            f"the database is at revision {found}, which this version does not know: a newer "
            "Paperround made it. Install that version, or a later one"
        )
    return (
        f"the database is at revision {found}, this version needs {head()}: run "
        "`paperround db upgrade`"
    )


def is_newer(found: str | None) -> bool:
    """Whether a newer version than this one brought a database to the revision `found`."""
    return found is not None and found not in known()


def require_reachable(engine: Engine) -> None:
    """Raise Misconfigured, with the driver's reason, when no connection can be opened."""
    with reached(engine), engine.connect():
        return


@contextmanager
def reached(engine: Engine) -> Iterator[None]:
    """The database's own troubles as the operator's: it may go away at any moment."""
    try:
        yield
    except DBAPIError as error:
        where = place_of(engine)
        raise Misconfigured(f"the database {where} cannot be used: {reason_of(error)}") from error


def require_here(engine: Engine) -> str | None:
    """The revision the database is at; raises MovedAway when it takes part in a move."""
    with engine.connect() as connection:
        found = _revision(connection)
        marks.refuse(connection, found)
    return found


def current(engine: Engine) -> str | None:
    """The revision the database is at, None when it was never migrated."""
    with engine.connect() as connection:
        return _revision(connection)


def is_current(engine: Engine) -> bool:
    """Whether the database has the schema this version needs."""
    with engine.connect() as connection:
        return fits(connection)


def fits(connection: Connection) -> bool:
    """The same, within a transaction."""
    return _revision(connection) == head() and not queue_schema.missing(connection)


@cache
def head() -> str:
    """The newest revision there is a migration to: the one that no other follows."""
    [newest] = known() - set(_BEFORE.findall(_migrations()))
    return str(newest)


@cache
def known() -> frozenset[str]:
    """Every revision there is a migration to."""
    return frozenset(_REVISION.findall(_migrations()))


@cache
def _migrations() -> str:
    files = sorted((paths.migrations_dir() / "versions").glob("*.py"))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_TABLE):
        return None
    found: str | None = connection.execute(
        text(f"SELECT version_num FROM {_TABLE}")
    ).scalar_one_or_none()
    return found


def _is_empty(engine: Engine) -> bool:
    with engine.connect() as connection:
        return not inspect(connection).get_table_names()
