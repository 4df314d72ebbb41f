"""Check whether a database has the schema this version needs, without importing Alembic.

Every command checks that, and few migrate: importing Alembic takes longer than everything else that
a command loads. So the newest revision is parsed from the migration files.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Engine, inspect, select, text
from sqlalchemy.exc import DBAPIError

from paperround.core.errors import Misconfigured, MovedAway, SchemaOutOfDate
from paperround.core.paths import data_path
from paperround.db.dialect import delete_rows, insert_new, reason_of
from paperround.db.engine import place_of
from paperround.db.schema import queue
from paperround.db.schema import tables as db

_TABLE = "alembic_version"
_REVISION = re.compile(r'^revision = "(\w+)"', re.MULTILINE)
_BEFORE = re.compile(r'^down_revision = "(\w+)"', re.MULTILINE)


def prepare(engine: Engine, *, creates: bool = True) -> None:
    """Check the schema; with `creates`, create it in an empty SQLite file.

    A database with data is never migrated here: the operator may want a backup first. Raises
    SchemaOutOfDate for any other schema, MovedAway for a database that is part of a move, and
    Misconfigured when it is unreachable or not a database.
    """
    with translate_errors(engine):
        found = require_not_moved(engine)
    if found is None and creates and engine.dialect.name == "sqlite" and _is_empty(engine):
        from paperround.db.migrate import upgrade

        upgrade(engine)
        found = current(engine)
    if found != head():
        raise SchemaOutOfDate(mismatch(found))
    if engine.dialect.name != "postgresql":  # the queue only has tables there
        return
    with translate_errors(engine), engine.connect() as connection:
        drift = queue.missing_migrations(connection)
    if drift:
        raise SchemaOutOfDate(f"{drift[0]}: run `paperround db upgrade`")


def mismatch(found: str | None) -> str:
    """Return an error message for a database at revision `found`, with what to do."""
    if found is None:
        return "the database has no Paperround tables yet: run `paperround db upgrade`"
    if is_newer(found):
        return (
            f"the database is at revision {found}, which this version does not know: it is from a "
            "newer Paperround. Install that version, or a later one"
        )
    return (
        f"the database is at revision {found}, this version needs {head()}: run "
        "`paperround db upgrade`"
    )


def is_newer(found: str | None) -> bool:
    """Whether only a newer version than this one knows the revision `found`."""
    return found is not None and found not in known()


def require_reachable(engine: Engine) -> None:
    """Raise Misconfigured, with the driver's reason, when no connection can be opened."""
    with translate_errors(engine), engine.connect():
        pass


@contextmanager
def translate_errors(engine: Engine) -> Iterator[None]:
    """Raise Misconfigured for errors of the database, which may become unreachable at any time."""
    try:
        yield
    except DBAPIError as error:
        where = place_of(engine)
        raise Misconfigured(f"the database {where} cannot be used: {reason_of(error)}") from error


# A SQLite file that was moved to PostgreSQL has the revision MOVING, and MOVED at the end, which no
# version of the program accepts. The table `moves` names the new place.

MOVING, MOVED = "moving", "moved"


def require_not_moved(engine: Engine) -> str | None:
    """Return the revision of the database.

    Raises MovedAway when it was moved: it must not be changed, and no email sent from it.
    """
    with engine.connect() as connection:
        found = _revision(connection)
        if found == MOVING:
            raise MovedAway(
                f"a move of this database to {new_place(connection)} has not finished: run the "
                "same "
                "`paperround db move` again"
            )
        if found == MOVED:
            raise MovedAway(
                "this database was moved: set PAPERROUND_DATABASE_URL to "
                f"{new_place(connection)} with its password"
            )
    return found


def new_place(connection: Connection) -> str:
    """Return the URL of the database that a file was moved to, without the password."""
    return str(connection.execute(text("SELECT place FROM moves")).scalar_one())


def current(engine: Engine) -> str | None:
    """Return the revision of the database, None when it was never migrated."""
    with engine.connect() as connection:
        return _revision(connection)


def is_current(engine: Engine) -> bool:
    """Whether the database has the schema this version needs."""
    with engine.connect() as connection:
        return schema_fits(connection)


def schema_fits(connection: Connection) -> bool:
    """Whether the database has the schema this version needs, within a transaction."""
    return _revision(connection) == head() and not queue.missing(connection)


@cache
def head() -> str:
    """Return the newest revision: the only one that no migration follows."""
    [newest] = known() - set(_BEFORE.findall(_migrations()))
    return str(newest)


@cache
def known() -> frozenset[str]:
    """Return the revisions of all migrations."""
    return frozenset(_REVISION.findall(_migrations()))


@cache
def _migrations() -> str:
    files = sorted((data_path("migrations") / "versions").glob("*.py"))
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


# Detect restored copies of a PostgreSQL database. A restored dump lacks what was sent after it was
# made, so an operator has to confirm it before it is used.
#
# A restored database has other object ids, or is on a server with another system identifier. The
# database stores these ids on first use, and every dump contains them.
#
#     the same server, promoted or restarted     same ids
#     pg_restore, a clone, pg_upgrade            other ids: `db restore --in-place` accepts them

KIND = "home"

_IS_ALLOWED = "SELECT has_function_privilege('pg_control_system()', 'execute')"
_SERVER = "SELECT system_identifier FROM pg_control_system()"
_OBJECT_IDS = """
    SELECT database.oid || '/' || 'deliveries'::regclass::oid
    FROM pg_database AS database WHERE datname = current_database()
"""


def require_not_a_copy(engine: Engine, *, now: datetime) -> None:
    """Raise MovedAway for a PostgreSQL database that is a restored copy.

    On first use the ids are stored. SQLite is not checked. Raises Misconfigured when the database
    is unreachable.
    """
    if engine.dialect.name != "postgresql":
        return
    with translate_errors(engine), engine.connect() as connection:
        place = _place(connection)
        known = connection.execute(select(db.slots.c.slot).where(db.slots.c.kind == KIND))
        homes = known.scalars().all()
    if not homes:
        with translate_errors(engine):
            store_database_ids(engine, now=now)
    elif place not in homes:
        raise MovedAway(
            "this database is a copy, restored or moved since it was last used: stop whatever "
            "uses the other one, then run `paperround db restore --in-place` to use this one "
            "without sending anything twice (add --moved if the other one was stopped before the "
            "copy)"
        )


def store_database_ids(engine: Engine, *, now: datetime) -> None:
    """Store the ids of this database, so that it no longer counts as a copy."""
    if engine.dialect.name != "postgresql":
        return
    with engine.begin() as connection:
        place = _place(connection)
        delete_rows(connection, db.slots, db.slots.c.kind == KIND, db.slots.c.slot != place)
        connection.execute(
            insert_new(connection, db.slots), {"kind": KIND, "slot": place, "taken_at": now}
        )


def _place(connection: Connection) -> str:
    is_allowed = connection.execute(text(_IS_ALLOWED)).scalar_one()
    server = connection.execute(text(_SERVER)).scalar_one() if is_allowed else "unknown"
    return f"{server}/{connection.execute(text(_OBJECT_IDS)).scalar_one()}"
