"""`paperround db check`, as it is typed."""

from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from paperround.cli.app import app
from paperround.domain.errors import SchemaOutOfDate
from paperround.store import migrate
from tests.databases import empty_database_url, opened, postgres

__all__ = ["empty_database_url", "postgres"]

RUN = CliRunner()


def checked(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str) -> Result:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PAPERROUND_DATABASE_URL", url.replace("+psycopg", ""))
    return RUN.invoke(app, ["db", "check"])


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
