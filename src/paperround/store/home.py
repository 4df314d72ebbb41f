"""Is a PostgreSQL database where it was? A dump that was put back does not know what was mailed
after it was made, so nobody may work with it before a person has said what holds.

A database that is restored has other object numbers, or stands on a server of another number: where
it was when it was last opened stands in it, and comes along in every dump.

    the same server, promoted or started again     nothing changed
    pg_restore, a clone, pg_upgrade                another place: `db restore --in-place` says go
"""

from datetime import datetime

from sqlalchemy import Connection, Engine, delete, select, text

from paperround.domain.errors import MovedAway
from paperround.store import schema as db
from paperround.store.dialect import insert_new
from paperround.store.revisions import reached

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
        place, known = _place(connection), _known(connection)
    if not known:
        with reached(engine):
            settle(engine, now=now)
    elif place not in known:
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


def _known(connection: Connection) -> frozenset[str]:
    wanted = select(db.slots.c.slot).where(db.slots.c.kind == KIND)
    return frozenset(connection.execute(wanted).scalars())
