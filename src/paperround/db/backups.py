"""Make a backup every night, and delete the oldest ones.

The folder is the only record: its newest backup tells when the next one is due. A backup is written
under another name and moved into place when it is whole, so every file there is a good one.
"""

import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from paperround.core.errors import InvalidInput, PaperroundError
from paperround.db.backup import back_up
from paperround.db.slots import BACKUP, SlotStore
from paperround.db.transactions import Database, write

EVERY = timedelta(hours=23)
"""Age of the newest backup at which the next one is due."""

OLD = timedelta(days=2)
"""Age of the newest backup at which something is wrong."""

_NAME = re.compile(r"paperround-(\d{8}T\d{6})Z\.backup")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupPlan:
    """Where backups go, how many are kept, and the file of the generated secret."""

    folder: Path
    keep: int
    secret: Path


def make_backup(engine: Engine, database: Database, plan: BackupPlan, *, now: datetime) -> Path:
    """Write a backup into the folder, delete the oldest beyond `plan.keep`, and return the new
    file. Raises what `back_up` raises, and InvalidInput when the folder cannot be made."""
    try:
        plan.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"the folder of the backups, {plan.folder}, cannot be made: {error.strerror}"
        ) from error
    file = plan.folder / f"paperround-{now.astimezone(UTC):%Y%m%dT%H%M%S}Z.backup"
    back_up(engine, plan.secret, file, now=now)
    note_backup(database, now=now)
    for _, old in backups(plan.folder)[plan.keep :]:
        old.unlink(missing_ok=True)
    return file


def note_backup(database: Database, *, now: datetime) -> None:
    """Store when the last backup was made. A database that cannot be written to has its backup."""
    with suppress(PaperroundError):
        write(database, lambda work: work[SlotStore].beat(BACKUP, now=now))


def back_up_if_due(
    engine: Engine, database: Database, plan: BackupPlan, *, now: datetime
) -> Path | None:
    """Make a backup unless the newest is of this day; return its file. A failure is logged, and
    tried again the next time. A demo has none."""
    newest = backups(plan.folder)[:1]
    if newest and now - newest[0][0] < EVERY:
        return None
    try:
        with database.reading() as work:
            if work[SlotStore].is_of_a_demo():
                return None
        return make_backup(engine, database, plan, now=now)
    except (PaperroundError, OSError) as error:
        log.error("no backup was made: %s", error)
        return None


def backups(folder: Path) -> Sequence[tuple[datetime, Path]]:
    """Return the backups of a folder with the moments they were made, newest first. Other files
    are left alone."""
    if not folder.is_dir():
        return []
    found = [(_NAME.fullmatch(one.name), one) for one in folder.iterdir()]
    dated = [
        (datetime.strptime(name[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC), one)
        for name, one in found
        if name is not None
    ]
    return sorted(dated, reverse=True)
