"""Moving an installation in tests, and looking at what is in a database."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from paperround.core.errors import MovedAway
from paperround.db import revisions
from paperround.db.schema import tables as db
from paperround.plugins.postgres_move.move import move_between
from tests.builders import NOW
from tests.databases import opened

LATER = NOW + timedelta(hours=1)
Rows = dict[str, list[tuple[Any, ...]]]


def moved(file: Path, url: str) -> dict[str, int]:
    """Move it; returns the rows by table."""
    with move_between(file, url) as moving:
        assert not moving.is_done
        rows = moving.look()
        moving.copy(now=LATER)
    return rows


def rows_at(url: str) -> Rows:
    """Every row of every table as Paperround reads it, in the order of keys; but for what only the
    database itself is to know."""
    with opened(url) as engine, engine.connect() as connection:
        found = {
            table.name: [tuple(row) for row in connection.execute(select(table))]
            for table in db.metadata.sorted_tables
        }
    found["slots"] = [row for row in found["slots"] if row[0] != revisions.KIND]
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def at(file: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{file}"


def refusal(url: str) -> str:
    """Why nobody can work with a database."""
    with opened(url) as engine, pytest.raises(MovedAway) as refused:
        revisions.prepare(engine)
    return str(refused.value)
