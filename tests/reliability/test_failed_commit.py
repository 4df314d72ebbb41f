"""A commit that fails leaves no transaction behind, and no lock."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from paperround.core.errors import DatabaseFailed
from paperround.db import engine as engines
from paperround.db.slots import SlotStore
from paperround.db.transactions import SqlDatabase
from tests.reliability.faults import Faults, faulty_sqlite
from tests.sample_database import NOW


@pytest.fixture
def broken_once(database_file: Path) -> Iterator[SqlDatabase]:
    """A database whose first commit fails before anything is kept."""
    with engines.opened(f"sqlite:///{database_file}") as engine:
        faults = Faults(at=1, only=frozenset({"before a commit"}))
        faulty_sqlite(engine, lambda: faults)
        yield SqlDatabase(engine)


@pytest.mark.accept("D6", part="a commit that fails")
def test_whoever_writes_next_finds_no_lock(broken_once: SqlDatabase, database_file: Path) -> None:
    with pytest.raises(DatabaseFailed, match="disk I/O error"), broken_once.writing() as work:
        work[SlotStore].beat("lost", now=NOW)
    with closing(sqlite3.connect(database_file, timeout=0)) as another:
        another.execute("BEGIN IMMEDIATE")
        another.rollback()
    with broken_once.writing() as work:
        assert work[SlotStore].last_beat("lost") is None
        work[SlotStore].beat("kept", now=NOW)
    with broken_once.reading() as work:
        assert work[SlotStore].last_beat("kept") == NOW
