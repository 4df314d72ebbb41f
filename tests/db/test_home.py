"""A dump of PostgreSQL that is made while mail goes out, and put back elsewhere, sends nothing."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, select
from typer.testing import CliRunner

from paperround.cli.app import app
from paperround.core.errors import MovedAway
from paperround.core.tokens import KeyRing
from paperround.db import revisions as at_home
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.ledger import Ledger
from paperround.editions.model import DeliveryState
from tests.builders import (
    HOUR,
    NOW,
    lease,
    move,
    new_delivery,
    plan,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
)
from tests.databases import PostgresServer, opened, postgres_programs

pytestmark = pytest.mark.accept("D5", part="postgres")

PEOPLE = 6
NAMED = {
    "SECRET_KEY": "only-for-this-test-and-long-enough-for-it",
    "OPERATOR": "A test",
    "CONTACT": "keeper@example.org",
    "PRIVATE": "1",
    "ENRICH": "off",
}


@pytest.fixture
def busy(new: str) -> str:
    """A database in the middle of a run: two mails are out, one is marked, one is taken up, and
    two wait."""
    with opened(new) as engine:
        at_home.require_not_a_copy(engine, now=NOW)
        database = SqlDatabase(engine)
        trending = seed_list(database)
        papers = seed_papers(database, 3)
        edition = seed_edition(database, trending, papers)
        people = seed_subscribers(database, trending, tuple(f"p{n}" for n in range(PEOPLE)))
        key = KeyRing((NAMED["SECRET_KEY"].encode(),)).current.id
        plan(
            database,
            edition,
            [replace(new_delivery(one, papers), key_id=key) for one in people],
        )
        with database.writing() as work:
            taken = work[Ledger].claim(lease(), limit=4, now=NOW)
            work[Ledger].mark_in_data(
                [one.id for one in taken[:3]], lease().token, until=lease().until, now=NOW
            )
            work[Ledger].settle([move(one, DeliveryState.SENT) for one in taken[:2]], now=NOW)
    return new


@pytest.fixture
def copy(busy: str, postgres: PostgresServer, tmp_path: Path) -> Iterator[str]:
    """A dump of it, put back into another database; the first one went on meanwhile."""
    with postgres.created() as url:
        dump = tmp_path / "papers.dump"
        tool("pg_dump", "--format=custom", "--file", str(dump), plain(busy))
        tool("pg_restore", "--no-owner", "--dbname", plain(url), str(dump))
        yield url


def tool(name: str, *arguments: str) -> None:
    programs = postgres_programs()
    if programs is None or not (programs / name).exists():
        pytest.skip(f"needs {name}")
    subprocess.run([programs / name, *arguments], check=True, capture_output=True, timeout=60)


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs commands on a database, each to its end."""
    at_exit: list[Callable[[], object]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("paperround.bootstrap.atexit.register", at_exit.append)
    for name, value in NAMED.items():
        monkeypatch.setenv(f"PAPERROUND_{name}", value)

    def run(url: str, *arguments: str) -> Any:
        monkeypatch.setenv("PAPERROUND_DATABASE_URL", plain(url))
        try:
            return CliRunner().invoke(app, list(arguments))
        finally:
            while at_exit:
                at_exit.pop()()

    return run


def end_at_once(_: object) -> None:
    raise SystemExit("it would go on for ever")


@pytest.mark.accept("D5")
@pytest.mark.parametrize("command", ["deliver", "tick", "serve", "scheduler", "worker"])
def test_a_copy_works_only_after_somebody_said_so(
    installation: Callable[..., Any],
    copy: str,
    busy: str,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("paperround.scheduler.Scheduler.start", end_at_once)
    done = installation(copy, command)
    assert isinstance(done.exception, MovedAway)
    assert "`paperround db restore --in-place`" in str(done.exception)
    assert installation(busy, "digest", "status").exit_code == 0


@pytest.mark.accept("D5")
def test_after_the_go_nothing_is_sent_that_may_be_out(
    installation: Callable[..., Any], copy: str, tmp_path: Path
) -> None:
    said = installation(copy, "db", "restore", "--in-place").stdout
    assert "4 digests may have been sent: `unknown` from now on, and not sent again" in said
    at = NOW.isoformat()
    for command in (("deliver", "--now", at), ("digest", "resume"), ("deliver", "--now", at)):
        assert installation(copy, *command).exit_code == 0
    assert list(tmp_path.glob("paperround-data/outbox/*.eml")) == []


def test_what_was_stopped_before_the_dump_goes_on_where_it_stopped(
    installation: Callable[..., Any], copy: str, tmp_path: Path
) -> None:
    assert installation(copy, "db", "restore", "--in-place", "--moved").exit_code == 0
    after = (NOW + HOUR).isoformat()
    assert installation(copy, "deliver", "--now", after).exit_code == 0
    assert len(list(tmp_path.glob("paperround-data/outbox/*.eml"))) == 3


def test_a_database_put_back_over_itself_is_a_copy(
    busy: str, tmp_path: Path, installation: Callable[..., Any]
) -> None:
    dump = str(tmp_path / "papers.dump")
    tool("pg_dump", "--format=custom", "--file", dump, plain(busy))
    tool("pg_restore", "--no-owner", "--clean", "--dbname", plain(busy), dump)
    assert isinstance(installation(busy, "deliver").exception, MovedAway)


def test_a_database_that_stays_where_it_is_is_no_copy(busy: str) -> None:
    with opened(busy) as engine:
        at_home.require_not_a_copy(engine, now=NOW)
        with engine.begin() as connection:
            connection.exec_driver_sql("CLUSTER deliveries USING pk_deliveries")
            connection.exec_driver_sql("ALTER TABLE deliveries ADD COLUMN later text DEFAULT 'x'")
        at_home.require_not_a_copy(engine, now=NOW)


def test_who_may_not_ask_for_the_server_is_known_by_the_database_alone(
    busy: str, postgres: PostgresServer
) -> None:
    with opened(busy) as engine, engine.begin() as connection:
        connection.exec_driver_sql("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
        connection.exec_driver_sql("CREATE ROLE paperround_plain LOGIN IN ROLE pg_write_all_data")
        connection.exec_driver_sql("GRANT pg_read_all_data TO paperround_plain")
    other = make_url(busy).set(username="paperround_plain").render_as_string(hide_password=False)
    try:
        with opened(other) as engine, engine.connect() as connection:
            assert at_home._place(connection).startswith("unknown/")
    finally:
        with opened(busy) as engine, engine.begin() as connection:
            connection.exec_driver_sql("DROP OWNED BY paperround_plain; DROP ROLE paperround_plain")


def test_sqlite_is_not_watched(old: Path) -> None:
    with opened(f"sqlite:///{old}") as engine:
        at_home.require_not_a_copy(engine, now=NOW)
        at_home.store_database_ids(engine, now=NOW)
        with engine.connect() as connection:
            homes = select(db.slots).where(db.slots.c.kind == at_home.KIND)
            assert connection.execute(homes).all() == []
