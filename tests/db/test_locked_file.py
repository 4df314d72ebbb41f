"""A SQLite file that another process holds, or that could not be written for a while."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import text

from paperround.core.errors import DatabaseFailed
from paperround.db.revisions import require_not_moved
from paperround.db.transactions import SqlDatabase
from tests.sample_database import fill, record


def test_the_revision_is_read_beside_a_writer(sqlite_database: SqlDatabase) -> None:
    engine = sqlite_database._engine
    with closing(sqlite3.connect(str(engine.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert require_not_moved(engine) is not None


def write_in_vain(database: SqlDatabase) -> None:
    with database.writing() as work:
        work.connection.execute(text("PRAGMA query_only = ON"))
        work.connection.execute(text("DELETE FROM lists"))


def test_a_connection_that_could_not_write_is_not_used_again(sqlite_database: SqlDatabase) -> None:
    with pytest.raises(DatabaseFailed, match="readonly"):
        write_in_vain(sqlite_database)
    fill(sqlite_database, [record(1)])
