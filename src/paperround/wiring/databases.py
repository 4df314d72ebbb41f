"""The database of an installation: migrated, asking for jobs, its secrets sealed."""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from paperround.config import Settings
from paperround.jobs.ports import JoiningDatabase
from paperround.jobs.put_back import SendMarks, name_installation
from paperround.wiring import hands

if TYPE_CHECKING:
    from paperround.wiring import Runtime


def send_marks_of(settings: Settings, host: str) -> SendMarks:
    """The send mark of this machine. A SQLite file and its mark come and go together; machines that
    share PostgreSQL may come without one."""
    from paperround.store.send_mark import SendMarkFile

    file = SendMarkFile(settings.send_mark or settings.data_dir / "sending.mark")
    return SendMarks(file=file, host=host, stays=settings.embedded)


def database_of(home: "Runtime") -> JoiningDatabase:
    """The database, migrated if it is an empty SQLite file."""
    from paperround.store.home import require_home
    from paperround.store.revisions import prepare
    from paperround.store.sealing import RingSeal
    from paperround.store.unit_of_work import SqlDatabase

    prepare(home.engine)
    require_home(home.engine, now=home.clock.now())
    ask = None if home.settings.embedded else partial(hands.put_within, home)
    return SqlDatabase(home.engine, ask=ask, seal=RingSeal(lambda: home.settings.keys))


def ensure_default_list(database: JoiningDatabase, zone: str, *, now: datetime) -> None:
    """Make the default list of a new installation, with its id, and move it to its time zone. Most
    commands find it as it should be, and need not wait for the writer's lock."""
    with database.reading() as work:
        standing = work.lists.default()
    if standing is None or standing.zone != zone:
        with database.writing() as work:
            if standing is None:
                name_installation(work, now=now)
            work.lists.ensure_default(zone=zone, now=now)
