"""The database of an installation: made, migrated, asking for jobs, its secrets sealed."""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from paperround.bootstrap import workers
from paperround.config import Settings
from paperround.core.errors import Conflict, Misconfigured
from paperround.db.transactions import SqlDatabase
from paperround.delivery.restore_guard import SendMarks, name_installation

if TYPE_CHECKING:
    from paperround.bootstrap import AppContext
from paperround.db.slots import SlotStore
from paperround.editions.store.lists import ListStore


def send_marks_of(settings: Settings, host: str) -> SendMarks:
    """The send mark of this machine. A SQLite file and its mark come and go together; machines that
    share PostgreSQL may come without one."""
    from paperround.delivery.send_mark import SendMarkFile

    file = SendMarkFile(settings.send_mark or settings.data_dir / "sending.mark")
    return SendMarks(file=file, host=host, stays=settings.embedded)


def database_of(home: "AppContext") -> SqlDatabase:
    """The database, made first where `home` may make one.

    Raises Misconfigured where there is none, and Conflict for the database of a demo, whose
    invented papers no installation may mail.
    """
    from paperround.db.encryption import KeyRingCipher
    from paperround.db.revisions import prepare, require_home
    from paperround.db.transactions import SqlDatabase

    if not home.creates:
        require_made(home.settings)
    prepare(home.engine, creates=home.creates)
    require_home(home.engine, now=home.clock.now())
    ask = None if home.settings.embedded else partial(workers.put_within, home)
    database = SqlDatabase(home.engine, ask=ask, seal=KeyRingCipher(lambda: home.settings.keys))
    with database.reading() as work:
        is_demo = work[SlotStore].are_of_a_demo()
    if is_demo and not home.demo:
        raise Conflict(
            f"{place_of(home.settings)} is the database of a demo, with invented papers: name "
            "another folder with PAPERROUND_DATA_DIR, or delete what the demo made"
        )
    return database


def require_made(settings: Settings) -> None:
    """Raise Misconfigured where SQLite has no file yet. Makes neither it nor its folder."""
    if settings.embedded and not settings.database_file.exists():
        folder = settings.database_file.absolute().parent
        raise Misconfigured(
            f"there is no installation in {folder}: `paperround init` makes one here, and "
            "PAPERROUND_DATA_DIR names one that is elsewhere"
        )


def place_of(settings: Settings) -> str:
    """Where the database is, for a person."""
    return str(settings.database_file) if settings.embedded else "PAPERROUND_DATABASE_URL"


def ensure_default_list(database: SqlDatabase, zone: str, *, now: datetime) -> None:
    """Make the default list of a new installation, with its id, and move it to its time zone. Most
    commands find it as it should be, and need not wait for the writer's lock."""
    with database.reading() as work:
        standing = work[ListStore].default()
    if standing is None or standing.zone != zone:
        with database.writing() as work:
            if standing is None:
                name_installation(work, now=now)
            work[ListStore].ensure_default(zone=zone, now=now)
