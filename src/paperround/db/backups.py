"""Make a backup every night, and delete the oldest ones.

The folder is the only record: its newest backup tells when the next one is due. A backup is written
under a temporary name and renamed when it is complete, so every file in the folder is usable. The
next backup deletes what a killed process left behind.
"""

import fcntl
import logging
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from paperround.core.errors import Conflict, InvalidInput, PaperroundError
from paperround.db.backup import back_up
from paperround.db.slots import BACKUP, SlotStore
from paperround.db.transactions import Database, write

EVERY = timedelta(hours=23)
"""Age of the newest backup at which the next one is due."""

OLD = timedelta(days=2)
"""Age of the newest backup at which something is wrong."""

_NAME = re.compile(r"paperround-(\d{8}T\d{6})Z\.backup")
_UNFINISHED = re.compile(rf"\.{_NAME.pattern}-.+")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupPlan:
    """Where backups go, how many are kept, and the file of the generated secret."""

    folder: Path
    keep: int
    secret: Path


def make_backup(engine: Engine, database: Database, plan: BackupPlan, *, now: datetime) -> Path:
    """Write a backup into the folder, delete the oldest beyond `plan.keep`, and return the new
    file. Raises what `back_up` raises, InvalidInput when the folder cannot be created or changed,
    and Conflict while another process makes a backup there."""
    file = plan.folder / f"paperround-{now.astimezone(UTC):%Y%m%dT%H%M%S}Z.backup"
    try:
        plan.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone_in(plan.folder) as is_alone:
            if is_alone:
                _delete_unfinished(plan.folder)
            back_up(engine, plan.secret, file, now=now)
            note_backup(database, now=now)
            others = [old for _, old in backups(plan.folder) if old != file]
            for old in others[plan.keep - 1 :]:
                old.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"the folder of the backups, {plan.folder}, cannot be used: {error.strerror}"
        ) from error
    return file


@contextmanager
def _alone_in(folder: Path) -> Iterator[bool]:
    """Hold a lock on the folder, which the kernel releases when the process dies. Yields False if
    the file system has no locks. Raises Conflict while another process holds it."""
    handle = os.open(folder, os.O_RDONLY)
    has_locks = True
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(f"another process is writing a backup in {folder}") from error
        except OSError:
            has_locks = False
        yield has_locks
    finally:
        os.close(handle)


def _delete_unfinished(folder: Path) -> None:
    """Delete what killed processes left behind: copies of the whole database."""
    for one in folder.iterdir():
        if _UNFINISHED.fullmatch(one.name) is None:
            continue
        if one.is_dir():
            shutil.rmtree(one)
        else:
            one.unlink()


def note_backup(database: Database, *, now: datetime) -> None:
    """Store when the last backup was made. Errors are ignored: the backup itself is complete."""
    with suppress(PaperroundError):
        write(database, lambda work: work[SlotStore].beat(BACKUP, now=now))


def back_up_if_due(
    engine: Engine, database: Database, plan: BackupPlan, *, now: datetime
) -> Path | None:
    """Make a backup and return its file, unless the newest is younger than `EVERY`. A failure is
    logged, and the next call tries again. A demo is not backed up."""
    try:
        newest = newest_backup(plan.folder, by=now)
        if newest is not None and now - newest < EVERY:
            return None
        with database.reading() as work:
            if work[SlotStore].is_of_a_demo():
                return None
        return make_backup(engine, database, plan, now=now)
    except Conflict as error:
        log.info("%s", error)
    except PaperroundError as error:
        log.error("no backup was made: %s", error)
    return None


def newest_backup(folder: Path, *, by: datetime) -> datetime | None:
    """Return when the newest backup was made, None without one. Backups later than `by` are
    ignored: the clock was wrong when they were made. Raises InvalidInput."""
    return next((made_at for made_at, _ in backups(folder) if made_at <= by), None)


def backups(folder: Path) -> Sequence[tuple[datetime, Path]]:
    """Return the backups of a folder with the times they were made, newest first. Other files are
    ignored. Raises InvalidInput when the folder cannot be read."""
    try:
        found = [(_NAME.fullmatch(one.name), one) for one in folder.iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InvalidInput(
            f"the folder of the backups, {folder}, cannot be read: {error.strerror}"
        ) from error
    dated = [
        (datetime.strptime(name[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC), one)
        for name, one in found
        if name is not None
    ]
    return sorted(dated, reverse=True)
