"""Migrations: they build what is declared, keep what is there, and happen whole or not at all."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine, insert, inspect

from paperround.core.errors import SchemaOutOfDate
from paperround.db import migrate, revisions
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.model import FeedHealth
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import PaperId
from tests.builders import NOW
from tests.databases import opened
from tests.migrations.describing import described
from tests.migrations.downgrading import downgrade
from tests.migrations.filling import broken_references, counts, fill
from tests.migrations.revisions import REVISIONS


@pytest.mark.accept("D8")
def test_migrations_build_the_declared_schema(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine)
    migrated = described(empty_engine)
    assert migrate.check_drift(empty_engine) == []
    downgrade(empty_engine, "base")
    db.metadata.create_all(empty_engine)
    assert migrated == described(empty_engine)


@pytest.mark.accept("D8", part="check")
def test_a_missing_index_is_drift(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine)
    with empty_engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX ix_deliveries_due")
    assert any("ix_deliveries_due" in line for line in migrate.check_drift(empty_engine))


@pytest.mark.accept("D9")
def test_every_migration_goes_up_and_down_and_up_and_down(empty_engine: Engine) -> None:
    """On the way up: each starts from what the one before it left."""
    old = described(empty_engine)
    for before, after in pairwise(("base", *REVISIONS)):
        migrate.upgrade(empty_engine, after)
        new = described(empty_engine)
        for _ in range(2):
            downgrade(empty_engine, before)
            assert described(empty_engine) == old, after
            migrate.upgrade(empty_engine, after)
            assert described(empty_engine) == new, after
        old = new


@pytest.mark.accept("D7")
def test_ten_thousand_papers_and_their_mails_survive_every_migration(empty_engine: Engine) -> None:
    """On the way down, from a database that was filled at the newest revision."""
    migrate.upgrade(empty_engine)
    fill(empty_engine)
    filled = counts(empty_engine)
    for before, after in reversed(list(pairwise(REVISIONS))):
        downgrade(empty_engine, before)
        kept = counts(empty_engine)
        if "behind_papers" in filled and "behind_papers" not in kept:
            filled["edition_papers"] += filled["behind_papers"]  # mails with those still need them
        assert kept == {table: rows for table, rows in filled.items() if table in kept}, after
        for step in (migrate.upgrade, downgrade, migrate.upgrade, downgrade):
            step(empty_engine, after if step is migrate.upgrade else before)
            now = counts(empty_engine)
            assert {table: now[table] for table in kept} == kept, after
            assert broken_references(empty_engine) == []
        filled = kept


def test_feeds_and_editions_from_before_there_was_a_service_fit_into_it(
    empty_engine: Engine,
) -> None:
    migrate.upgrade(empty_engine)
    fill(empty_engine)
    downgrade(empty_engine, "0002")
    migrate.upgrade(empty_engine)
    with SqlDatabase(empty_engine).reading() as work:
        feed = work[FeedStore].find("hf")
        default = work[ListStore].get("trending")
        edition = work[EditionStore].newest(default.id, by=NOW)
    assert feed is not None
    assert (feed.health, feed.reason, feed.last_good_at) == (FeedHealth.NEW, "", None)
    assert edition is not None
    assert (edition.cut_at, edition.sources, len(edition.papers)) == (edition.frozen_at, (), 4)


def test_a_pause_that_sqlite_held_without_its_zone_gets_it(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'x.db'}") as engine:
        migrate.upgrade(engine)
        with SqlDatabase(engine).writing() as work:
            work[ListStore].ensure_default(zone="UTC", now=NOW)
        downgrade(engine, "0011")
        with SqlDatabase(engine).writing() as work:
            written = "UPDATE lists SET paused_at = '2026-03-02 08:00:00.000000'"
            work.connection.exec_driver_sql(written)
        migrate.upgrade(engine)
        with SqlDatabase(engine).reading() as work:
            [held] = work.connection.exec_driver_sql("SELECT paused_at FROM lists").scalars()
            assert work[ListStore].get("trending").paused_at == NOW
    assert held == "2026-03-02T08:00:00.000000Z"


@pytest.mark.accept("D7")
def test_rebuilding_a_sqlite_table_keeps_the_rows_that_refer_to_it(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'x.db'}") as engine:
        migrate.upgrade(engine)
        fill(engine)
        filled = counts(engine)
        with migrate.migrating(engine) as connection:
            operations = Operations(MigrationContext.configure(connection))
            with operations.batch_alter_table("papers") as batch:
                batch.alter_column("comment", new_column_name="remark")
        assert counts(engine) == filled
        assert broken_references(engine) == []


def test_a_migration_that_leaves_a_reference_to_nothing_is_undone(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'x.db'}") as engine:
        migrate.upgrade(engine)
        row = {"kind": "doi", "value": "10.1/x", "paper_id": PaperId(99)}
        with pytest.raises(SchemaOutOfDate, match="identifiers"), migrate.migrating(engine) as link:
            link.execute(insert(db.identifiers), row)
        assert counts(engine)["identifiers"] == 0


KILLED = """
import os, signal, sys
from sqlalchemy import event
from paperround.db import engine, migrate

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
        assert revisions.current(engine) is None
        assert inspect(engine).get_table_names() == []
        migrate.upgrade(engine)
        assert migrate.check_drift(engine) == []


def test_an_empty_sqlite_file_is_made_ready(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'made' / 'new.db'}") as engine:
        revisions.prepare(engine)
        revisions.prepare(engine)
        assert revisions.is_current(engine)


def test_an_older_database_is_not_migrated_unasked(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine, "0001")
    with pytest.raises(SchemaOutOfDate, match=r"0001.*paperround db upgrade"):
        revisions.prepare(empty_engine)
    assert revisions.current(empty_engine) == "0001"


def test_an_empty_postgresql_database_is_not_migrated_unasked(
    empty_engine: Engine,
) -> None:
    if empty_engine.dialect.name == "sqlite":
        revisions.prepare(empty_engine)
        return
    with pytest.raises(SchemaOutOfDate, match=r"no Paperround tables yet.*paperround db upgrade"):
        revisions.prepare(empty_engine)
