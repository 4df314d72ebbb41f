"""Tell whether a scheduler on this machine lives, without writing anything: while it runs, it holds
a lock on a file, and the kernel drops the lock at once when it dies.

    scheduler ─► locks the file until it ends; the file stays
    site ──────► a file without its lock: the scheduler is gone
    tick ──────► deletes such a file: cron does the work now

On PostgreSQL, schedulers may run on other machines: there they write heartbeats (`cluster`).
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NAME = "scheduler.lock"
"""The file in the data folder."""

log = logging.getLogger(__name__)


@contextmanager
def scheduler_lock(data_dir: Path) -> Iterator[None]:
    """Hold the lock within the block; several schedulers may. Where the file system has no locks,
    a dead scheduler is noticed later, by the ticks that are missing."""
    path = data_dir / NAME
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
        except OSError as error:
            log.warning("no lock on %s: %s", path, error)
            path.unlink(missing_ok=True)
        yield
    finally:
        os.close(handle)


def is_scheduler_gone(data_dir: Path) -> bool:
    """Whether a scheduler ran, and none runs now."""
    try:
        handle = os.open(data_dir / NAME, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def forget_scheduler(data_dir: Path) -> None:
    """Delete the file of a scheduler that is gone, because something else does its work."""
    if is_scheduler_gone(data_dir):
        with suppress(OSError):
            (data_dir / NAME).unlink()
