"""Whether anything was written since one looked before, on every database."""

from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from paperround.domain.errors import DatabaseFailed
from paperround.jobs.ports import Database
from paperround.store import pulse
from paperround.store.pulse import PostgresPulse, SqlitePulse, pulse_of
from tests.builders import NOW, seed_list


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


def test_what_is_undone_leaves_pages_as_they_are(database: Database, engine: Engine) -> None:
    """On PostgreSQL a transaction that was undone is felt as well, which costs a page."""
    seed_list(database)
    watching = pulse_of(engine)
    before = watching.beat()
    with suppress(RuntimeError), database.writing() as work:
        work.slots.take("kind", "key", now=NOW)
        raise RuntimeError
    if isinstance(watching, SqlitePulse):
        assert watching.beat() == before


def test_what_is_read_is_not_felt(database: Database, engine: Engine) -> None:
    seed_list(database)
    watching = pulse_of(engine)
    before = watching.beat()
    with database.reading() as work:
        work.lists.all()
    assert watching.beat() == before


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
        assert watching.is_quick
        return
    monkeypatch.setattr(pulse, "LASTING", 3600.0)
    before = watching.beat()
    seed_list(database)
    assert watching.beat() == before


def test_a_database_that_cannot_be_read_is_an_error_of_ours(tmp_path: Path) -> None:
    nowhere = create_engine(f"sqlite:///{tmp_path}/nowhere/paperround.db")
    with pytest.raises(DatabaseFailed):
        SqlitePulse(nowhere).beat()
