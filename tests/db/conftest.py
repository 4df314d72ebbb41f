"""An installation on SQLite with rows in every table, and a PostgreSQL database to move it to."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import (
    PostgresServer,
    opened,
    postgres,
    postgres_template,
    postgres_url,
    sqlite_template,
)
from tests.migrations.filling import fill

__all__ = ["postgres", "postgres_template", "postgres_url", "sqlite_template"]


@pytest.fixture(scope="session")
def filled_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with rows in every table, to copy."""
    path = tmp_path_factory.mktemp("filled") / "filled.db"
    shutil.copy(sqlite_template, path)
    with opened(f"sqlite:///{path}") as engine:
        fill(engine, papers=1_200)
    return path


@pytest.fixture
def old(filled_template: Path, tmp_path: Path) -> Path:
    """The SQLite file of an installation with rows in every table."""
    path = tmp_path / "data" / "paperround.db"
    path.parent.mkdir()
    shutil.copy(filled_template, path)
    return path


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, as `createdb` makes it."""
    with postgres.created() as url:
        yield url


@pytest.fixture
def new(postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The URL of a PostgreSQL database that was migrated, and holds nothing yet."""
    with postgres.created(like=postgres_template) as url:
        yield url
