"""`paperround db check`, as it is typed."""

from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from paperround.cli.app import app
from paperround.core.errors import SchemaOutOfDate
from paperround.db import migrate
from tests.databases import empty_database_url, opened, postgres

__all__ = ["empty_database_url", "postgres"]

RUN = CliRunner()


@pytest.mark.postgres
@pytest.mark.accept("D14", part="commands")
def test_an_upgrade_after_which_something_is_missing_fails_and_names_it(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the operator made beside it is not missing."""
    with opened(empty_database_url) as engine:
        migrate.upgrade(engine)
        with engine.begin() as connection:
            connection.execute(text("DROP INDEX ix_deliveries_due"))
            connection.execute(text("CREATE TABLE moods (id INTEGER PRIMARY KEY)"))
    found = typed(monkeypatch, tmp_path, empty_database_url, "upgrade")
    assert isinstance(found.exception, SchemaOutOfDate)
    said = str(found.exception)
    assert "the index ix_deliveries_due of deliveries is missing" in said
    assert "backup" in said
    assert "moods" not in said


def checked(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str) -> Result:
    return typed(monkeypatch, folder, url, "check")


def typed(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str, command: str) -> Result:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PAPERROUND_DATABASE_URL", url.replace("+psycopg", ""))
    return RUN.invoke(app, ["db", command])


@pytest.mark.postgres
@pytest.mark.accept("D8", part="differences in words")
def test_each_difference_is_told_in_words(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(empty_database_url) as engine:
        migrate.upgrade(engine)
        with engine.begin() as connection:
            connection.execute(text("DROP INDEX ix_deliveries_due"))
            connection.execute(text("ALTER TABLE notices DROP COLUMN reply"))
            connection.execute(text("ALTER TABLE lists ADD COLUMN mood VARCHAR(8)"))
            connection.execute(text("CREATE TABLE moods (id INTEGER PRIMARY KEY)"))
    found = checked(monkeypatch, tmp_path, empty_database_url)
    assert sorted(found.output.splitlines()) == [
        "the column lists.mood is not declared",
        "the column notices.reply is missing",
        "the index ix_deliveries_due of deliveries is missing",
        "the table moods is not declared",
    ]
    assert isinstance(found.exception, SchemaOutOfDate)
