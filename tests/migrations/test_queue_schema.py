"""The queue's own tables: made once, changed once, and missed when they are not there."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from paperround.domain.errors import SchemaOutOfDate
from paperround.store import migrate, queue_schema, revisions
from tests.databases import PostgresServer, opened
from tests.migrations.describing import described_queue

LOCK = 1
LATER = "99.00.00_01_later"


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[Engine]:
    """An empty PostgreSQL database."""
    with postgres.created() as url, opened(url) as engine:
        yield engine


@pytest.fixture
def later_package(tmp_path: Path) -> Path:
    """What a later version of the queue's package ships: one change more."""
    folder = tmp_path / "sql"
    shutil.copytree(queue_schema.package(), folder)
    change = "CREATE TABLE procrastinate_later (id int); INSERT INTO procrastinate_later VALUES (1)"
    (folder / "migrations" / f"{LATER}.sql").write_text(f"{change};", encoding="utf-8")
    return folder


@pytest.mark.accept("F47", part="the queue's tables come with ours")
def test_an_upgrade_makes_the_tables_of_the_queue_once(empty: Engine) -> None:
    migrate.upgrade(empty)
    made = described_queue(empty)
    assert any("procrastinate_jobs_queueing_lock" in line for line in made)
    migrate.upgrade(empty)
    assert described_queue(empty) == made
    assert migrate.check_drift(empty) == []


def test_all_changes_one_after_another_come_to_the_same(
    empty: Engine, postgres: PostgresServer
) -> None:
    queue_schema.upgrade(empty, lock=LOCK)
    with postgres.created() as url, opened(url) as other:
        with other.begin() as connection:
            connection.execute(text(f"CREATE TABLE {queue_schema.BOOK} (name text PRIMARY KEY)"))
        made = queue_schema.upgrade(other, lock=LOCK)
        assert len(made) == len(queue_schema.shipped(queue_schema.package()))
        assert described_queue(other) == described_queue(empty)


def test_the_change_of_a_later_version_is_made_once(empty: Engine, later_package: Path) -> None:
    migrate.upgrade(empty)
    with empty.connect() as connection:
        assert queue_schema.missing(connection, folder=later_package) == [LATER]
    assert queue_schema.upgrade(empty, lock=LOCK, folder=later_package) == [LATER]
    assert queue_schema.upgrade(empty, lock=LOCK, folder=later_package) == []
    with empty.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM procrastinate_later")).scalar() == 1


def test_a_change_that_fails_is_not_booked(empty: Engine, later_package: Path) -> None:
    migrate.upgrade(empty)
    file = later_package / "migrations" / f"{LATER}.sql"
    good = file.read_text(encoding="utf-8")
    file.write_text(f"{good} SELECT 1 / 0;", encoding="utf-8")
    with pytest.raises(Exception, match="division by zero"):
        queue_schema.upgrade(empty, lock=LOCK, folder=later_package)
    file.write_text(good, encoding="utf-8")
    assert queue_schema.upgrade(empty, lock=LOCK, folder=later_package) == [LATER]


def test_a_database_that_a_later_version_upgraded_is_still_good(
    empty: Engine, later_package: Path
) -> None:
    migrate.upgrade(empty)
    queue_schema.upgrade(empty, lock=LOCK, folder=later_package)
    revisions.prepare(empty)
    assert migrate.check_drift(empty) == []


def test_a_change_that_is_missing_is_told_with_the_way_out(empty: Engine) -> None:
    migrate.upgrade(empty)
    newest = queue_schema.shipped(queue_schema.package())[-1]
    with empty.begin() as connection:
        connection.execute(text(f"DELETE FROM {queue_schema.BOOK} WHERE name = '{newest}'"))
    assert migrate.check_drift(empty) == [f"the queue's tables lack the change {newest}"]
    with pytest.raises(SchemaOutOfDate, match=rf"{newest}.*paperround db upgrade"):
        revisions.prepare(empty)
    assert not revisions.is_current(empty)


def test_an_installation_from_before_there_was_a_queue_is_not_changed_unasked(
    empty: Engine,
) -> None:
    migrate.upgrade(empty, revisions.head())
    with pytest.raises(SchemaOutOfDate, match="paperround db upgrade"):
        revisions.prepare(empty)
    assert "the queue has no tables" in migrate.check_drift(empty)
    migrate.upgrade(empty)
    revisions.prepare(empty)


def test_sqlite_has_no_tables_of_a_queue(sqlite_template: Path) -> None:
    with opened(f"sqlite:///{sqlite_template}") as engine, engine.connect() as connection:
        assert queue_schema.missing(connection) == []
        tables = connection.execute(text("SELECT name FROM sqlite_master")).scalars()
        assert not [name for name in tables if not queue_schema.is_declared(name)]
