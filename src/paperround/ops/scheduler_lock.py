"""Detect whether a scheduler runs on this machine, without writing anything: while it runs, it
holds a lock on a file, and the kernel releases the lock at once when it dies.

    scheduler ─► locks the file until it ends; the file stays
    site ──────► a file without its lock: the scheduler is gone
    tick ──────► deletes such a file: cron does the work now

On PostgreSQL, schedulers may run on other machines, so they write heartbeats instead (`cluster`).
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
    """Hold the lock within the block; several schedulers may hold it. If the file cannot be locked,
    a dead scheduler is noticed later, by its missing ticks."""
    path = data_dir / NAME
    handle = None
    try:
        handle = _lock(path)
    except OSError as error:
        log.warning("no lock on %s: %s", path, error)
        with suppress(OSError):
            path.unlink()  # without a lock, it would mean that the scheduler is gone
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _lock(path: Path) -> int:
    """Return a handle that holds the lock. Raises OSError."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), path.stat()):
                    os.utime(handle)
                    return handle
        except OSError:
            os.close(handle)
            raise
        os.close(handle)  # a tick deleted that file meanwhile


def is_scheduler_gone(data_dir: Path) -> bool:
    """Whether a scheduler ran, and none runs now."""
    with _abandoned_lock(data_dir) as is_gone:
        return is_gone


def is_newer_than_scheduler(file: Path, data_dir: Path) -> bool:
    """Whether `file` was changed after the scheduler that runs now started."""
    lock = data_dir / NAME
    if is_scheduler_gone(data_dir) or not (lock.exists() and file.exists()):
        return False
    return file.stat().st_mtime > lock.stat().st_mtime


def forget_scheduler(data_dir: Path) -> None:
    """Delete the file of a scheduler that is gone, because something else does its work."""
    with _abandoned_lock(data_dir) as is_gone, suppress(OSError):
        if is_gone:
            (data_dir / NAME).unlink()


@contextmanager
def _abandoned_lock(data_dir: Path) -> Iterator[bool]:
    """Yield whether a scheduler is gone. If so, take its lock, so that a new scheduler waits until
    the end of the block."""
    try:
        handle = os.open(data_dir / NAME, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_gone = True
    except OSError:
        is_gone = False
    try:
        yield is_gone
    finally:
        os.close(handle)
