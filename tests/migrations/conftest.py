"""Migration tests run on every database."""

import pytest

from paperround.db import revisions
from tests import migrated_once
from tests.databases import (
    database_url,
    empty_database_url,
    empty_engine,
    engine,
    postgres,
    postgres_url,
    sqlite_template,
)

__all__ = [
    "database_url",
    "empty_database_url",
    "empty_engine",
    "engine",
    "postgres",
    "postgres_url",
    "sqlite_template",
]


@pytest.fixture(autouse=True)
def migrates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a new file is migrated, and no copy of another one."""
    monkeypatch.setattr(revisions, "prepare", migrated_once.migrating_prepare)
