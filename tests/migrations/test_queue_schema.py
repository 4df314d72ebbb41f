"""The queue's own tables: made once, changed once, and missed when they are not there."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from paperround.core.errors import DatabaseFailed, SchemaOutOfDate
from paperround.db import migrate, revisions
from paperround.db.schema import queue
from tests.databases import PostgresServer, opened
from tests.migrations.describing import described_queue
from tests.races import at_once

NO_TABLES = r"the queue has no tables: .*paperround db upgrade"
LATER = "99.00.00_01_later"


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[Engine]:
    """An empty PostgreSQL database."""
    with postgres.created() as url, opened(url) as engine:
        yield engine


@dataclass(frozen=True)
class Later:
    """A package whose newest change is in `file`."""

    file: Path
    monkeypatch: pytest.MonkeyPatch

    def upgrade_queue(self, engine: Engine) -> list[str]:
        """Upgrade with this package instead of the installed one."""
        with self.monkeypatch.context() as patch:
            patch.setattr(queue, "package", lambda: self.file.parents[1])
            return migrate.upgrade_queue(engine)


@pytest.fixture
def later_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Later:
    """A later version of the queue's package, which ships one change more."""
    folder = tmp_path / "sql"
    shutil.copytree(queue.package(), folder)
    change = "CREATE TABLE procrastinate_later (id int); INSERT INTO procrastinate_later VALUES (1)"
    file = folder / "migrations" / f"{LATER}.sql"
    file.write_text(f"{change};", encoding="utf-8")
    return Later(file, monkeypatch)


def begin_with(engine: Engine, change: str) -> None:
    """Make the first of the queue's changes, as if there were no others yet."""
    script = queue.package() / "migrations" / f"{change}.sql"
    with engine.begin() as connection:
        connection.exec_driver_sql(script.read_text(encoding="utf-8").replace("%", "%%"))
        connection.execute(text(f"CREATE TABLE {queue.APPLIED} (name text PRIMARY KEY)"))
        booking = text(f"INSERT INTO {queue.APPLIED} (name) VALUES (:name)")
        connection.execute(booking, {"name": change})


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
    migrate.upgrade_queue(empty)
    first, *rest = queue.shipped_migrations(queue.package())
    with postgres.created() as url, opened(url) as other:
        begin_with(other, first)
        assert migrate.upgrade_queue(other) == rest
        assert described_queue(other) == described_queue(empty)


def test_the_change_of_a_later_version_is_made_once(empty: Engine, later_package: Later) -> None:
    migrate.upgrade(empty)
    assert later_package.upgrade_queue(empty) == [LATER]
    assert later_package.upgrade_queue(empty) == []
    with empty.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM procrastinate_later")).scalar() == 1


def test_a_change_that_fails_is_not_booked(empty: Engine, later_package: Later) -> None:
    migrate.upgrade(empty)
    file = later_package.file
    good = file.read_text(encoding="utf-8")
    file.write_text(f"{good} SELECT 1 / 0;", encoding="utf-8")
    with pytest.raises(Exception, match="division by zero"):
        later_package.upgrade_queue(empty)
    file.write_text(good, encoding="utf-8")
    assert later_package.upgrade_queue(empty) == [LATER]


def test_a_database_that_a_later_version_upgraded_is_still_good(
    empty: Engine, later_package: Later
) -> None:
    migrate.upgrade(empty)
    later_package.upgrade_queue(empty)
    revisions.prepare(empty)
    assert migrate.check_drift(empty) == []


def test_a_change_that_is_missing_is_told_with_the_way_out(empty: Engine) -> None:
    migrate.upgrade(empty)
    newest = queue.shipped_migrations(queue.package())[-1]
    with empty.begin() as connection:
        connection.execute(text(f"DELETE FROM {queue.APPLIED} WHERE name = '{newest}'"))
    assert migrate.check_drift(empty) == [f"the queue's tables lack the change {newest}"]
    with pytest.raises(SchemaOutOfDate, match=rf"{newest}.*paperround db upgrade"):
        revisions.prepare(empty)
    assert not revisions.is_current(empty)


def test_an_installation_from_before_there_was_a_queue_is_not_changed_unasked(
    empty: Engine,
) -> None:
    migrate.upgrade(empty, revisions.head())
    with pytest.raises(SchemaOutOfDate, match=NO_TABLES):
        revisions.prepare(empty)
    assert "the queue has no tables" in migrate.check_drift(empty)
    migrate.upgrade(empty)
    revisions.prepare(empty)


@pytest.mark.accept("F47", part="the queue's tables are dropped")
@pytest.mark.parametrize("gone", ["procrastinate_jobs", "procrastinate_%"])
def test_tables_of_the_queue_that_somebody_dropped_are_missed_and_made_again(
    empty: Engine, gone: str
) -> None:
    migrate.upgrade(empty)
    whole = described_queue(empty)
    drop(empty, gone)
    with pytest.raises(SchemaOutOfDate, match=NO_TABLES):
        revisions.prepare(empty)
    migrate.upgrade(empty)
    assert described_queue(empty) == whole
    revisions.prepare(empty)


def drop(engine: Engine, pattern: str) -> None:
    """Drop tables by hand; their types and functions stay."""
    with engine.begin() as connection:
        looking = text("SELECT tablename FROM pg_tables WHERE tablename LIKE :pattern")
        for name in connection.execute(looking, {"pattern": pattern}).scalars().all():
            connection.execute(text(f"DROP TABLE {name} CASCADE"))


@pytest.mark.accept("F47", part="two upgrades at once")
def test_of_two_upgrades_at_once_both_end_well(empty: Engine) -> None:
    at_once(2, lambda _: migrate.upgrade(empty))
    assert migrate.check_drift(empty) == []


def test_whoever_may_make_no_tables_is_told_so_in_one_line(empty: Engine) -> None:
    with empty.begin() as connection:
        connection.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC, CURRENT_USER"))
        connection.execute(text("CREATE ROLE powerless"))
    try:
        with pytest.raises(DatabaseFailed, match=r"^the schema was not changed: permission denied"):
            migrate.run_with_lock_retries(empty, as_somebody_powerless)
    finally:
        with empty.begin() as connection:
            connection.execute(text("DROP ROLE powerless"))


def as_somebody_powerless(connection: Connection) -> None:
    connection.execute(text("SET LOCAL ROLE powerless"))
    queue.apply_next(connection)


def test_sqlite_has_no_tables_of_a_queue(sqlite_template: Path) -> None:
    with opened(f"sqlite:///{sqlite_template}") as engine, engine.connect() as connection:
        assert queue.missing(connection) == []
        tables = connection.execute(text("SELECT name FROM sqlite_master")).scalars()
        assert not [name for name in tables if not queue.is_declared(name)]
