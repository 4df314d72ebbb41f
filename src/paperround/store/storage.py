"""The room a database takes up, and has left, and how SQLite's log is kept short.

Whatever is written goes into the write-ahead log first, and from there into the file once no reader
needs the older pages. One reader that stays holds up all of it: at a thousand mails a second the
log then grows by twenty megabytes a second (measured). So there is a length from which on each
writer first tries to empty the log, and waits for the readers for a moment where that fails: the
log grows on slowly, and nobody is refused.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Event

from sqlalchemy import Connection

from paperround.domain.status import MOST_LOG_BYTES, Storage

LONG_LOG = MOST_LOG_BYTES * 3 // 4
"""Bytes of log from which on writers wait: what they write meanwhile must fit below the most."""

PAUSE, PAUSES = 0.25, 4
"""Seconds, and how many of them a writer waits at most for readers to leave."""


MUCH_CACHE = 24 * 2**20
"""Bytes of pages that SQLite may hold while thousands of rows go into tables of many indexes. With
its usual two million most pages are written to the log several times before the commit."""


def rest(seconds: float) -> None:
    """Let this thread rest."""
    Event().wait(seconds)


def storage(connection: Connection) -> Storage:
    """What is known of the room; nothing on PostgreSQL, whose server sees to its own."""
    file = connection.engine.url.database
    if connection.dialect.name != "sqlite" or file is None:
        return Storage()
    return Storage(log_bytes=_log_bytes(file), free_bytes=_free_bytes(connection, file))


def _log_bytes(file: str) -> int:
    try:
        return os.stat(f"{file}-wal").st_size
    except FileNotFoundError:
        return 0


def _free_bytes(connection: Connection, file: str) -> int:
    """How much more can be written: by the disk, and by the file's own limit."""
    disk = os.statvfs(file)
    names = ("max_page_count", "page_count", "freelist_count", "page_size")
    most, pages, free, size = (
        int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()) for name in names
    )
    return min(disk.f_bavail * disk.f_frsize, (most - pages + free) * size)


def keep_log_short(connection: Connection, pause: Callable[[float], None]) -> None:
    """Before a transaction that writes: empty a log that is too long, or give its readers a moment.

    Nothing is held meanwhile: other writers and every reader go on.
    """
    file = connection.engine.url.database
    if connection.dialect.name != "sqlite" or file is None:
        return
    for _ in range(PAUSES):
        if _log_bytes(file) <= LONG_LOG or _emptied(connection):
            return
        pause(PAUSE)


@contextmanager
def roomy(connection: Connection) -> Iterator[None]:
    """Within a transaction: many rows are written. Afterwards SQLite gives the room back as it
    commits; what it had to spare before it has again."""
    if connection.dialect.name != "sqlite":
        yield
        return
    ((usual,),) = connection.exec_driver_sql("PRAGMA cache_size")
    connection.exec_driver_sql(f"PRAGMA cache_size = -{MUCH_CACHE // 1024}")
    try:
        yield
    finally:
        if not connection.invalidated:  # else the error that broke it is what has to be told
            connection.exec_driver_sql(f"PRAGMA cache_size = {int(usual)}")


def _emptied(connection: Connection) -> bool:
    """Move the log into the file and make it empty, unless somebody reads or writes."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError(f"{driver!r} is no connection of SQLite")
    with closing(driver.cursor()) as cursor:
        (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(patience)}")
    return not busy
