"""Migrations: they build what is declared, keep what is there, and happen whole or not at all."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine, func, insert, inspect, select

from paperround import paths
from paperround.domain.errors import SchemaOutOfDate
from paperround.domain.papers import PaperId
from paperround.store import migrate
from paperround.store import schema as db
from paperround.store.unit_of_work import SqlDatabase
from tests.builders import NOW, listing, paper, write
from tests.databases import opened
from tests.migrations.describing import described

REVISIONS = ("0001", "0002")
MANY = 10_000


@pytest.mark.accept("D8")
def test_migrations_build_the_declared_schema(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine)
    migrated = described(empty_engine)
    assert migrate.check_drift(empty_engine) == []
    migrate.downgrade(empty_engine, "base")
    db.metadata.create_all(empty_engine)
    assert migrated == described(empty_engine)


@pytest.mark.accept("D8", part="check")
def test_a_missing_index_is_drift(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine)
    with empty_engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX ix_deliveries_due")
    assert any("ix_deliveries_due" in line for line in migrate.check_drift(empty_engine))


@pytest.mark.accept("D9")
@pytest.mark.parametrize("revision", REVISIONS)
def test_every_migration_goes_up_down_and_up_again(empty_engine: Engine, revision: str) -> None:
    migrate.upgrade(empty_engine, revision)
    once = described(empty_engine)
    migrate.downgrade(empty_engine, "-1")
    migrate.upgrade(empty_engine, revision)
    assert described(empty_engine) == once


def test_migrating_down_to_the_base_leaves_no_table(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine)
    migrate.downgrade(empty_engine, "base")
    assert inspect(empty_engine).get_table_names() == ["alembic_version"]
    assert migrate.current(empty_engine) is None


def _fill(engine: Engine) -> None:
    with SqlDatabase(engine).writing() as work:
        feed = work.feeds.get_or_create("hf", "hf", now=NOW)
        real = work.papers.save([write(paper(n)) for n in range(1, MANY + 1)], now=NOW)
        work.papers.list_papers(feed.id, [listing(one) for one in real.values()], now=NOW)


def _counts(engine: Engine) -> list[int]:
    tables = (db.papers, db.identifiers, db.listings)
    with engine.connect() as connection:
        counting = [select(func.count()).select_from(table) for table in tables]
        return [connection.execute(one).scalar_one() for one in counting]


@pytest.mark.accept("D7")
def test_ten_thousand_papers_survive_every_later_migration(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine, REVISIONS[0])
    _fill(empty_engine)
    for revision in REVISIONS[1:]:
        migrate.upgrade(empty_engine, revision)
        migrate.downgrade(empty_engine, "-1")
        migrate.upgrade(empty_engine, revision)
        assert _counts(empty_engine) == [MANY, 2 * MANY, MANY]


@pytest.mark.accept("D7")
def test_rebuilding_a_sqlite_table_keeps_the_rows_that_refer_to_it(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'x.db'}") as engine:
        migrate.upgrade(engine)
        _fill(engine)
        with migrate.migrating(engine) as connection:
            operations = Operations(MigrationContext.configure(connection))
            with operations.batch_alter_table("papers") as batch:
                batch.alter_column("comment", new_column_name="remark")
        assert _counts(engine) == [MANY, 2 * MANY, MANY]


def test_a_migration_that_leaves_a_reference_to_nothing_is_undone(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'x.db'}") as engine:
        migrate.upgrade(engine)
        row = {"kind": "doi", "value": "10.1/x", "paper_id": PaperId(99)}
        with pytest.raises(SchemaOutOfDate, match="identifiers"), migrate.migrating(engine) as link:
            link.execute(insert(db.identifiers), row)
        assert _counts(engine)[1] == 0


KILLED = """
import os, signal, sys
from sqlalchemy import event
from paperround.store import engine, migrate

url, last = sys.argv[1:]
target = engine.create(url)

@event.listens_for(target, "after_cursor_execute")
def die(connection, cursor, statement, *_):
    if last in statement:
        os.kill(os.getpid(), signal.SIGKILL)

migrate.upgrade(target)
"""


@pytest.mark.accept("D9", part="kill")
@pytest.mark.parametrize("last", ["CREATE TABLE rejects", "CREATE INDEX ix_notices_due"])
def test_a_migration_killed_in_the_middle_leaves_the_old_state(
    empty_database_url: str, last: str
) -> None:
    command = [sys.executable, "-c", KILLED, empty_database_url, last]
    assert subprocess.run(command, check=False, timeout=60).returncode == -9
    with opened(empty_database_url) as engine:
        assert migrate.current(engine) is None
        assert inspect(engine).get_table_names() == []
        migrate.upgrade(engine)
        assert migrate.check_drift(engine) == []


def test_an_empty_sqlite_file_is_made_ready(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'made' / 'new.db'}") as engine:
        migrate.prepare(engine)
        migrate.prepare(engine)
        assert migrate.is_current(engine)


def test_an_older_database_is_not_migrated_unasked(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine, "0001")
    with pytest.raises(SchemaOutOfDate, match=r"0001.*paperround db upgrade"):
        migrate.prepare(empty_engine)
    assert migrate.current(empty_engine) == "0001"


def test_an_empty_postgresql_database_is_not_migrated_unasked(
    empty_engine: Engine,
) -> None:
    if empty_engine.dialect.name == "sqlite":
        migrate.prepare(empty_engine)
        return
    with pytest.raises(SchemaOutOfDate, match=r"none.*paperround db upgrade"):
        migrate.prepare(empty_engine)


def test_the_migration_tool_works_by_its_own_name(tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        url = f"url=sqlite:///{tmp_path / 'named.db'}"
        command = [sys.executable, "-m", "alembic", "-c", str(paths.alembic_ini()), "-x", url]
        done = subprocess.run(
            [*command, *arguments], cwd=tmp_path, check=True, capture_output=True, timeout=60
        )
        return done.stdout.decode()

    run("upgrade", "head")
    assert "No new upgrade operations" in run("check")
