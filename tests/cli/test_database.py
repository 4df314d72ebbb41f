"""`paperround db check`, as it is typed."""

from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from paperround.cli.app import app
from paperround.domain.errors import SchemaOutOfDate
from paperround.store import engine as engines
from paperround.store import migrate, revisions
from tests.databases import empty_database_url, opened, postgres

__all__ = ["empty_database_url", "postgres"]

RUN = CliRunner()


def checked(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str) -> Result:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PAPERROUND_DATABASE_URL", url.replace("+psycopg", ""))
    return RUN.invoke(app, ["db", "check"])


def test_an_empty_database_is_told_of_in_one_line(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = checked(monkeypatch, tmp_path, empty_database_url)
    assert found.output == ""
    assert isinstance(found.exception, SchemaOutOfDate)
    assert str(found.exception) == (
        "the database holds nothing of Paperround yet: run `paperround db upgrade`"
    )


def test_a_database_of_an_older_version_is_told_of_with_the_way_out(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engines.opened(empty_database_url) as engine:
        migrate.upgrade(engine, "0011")
    found = checked(monkeypatch, tmp_path, empty_database_url)
    assert "the table channels is missing" in found.output.splitlines()
    assert str(found.exception) == (
        f"the database is at revision 0011, this version needs {revisions.head()}: "
        "run `paperround db upgrade`"
    )


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
