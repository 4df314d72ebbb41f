"""Open the database of an installation: schema, jobs, encryption, default list."""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from paperround.bootstrap import workers
from paperround.config import Settings
from paperround.core.errors import Conflict, Misconfigured
from paperround.db.slots import SlotStore
from paperround.db.transactions import SqlDatabase
from paperround.delivery.restore_guard import SendMarks, name_installation
from paperround.editions.store.lists import ListStore

if TYPE_CHECKING:
    from paperround.bootstrap import AppContext


def send_marks_of(settings: Settings, host: str) -> SendMarks:
    """Return the send mark of this machine.

    With SQLite a lost mark means a restored copy; machines on PostgreSQL may start without one.
    """
    from paperround.delivery.send_mark import SendMarkFile

    file = SendMarkFile(settings.send_mark or settings.data_dir / "sending.mark")
    return SendMarks(file=file, host=host, stays=settings.embedded)


def database_of(app: "AppContext") -> SqlDatabase:
    """Open the database; create it if `app.creates`.

    Raises Misconfigured if there is none, and Conflict for the database of a demo, whose sample
    papers must not be sent.
    """
    from paperround.db.encryption import SecretCipher
    from paperround.db.revisions import prepare, require_not_a_copy

    if not app.creates:
        require_made(app.settings)
    prepare(app.engine, creates=app.creates)
    require_not_a_copy(app.engine, now=app.clock.now())
    ask = None if app.settings.embedded else partial(workers.enqueue_within, app)
    database = SqlDatabase(app.engine, ask=ask, seal=SecretCipher(lambda: app.settings.keys))
    with database.reading() as work:
        is_demo = work[SlotStore].is_of_a_demo()
    if is_demo and not app.demo:
        raise Conflict(
            f"{place_of(app.settings)} is the database of a demo, with invented papers: set "
            "PAPERROUND_DATA_DIR to another folder, or delete the demo's data"
        )
    return database


def require_made(settings: Settings) -> None:
    """Raise Misconfigured if the SQLite file does not exist. Creates nothing."""
    if settings.embedded and not settings.database_file.exists():
        folder = settings.database_file.absolute().parent
        raise Misconfigured(
            f"there is no installation in {folder}: run `paperround init` to create one, or set "
            "PAPERROUND_DATA_DIR to its folder"
        )


def place_of(settings: Settings) -> str:
    """Return the path of the database, or the setting that has its URL, for messages."""
    return str(settings.database_file) if settings.embedded else "PAPERROUND_DATABASE_URL"


def ensure_default_list(database: SqlDatabase, zone: str, *, now: datetime) -> None:
    """Create the default list and the installation's id, or update the list's time zone.

    Usually there is nothing to do, and so no need for the write lock.
    """
    with database.reading() as work:
        default = work[ListStore].default()
    if default is None or default.zone != zone:
        with database.writing() as work:
            if default is None:
                name_installation(work, now=now)
            work[ListStore].ensure_default(zone=zone, now=now)
