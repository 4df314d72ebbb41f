"""Migrations on a PostgreSQL that others work with meanwhile."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Engine, inspect

from paperround.core.errors import DatabaseFailed
from paperround.db import migrate, revisions
from tests.databases import PostgresServer, opened
from tests.migrations.crowding import crowd, watched
from tests.migrations.downgrading import downgrade
from tests.migrations.filling import counts
from tests.migrations.revisions import REVISIONS

SOME, MANY = 20_000, 1_000_000
LONGEST = 5.0
"""Seconds for which nobody may read a table at most."""

FIRST_IN_USE = "0011"
"""Nobody ran anything older beside something newer."""


@pytest.fixture
def engine(postgres: PostgresServer) -> Iterator[Engine]:
    """An empty PostgreSQL database."""
    with postgres.created() as url, opened(url) as engine:
        yield engine


@pytest.mark.accept("D10")
def test_no_table_is_closed_to_readers_for_long(engine: Engine, long_form: bool) -> None:
    migrate.upgrade(engine)
    crowd(engine, MANY if long_form else SOME)
    filled = counts(engine)["deliveries"]
    seen: dict[str, dict[str, float]] = {}
    for before, after in reversed(list(pairwise(REVISIONS[1:]))):  # before those is no ledger
        downgrade(engine, before)
        with watched(engine) as watch:
            migrate.upgrade(engine, after)
        seen[after] = watch.seconds
        assert counts(engine)["deliveries"] == filled
        downgrade(engine, before)
    assert any(seen.values()), "the watch saw nothing: it is not looking"
    longest = {after: max(seconds.values(), default=0) for after, seconds in seen.items()}
    assert max(longest.values()) < LONGEST, seen


@pytest.mark.accept("D10", part="waiting")
def test_a_migration_gives_way_to_readers_and_tries_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0.2)
    migrate.upgrade(engine, "0010")
    pauses: list[float] = []
    reader = engine.connect()
    reader.exec_driver_sql("SELECT count(*) FROM editions").all()

    def leave(seconds: float) -> None:
        pauses.append(seconds)
        assert revisions.current(engine) == "0010"  # nothing of it was kept
        if len(pauses) == 2:
            reader.close()

    migrate.upgrade(engine, "0011", pause=leave)
    assert pauses == list(migrate.LOCK_PAUSES[:2])
    assert revisions.current(engine) == "0011"


@pytest.mark.accept("D10", part="waiting")
def test_a_migration_that_never_gets_its_turn_says_so(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0.05)
    migrate.upgrade(engine, "0010")
    with engine.connect() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM editions").all()
        with pytest.raises(DatabaseFailed, match="another session locks a table"):
            migrate.upgrade(engine, "0011", pause=lambda _: None)
        reader.rollback()
    migrate.upgrade(engine, "0011")


@pytest.mark.accept("D10", part="waiting")
def test_two_that_migrate_wait_for_each_other(engine: Engine) -> None:
    others = [threading.Thread(target=migrate.upgrade, args=(engine,)) for _ in range(3)]
    for one in others:
        one.start()
    for one in others:
        one.join()
    assert revisions.is_current(engine)
    assert migrate.check_drift(engine) == []


def columns(engine: Engine) -> dict[tuple[str, str], Any]:
    """Every column by its table and name."""
    looking = inspect(engine)
    return {
        (table, column["name"]): column
        for table in looking.get_table_names()
        for column in looking.get_columns(table)
    }


@pytest.mark.accept("D10", part="previous release")
def test_what_the_previous_version_reads_and_writes_is_still_there(engine: Engine) -> None:
    """It runs while the schema is new already: nothing it names may go, and nothing it does not
    know may be demanded of it."""
    migrate.upgrade(engine, FIRST_IN_USE)
    old = columns(engine)
    migrate.upgrade(engine)
    new = columns(engine)
    assert [name for name in old if name not in new] == []
    changed = [
        name
        for name, column in old.items()
        if repr(column["type"]) != repr(new[name]["type"])
        or (column["nullable"] and not new[name]["nullable"])
    ]
    tables = {table for table, _ in old}
    demanded = [
        name
        for name, column in new.items()
        if name not in old
        and name[0] in tables
        and not (column["nullable"] or column["default"] or column.get("computed"))
    ]
    assert (changed, demanded) == ([], [])


KILLED = """
import os, signal, sys
from sqlalchemy import event
from paperround.db import engine, migrate

url, revision, last = sys.argv[1:]
target = engine.create(url)

@event.listens_for(target, "after_cursor_execute")
def die(connection, cursor, statement, *_):
    if "alembic_version" in statement and statement.startswith(("UPDATE", "INSERT")):
        os.kill(os.getpid(), signal.SIGKILL)

migrate.upgrade(target, revision)
"""


@pytest.mark.accept("D9", part="kill")
def test_whichever_migration_is_killed_the_old_state_is_left(
    postgres: PostgresServer, long_form: bool
) -> None:
    steps = list(pairwise(REVISIONS))
    with postgres.created() as url, opened(url) as engine:
        migrate.upgrade(engine, REVISIONS[0])
        for before, after in steps if long_form else steps[-3:]:
            migrate.upgrade(engine, before)
            command = [sys.executable, "-c", KILLED, url, after, ""]
            assert subprocess.run(command, check=False, timeout=60).returncode == -9
            assert revisions.current(engine) == before
        migrate.upgrade(engine)
        assert migrate.check_drift(engine) == []
