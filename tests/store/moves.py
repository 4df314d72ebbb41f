"""Moving an installation in tests, and looking at what is in a database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from paperround.domain.errors import MovedAway
from paperround.store import home, revisions
from paperround.store import schema as db
from paperround.store.moving.arrival import ARRIVED
from paperround.store.moving.move import MovedTable, Moving, between
from tests.builders import NOW
from tests.databases import opened

LATER = NOW + timedelta(hours=1)
Rows = dict[str, list[tuple[Any, ...]]]


def moved(file: Path, url: str, *, replace_nul: bool = False) -> list[MovedTable]:
    """Move it from the beginning, or from wherever it is, to the end."""
    with between(file, url) as moving:
        look = moving.look(replace_nul=replace_nul)
        mark = moving.begin(now=LATER)
        moving.copy(look)
        tables = moving.compare()
        moving.target.make_the_rest(lambda _: None)
        moving.hand_over(mark, now=LATER)
    return tables


@contextmanager
def begun(file: Path, url: str) -> Iterator[Moving]:
    """A move that has begun and copied nothing yet."""
    with between(file, url) as moving:
        moving.look()
        moving.begin(now=LATER)
        yield moving


def rows_at(url: str) -> Rows:
    """Every row of every table as Paperround reads it, in the order of keys; but for what only the
    database itself is to know."""
    with opened(url) as engine, engine.connect() as connection:
        found = {
            table.name: [tuple(row) for row in connection.execute(select(table))]
            for table in db.metadata.sorted_tables
        }
    own = (home.KIND, ARRIVED)
    found["slots"] = [row for row in found["slots"] if row[0] not in own]
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def at(file: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{file}"


def refusal(url: str) -> str:
    """Why nobody can work with a database."""
    with opened(url) as engine, pytest.raises(MovedAway) as refused:
        revisions.prepare(engine)
    return str(refused.value)
