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
    STATES,
    Mark,
)
from paperround.store.moving.reading import opened

PATIENCE = 2.0
"""Seconds to wait for somebody who is just about to close the file."""


def depart(file: Path, mark: Mark) -> None:
    """Let `file` refuse everybody from now on. Raises Conflict when somebody has it open."""
    with _alone(file) as connection:
        _turn(connection, file, {mark.revision}, MOVING)
        connection.execute(CREATE)
        connection.execute(PUT, asdict(mark))


def arrive(file: Path) -> None:
    """Every row is at its new place: the file is left for good. Raises Conflict when somebody
    called the move off meanwhile."""
    with _alone(file) as connection:
        _turn(connection, file, set(STATES), MOVED)


def left(file: Path) -> tuple[str, Mark]:
    """How far the move of `file` went, and its mark. Raises InvalidInput when there is none."""
    with opened(file) as source:
        state, mark = source.state()
    if mark is None:
        raise InvalidInput(f"{file} was not moved: there is nothing to undo")
    return state, mark


def call_off(file: Path, state: str, mark: Mark) -> None:
    """Let the installation in `file` work again, whose move went as far as `left` said. Raises
    Conflict when it went on since: what may be out by now has to be held first."""
    with _alone(file) as connection:
        _turn(connection, file, {state}, mark.revision)
        connection.execute(DROP)


def _turn(connection: sqlite3.Connection, file: Path, before: set[str], after: str) -> None:
    """Set the revision to `after`, if it is still one of `before`."""
    [(found,)] = connection.execute("SELECT version_num FROM alembic_version")
    if found not in before:
        raise Conflict(
            f"another command changed {file} meanwhile (it is at {found}): look whether one still "
            "runs, and try again"
        )
    connection.execute(SET_REVISION, {"revision": after})


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
