"""Databases to break, on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from paperround.db import engine as engines
from paperround.db.schema.tables import metadata
from paperround.db.transactions import SqlDatabase
from tests.databases import (
    database_url,
    engine,
    postgres,
    postgres_url,
    run_on,
    sqlite_template,
)
from tests.reliability.day import Machine, open_the_town
from tests.reliability.faults import faulty_postgres, faulty_sqlite

__all__ = ["database_url", "engine", "postgres", "postgres_url", "sqlite_template"]

Fresh = Callable[[], Machine]
"""A machine as it was before the day, whenever it is asked for."""


@pytest.fixture
def database_file(sqlite_template: Path, tmp_path: Path) -> Path:
    """An empty database of this version."""
    return Path(shutil.copy(sqlite_template, tmp_path / "paperround.db"))


@pytest.fixture(scope="module")
def town(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with people in it, to copy."""
    path = tmp_path_factory.mktemp("town") / "town.db"
    shutil.copy(sqlite_template, path)
    with engines.opened(f"sqlite:///{path}") as engine:
        open_the_town(SqlDatabase(engine))
    return path


@pytest.fixture
def on_sqlite(town: Path, tmp_path: Path) -> Iterator[Fresh]:
    """The town on SQLite."""
    path, outbox = tmp_path / "paperround.db", tmp_path / "outbox"
    with engines.opened(f"sqlite:///{path}") as engine:
        machine: list[Machine] = []
        faulty_sqlite(engine, lambda: machine[-1].faults)

        def fresh() -> Machine:
            shutil.rmtree(outbox, ignore_errors=True)
            for ending in ("-wal", "-shm"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            shutil.copy(town, path)
            machine.append(Machine(engine, outbox))
            return machine[-1]

        yield fresh


@pytest.fixture
def on_postgres(postgres_url: str, tmp_path: Path) -> Iterator[Fresh]:
    """The town on PostgreSQL."""
    outbox = tmp_path / "outbox"
    clear = "; ".join(f"DELETE FROM {one.name}" for one in reversed(metadata.sorted_tables))
    with engines.opened(postgres_url) as engine:
        machine = [Machine(engine, outbox)]
        faulty_postgres(engine, lambda: machine[-1].faults)

        def fresh() -> Machine:
            shutil.rmtree(outbox, ignore_errors=True)
            machine.append(Machine(engine, outbox))
            run_on(postgres_url, clear)
            open_the_town(SqlDatabase(engine))
            engine.dispose()
            return machine[-1]

        yield fresh
    run_on(postgres_url, clear)
