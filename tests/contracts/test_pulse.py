"""Whether anything that pages show was written since one looked before, on every database."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from paperround.domain.errors import DatabaseFailed
from paperround.domain.limits import Rate
from paperround.jobs.ports import Database
from paperround.store import migrate, pulse
from paperround.store.pulse import PostgresPulse, SqlitePulse, pulse_of
from paperround.store.schema import metadata
from paperround.store.schema_pages import MANY, NEWS, SHOWN, drift
from tests.builders import (
    HOUR,
    NOW,
    listing,
    new_delivery,
    observation,
    paper,
    plan,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
    write,
)

_UNSEEN = {"lists": "paused_at", "editions": "live_until", "listings": "fingerprint",
           "feeds": "lease"}  # fmt: skip
"""A column of each table that is on no page."""


@pytest.fixture(autouse=True)
def _asked_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of PostgreSQL holds for a second; here it holds for no time at all."""
    monkeypatch.setattr(pulse, "LASTING", 0.0)


@pytest.mark.accept("B11", part="what changes")
def test_a_commit_is_felt_and_silence_is_not(database: Database, engine: Engine) -> None:
    watching = pulse_of(engine)
    before = watching.beat()
    assert watching.beat() == before
    seed_list(database)
    after = watching.beat()
    assert after != before
    assert watching.beat() == after


@pytest.mark.accept("B11", part="what changes")
@pytest.mark.parametrize("table", SHOWN)
def test_whoever_changes_what_pages_show_counts(engine: Engine, table: str) -> None:
    """Of SQLite, which counts for each row, the triggers are looked at; what it has none for is
    counted by the one store that writes it."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            found = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
            made = connection.exec_driver_sql(found, (table,)).scalars().all()
        counting = [one for one in made if "page_changes SET" in one]
        wanted = [news for news in NEWS if news not in MANY.get(table, ())]
        assert [one.split(" AFTER ")[1].split(" ")[0] for one in counting] == wanted
        return
    watching = pulse_of(engine)
    shown = SHOWN[table].split(", ")[0] or metadata.tables[table].columns.keys()[-1]
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {shown} = {shown}"):
        before = watching.beat()
        run(engine, statement)
        assert watching.beat() != before, statement
    if table in _UNSEEN:
        before = watching.beat()
        run(engine, f"UPDATE {table} SET {_UNSEEN[table]} = {_UNSEEN[table]}")
        assert watching.beat() == before


def run(engine: Engine, statement: str) -> None:
    """One statement, committed."""
    with engine.begin() as connection:
        connection.execute(text(statement))


@pytest.mark.accept("B11", part="what changes")
def test_votes_and_editions_are_felt(database: Database, engine: Engine) -> None:
    mailing_list = seed_list(database)
    [one] = seed_papers(database, 1)
    watching = pulse_of(engine)
    said = [watching.beat()]
    with database.writing() as work:
        feed = work.feeds.get_or_create("hf", "hf", now=NOW)
        work.papers.observe(feed.id, [(one, observation(3))])
    said.append(watching.beat())
    with database.writing() as work:
        work.papers.list_papers(feed.id, [listing(one)], now=NOW)
    said.append(watching.beat())
    with database.writing() as work:
        work.papers.save([write(paper(2))], now=NOW)
    said.append(watching.beat())
    edition = seed_edition(database, mailing_list, (one,))
    said.append(watching.beat())
    with database.writing() as work:
        work.papers.save([write(replace(paper(1), id=one, comment="9 pages"))], now=NOW)
    said.append(watching.beat())
    with database.writing() as work:
        work.editions.cancel(edition.id, now=NOW)
    said.append(watching.beat())
    assert len(set(said)) == len(said)


@pytest.mark.accept("B11", part="a run of sending")
def test_what_a_run_of_sending_writes_is_not_felt(database: Database, engine: Engine) -> None:
    mailing_list = seed_list(database)
    papers = seed_papers(database, 1)
    [subscription] = seed_subscribers(database, mailing_list, ("ada",))
    edition = seed_edition(database, mailing_list, papers)
    watching = pulse_of(engine)
    before = watching.beat()
    plan(database, edition, [new_delivery(subscription, papers)])
    with database.writing() as work:
        work.slots.take("kind", "key", now=NOW)
        work.rates.hit("key", [Rate(3, HOUR)], now=NOW)
        work.lists.pause(mailing_list.id, now=NOW)
    assert watching.beat() == before


def test_two_writers_on_postgresql_do_not_wait_for_each_other(engine: Engine) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer")
    watching = pulse_of(engine)
    statement = text("UPDATE lists SET title = title")
    with engine.connect() as one, engine.connect() as other:
        for connection in (one, other):
            connection.execute(statement)
            connection.commit()
        said = [watching.beat()]
        one.execute(statement)
        other.execute(statement)
        said.append(watching.beat())
        other.commit()
        said.append(watching.beat())
        one.commit()
        said.append(watching.beat())
    assert said[0] == said[1]
    assert len(set(said)) == 3


def test_what_backends_counted_that_are_gone_is_taken_over(engine: Engine) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one row")
    said = []
    for _ in range(4):
        engine.dispose()
        with engine.begin() as connection:
            connection.execute(text("UPDATE lists SET title = title"))
        said.append(int(pulse_of(engine).beat()))
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT count(*) FROM page_changes")).scalar_one()
    assert said == list(range(said[0], said[0] + 4))
    assert rows <= 3, "a backend may still be about to leave"


def test_a_trigger_that_is_gone_is_drift(engine: Engine) -> None:
    gone = "DROP TRIGGER page_changes_papers"
    gone += " ON papers" if engine.dialect.name == "postgresql" else "_update"
    with engine.connect() as connection, connection.begin() as transaction:
        assert drift(connection) == []
        connection.execute(text(gone))
        [line] = drift(connection)
        transaction.rollback()
    assert "the trigger page_changes_papers" in line


def test_a_count_whose_upkeep_was_lost_gets_it_back(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("only SQLite drops triggers with a table that is copied to change it")
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER page_changes_papers_update"))
    assert migrate.check_drift(engine) != []
    migrate.upgrade(engine)
    assert migrate.check_drift(engine) == []


def test_one_that_was_closed_begins_anew_and_says_so(database: Database, engine: Engine) -> None:
    watching = pulse_of(engine)
    before = watching.beat()
    engine.dispose()
    if isinstance(watching, SqlitePulse):
        assert watching.beat() != before
    watching.beat()
    engine.dispose()


def test_an_answer_of_postgresql_holds_for_a_while(
    database: Database, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = pulse_of(engine)
    if not isinstance(watching, PostgresPulse):
        assert watching.at_hand() == watching.beat()
        return
    assert watching.at_hand() is None
    monkeypatch.setattr(pulse, "LASTING", 3600.0)
    before = watching.beat()
    seed_list(database)
    assert watching.beat() == watching.at_hand() == before


def test_a_database_that_cannot_be_read_is_an_error_of_ours(tmp_path: Path) -> None:
    nowhere = create_engine(f"sqlite:///{tmp_path}/nowhere/paperround.db")
    with pytest.raises(DatabaseFailed):
        SqlitePulse(nowhere).beat()
