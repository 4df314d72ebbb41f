"""The side that is left: a SQLite file that nobody else has open, and that then refuses everybody.

A process that has a SQLite file open in its log mode holds a lock on it for as long, idle or not.
So whoever gets the file for itself knows that no sender, no site and no command is at work; and
whoever comes later reads the mark before anything else.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

from paperround.domain.errors import Conflict, InvalidInput
from paperround.store.moving.marks import (
    CREATE,
    DROP,
    MOVED,
    MOVING,
    PUT,
    SET_REVISION,
    Mark,
)
from paperround.store.moving.reading import opened

PATIENCE = 2.0
"""Seconds to wait for somebody who is just about to close the file."""


def depart(file: Path, mark: Mark) -> None:
    """Let `file` refuse everybody from now on. Raises Conflict when somebody has it open."""
    with _alone(file) as connection:
        connection.execute(CREATE)
        connection.execute(PUT, asdict(mark))
        connection.execute(SET_REVISION, {"revision": MOVING})


def arrive(file: Path) -> None:
    """Every row is at its new place: the file is left for good."""
    with _alone(file) as connection:
        connection.execute(SET_REVISION, {"revision": MOVED})


def left(file: Path) -> tuple[str, Mark]:
    """How far the move of `file` went, and its mark. Raises InvalidInput when there is none."""
    with opened(file) as source:
        state, mark = source.state()
    if mark is None:
        raise InvalidInput(f"{file} was not moved: there is nothing to undo")
    return state, mark


def call_off(file: Path, mark: Mark) -> None:
    """Let the installation in `file`, which bears `mark`, work again."""
    with _alone(file) as connection:
        connection.execute(DROP)
        connection.execute(SET_REVISION, {"revision": mark.revision})


@contextmanager
def _alone(file: Path) -> Iterator[sqlite3.Connection]:
    """One transaction on a file that nobody else has open."""
    with closing(sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # before the file is first read
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise Conflict(
                f"{file} is in use ({error}): stop everything that works with it, `serve`, "
                "`scheduler`, a `deliver` under way or a timer, and try again"
            ) from error
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
