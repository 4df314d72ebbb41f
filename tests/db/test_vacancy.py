"""What stands in the way of a move is told before the old installation is touched."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from paperround.core.errors import Conflict, DatabaseFailed
from paperround.db import migrate, revisions
from paperround.db.schema import queue
from tests.builders import NOW
from tests.databases import opened, run_on
from tests.db.moves import at, moved

pytestmark = pytest.mark.accept("F47", part="moving")


@contextmanager
def refused(old: Path) -> Iterator[None]:
    """A move is refused, and the old installation works as ever."""
    yield
    with opened(at(old)) as engine:
        revisions.prepare(engine)


def test_a_database_that_takes_no_writes_is_not_moved_to(old: Path, new: str) -> None:
    run_on(new, f"ALTER DATABASE {make_url(new).database} SET default_transaction_read_only = on")
    with refused(old), pytest.raises(DatabaseFailed, match="read-only transaction"):
        moved(old, new)


def test_the_queue_of_another_program_is_left_alone(old: Path, empty: str) -> None:
    with opened(empty) as engine:
        migrate.upgrade_queue(engine)
    run_on(empty, f"DROP TABLE {queue.APPLIED}")
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
        revisions.require_not_a_copy(engine, now=NOW)
        assert migrate.check_drift(engine) == []
