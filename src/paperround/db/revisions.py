"""Whether a database has the schema this version needs, told without the machinery that migrates.

Every command asks that, and few migrate: the machinery alone costs more than all else a command
loads. So the newest revision is read off the files that migrate, as the machinery reads it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Engine, delete, inspect, select, text
from sqlalchemy.exc import DBAPIError

from paperround.core import paths
from paperround.core.errors import Misconfigured, MovedAway, SchemaOutOfDate
from paperround.db.dialect import insert_new, reason_of
from paperround.db.engine import place_of
from paperround.db.schema import queue
from paperround.db.schema import tables as db

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
        from paperround.db.migrate import upgrade

        upgrade(engine)
        found = current(engine)
    if found != head():
        raise SchemaOutOfDate(mismatch(found))
    if engine.dialect.name != "postgresql":  # only there the queue has tables
        return
    with reached(engine), engine.connect() as connection:
        drift = queue.drift(connection)
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
        refuse(connection, found)
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
    return _revision(connection) == head() and not queue.missing(connection)


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


# What a database says of a move that it takes part in.
#
# Its revision becomes a word that no version of the program works with, and the table `moves` says
# the rest: the file that was moved for good, the new database until the file was left.

MOVING, MOVED = "moving", "moved"

CREATE = "CREATE TABLE moves (place TEXT NOT NULL, began_at TEXT NOT NULL, revision TEXT NOT NULL)"
DROP = "DROP TABLE moves"
PUT = "INSERT INTO moves (place, began_at, revision) VALUES (:place, :began_at, :revision)"
GET = "SELECT place, began_at, revision FROM moves"
SET_REVISION = "UPDATE alembic_version SET version_num = :revision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A move as one of its databases knows it: `place` is where the other one is, without a
    password, `began_at` an instant in RFC 3339, `revision` that of the rows."""

    place: str
    began_at: str
    revision: str


def read(connection: Connection) -> Mark:
    """The mark of a database whose revision is MOVING or MOVED."""
    row = connection.execute(text(GET)).one()
    return Mark(place=row.place, began_at=row.began_at, revision=row.revision)


def refuse(connection: Connection, found: str | None) -> None:
    """Raise MovedAway when `found`, the revision of a database, says that it takes part in a move:
    nobody may send from it, nor change it."""
    if found not in (MOVING, MOVED):
        return
    mark = read(connection)
    if found == MOVING:
        raise MovedAway(
            f"a move into this database began at {mark.began_at} and has not ended: run "
            f"`paperround db move` again where {mark.place} is"
        )
    raise MovedAway(
        f"this database was moved: set PAPERROUND_DATABASE_URL to {mark.place} with its password. "
        "If that one refuses, too, run the same `paperround db move` again: it finishes"
    )


# Is a PostgreSQL database where it was? A dump that was put back does not know what was mailed
# after it was made, so nobody may work with it before a person has said what holds.
#
# A database that is restored has other object numbers, or stands on a server of another number:
# where it was when it was last opened stands in it, and comes along in every dump.
#
#     the same server, promoted or started again     nothing changed
#     pg_restore, a clone, pg_upgrade                another place: `db restore --in-place` says go

KIND = "home"

_MAY_ASK = "SELECT has_function_privilege('pg_control_system()', 'execute')"
_SERVER = "SELECT system_identifier FROM pg_control_system()"
_NUMBERS = """
    SELECT database.oid || '/' || 'deliveries'::regclass::oid
    FROM pg_database AS database WHERE datname = current_database()
"""


def require_home(engine: Engine, *, now: datetime) -> None:
    """Raise MovedAway for a database that was put somewhere else since it was last opened.

    One that never was opened is at home from now on. SQLite's is a file, and is not watched. Raises
    Misconfigured when it cannot be reached.
    """
    if engine.dialect.name != "postgresql":
        return
    with reached(engine), engine.connect() as connection:
        place = _place(connection)
        known = connection.execute(select(db.slots.c.slot).where(db.slots.c.kind == KIND))
        homes = known.scalars().all()
    if not homes:
        with reached(engine):
            settle(engine, now=now)
    elif place not in homes:
        raise MovedAway(
            "this database is a copy, put back or put elsewhere since it was last used: stop "
            "whatever uses the other one, then `paperround db restore --in-place` lets this one "
            "work and sends nothing again (with --moved: the other one was stopped before the copy)"
        )


def settle(engine: Engine, *, now: datetime) -> None:
    """From now on the database is at home where it is."""
    if engine.dialect.name != "postgresql":
        return
    with engine.begin() as connection:
        place = _place(connection)
        connection.execute(
            delete(db.slots).where(db.slots.c.kind == KIND, db.slots.c.slot != place)
        )
        connection.execute(
            insert_new(connection, db.slots), {"kind": KIND, "slot": place, "taken_at": now}
        )


def _place(connection: Connection) -> str:
    may_ask = connection.execute(text(_MAY_ASK)).scalar_one()
    server = connection.execute(text(_SERVER)).scalar_one() if may_ask else "unknown"
    return f"{server}/{connection.execute(text(_NUMBERS)).scalar_one()}"
