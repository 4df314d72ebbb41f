"""A SQLite file that another process holds, or that could not be written for a while."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import text

from paperround.core.errors import DatabaseFailed
from paperround.db.checks import dangling_references, find_damage
from paperround.db.migrate import check_drift
from paperround.db.revisions import current, head, is_current, require_not_moved
from paperround.db.transactions import SqlDatabase
from tests.sample_database import fill, record


@pytest.fixture
def beside_a_writer(sqlite_database: SqlDatabase) -> Iterator[SqlDatabase]:
    place = str(sqlite_database._engine.url.database)
    with closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield sqlite_database


def test_a_database_is_checked_beside_a_writer(beside_a_writer: SqlDatabase) -> None:
    engine = beside_a_writer._engine
    assert require_not_moved(engine) == current(engine) == head()
    assert is_current(engine)
    assert not check_drift(engine)
    assert not find_damage(engine)
    assert not dangling_references(engine)


def write_in_vain(database: SqlDatabase) -> None:
    with database.writing() as work:
        work.connection.execute(text("PRAGMA query_only = ON"))
        work.connection.execute(text("DELETE FROM lists"))


def test_a_connection_that_could_not_write_is_not_used_again(sqlite_database: SqlDatabase) -> None:
    with pytest.raises(DatabaseFailed, match="readonly"):
        write_in_vain(sqlite_database)
    fill(sqlite_database, [record(1)])
