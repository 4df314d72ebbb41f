"""A new installation's SQLite file is migrated once for a test process, and copied then.

A process of Paperround makes one installation; a test process makes hundreds, and each would go
through every migration there ever was. Where migrations themselves are tested, they run.
"""

import sqlite3
import tempfile
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from paperround.db import engine as engines
from paperround.db import migrate, revisions

migrating_prepare = revisions.prepare
"""What a process of Paperround does."""


def start() -> None:
    """From now on."""
    revisions.prepare = prepare


def prepare(engine: Engine, *, creates: bool = True) -> None:
    """Do what `revisions.prepare` does, but fill an empty file from a migrated one before. What is
    wrong with the file is left to be found there."""
    if creates and engine.dialect.name == "sqlite":
        with suppress(DBAPIError, sqlite3.Error), closing(engine.raw_connection()) as connection:
            file: Any = connection.driver_connection
            if file.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,):
                _migrated().backup(file)
    migrating_prepare(engine, creates=creates)


@cache
def _migrated() -> sqlite3.Connection:
    """An open database at the newest revision."""
    kept = sqlite3.connect(":memory:", check_same_thread=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "paperround.db"
        with engines.opened(f"sqlite:///{path}") as engine:
            migrate.upgrade(engine)
        with closing(sqlite3.connect(path)) as source:
            source.backup(kept)
    return kept
