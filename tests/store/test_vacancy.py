"""What stands in the way of a move is told before the old installation is touched."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from paperround.domain.errors import Conflict, DatabaseFailed, Misconfigured
from paperround.store import home, migrate, queue_schema, revisions
from paperround.store.moving.move import between
from tests.builders import NOW
from tests.databases import opened, run_on
from tests.store.moves import at, moved

pytestmark = pytest.mark.accept("F47", part="moving")

STRANGER = "paperround_stranger"


@pytest.fixture
def stranger(empty: str) -> Iterator[str]:
    """The same database, opened by somebody who may only connect to it."""
    run_on(empty, f"CREATE ROLE {STRANGER} LOGIN")
    try:
        yield make_url(empty).set(username=STRANGER).render_as_string(hide_password=False)
    finally:
        run_on(empty, f"DROP OWNED BY {STRANGER}; DROP ROLE {STRANGER}")


@contextmanager
def refused(old: Path) -> Iterator[None]:
    """A move is refused, and the old installation works as ever."""
    yield
    with opened(at(old)) as engine:
        revisions.prepare(engine)


def test_who_may_make_no_tables_is_told_how_to_get_a_database(old: Path, stranger: str) -> None:
    words = rf"{STRANGER} may not make tables in .*`createdb --owner={STRANGER}`"
    with refused(old), pytest.raises(Misconfigured, match=words):
        moved(old, stranger)


def test_tables_that_somebody_else_made_are_not_ours_to_change(
    old: Path, empty: str, stranger: str
) -> None:
    with opened(empty) as engine:
        migrate.upgrade(engine)
    run_on(empty, f"GRANT CREATE ON SCHEMA public TO {STRANGER}")
    run_on(empty, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {STRANGER}")
    with refused(old), pytest.raises(Misconfigured, match=rf"is not of {STRANGER}: run"):
        moved(old, stranger)


def test_a_database_that_takes_no_writes_is_not_moved_to(old: Path, new: str) -> None:
    run_on(new, f"ALTER DATABASE {make_url(new).database} SET default_transaction_read_only = on")
    with refused(old), pytest.raises(Misconfigured, match="takes no writes: it is a standby"):
        moved(old, new)


def test_the_queue_of_another_program_is_left_alone(old: Path, empty: str) -> None:
    with opened(empty) as engine:
        migrate.upgrade_queue(engine)
    run_on(empty, f"DROP TABLE {queue_schema.BOOK}")
    words = "a table procrastinate_events that is not Paperround's"
    with refused(old), pytest.raises(Conflict, match=words):
        moved(old, empty)


def test_jobs_that_wait_are_not_mixed_with_those_to_come(old: Path, new: str) -> None:
    run_on(new, "INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('mail', 'send')")
    with refused(old), pytest.raises(Conflict, match=r"not empty \(1 in the queue\)"):
        moved(old, new)


def test_a_database_whose_queue_was_never_made_gets_one(old: Path, empty: str) -> None:
    """As it is left by a version without one, or by whoever was killed between the two."""
    with opened(empty) as engine:
        migrate.upgrade(engine, revisions.head())
    moved(old, empty)
    with opened(empty) as engine:
        revisions.prepare(engine)
        home.require_home(engine, now=NOW)
        assert migrate.check_drift(engine) == []


def test_a_server_that_fails_at_the_tables_is_one_clear_line(
    old: Path, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rights may go between the look and the first change."""
    with between(old, empty) as moving:
        look = moving.look()
        monkeypatch.setattr("paperround.store.moving.marks.CREATE", "CREATE TABLE nowhere.moves ()")
        with pytest.raises(DatabaseFailed, match=r"failed at the tables: .*nowhere.*run the same"):
            moving.begin(now=NOW)
        monkeypatch.undo()
    assert look.total > 0
    moved(old, empty)
