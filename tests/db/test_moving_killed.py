"""A move that is killed anywhere is run again, and ends as if nothing had happened."""

import subprocess
import sys
from pathlib import Path

import pytest

from paperround.core.errors import DatabaseFailed
from paperround.db import revisions
from paperround.plugins.postgres_move.move import move_between
from tests.databases import opened, run_on
from tests.db.moves import LATER, Rows, at, moved, refusal, rows_at
from tests.migrations.describing import described

pytestmark = pytest.mark.accept("F47", part="moving")

KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from tests.db.moves import moved

file, url, where, how_often = sys.argv[1:]
left = int(how_often)

@event.listens_for(Engine, "after_cursor_execute")
def look(connection, cursor, statement, *_):
    global left
    if where in statement:
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

moved(Path(file), url)
"""


def killed(old: Path, new: str, where: str, how_often: int) -> int:
    command = [sys.executable, "-c", KILLED, str(old), new, where, str(how_often)]
    return subprocess.run(command, check=False, timeout=120).returncode


@pytest.mark.accept("F47", part="killed")
@pytest.mark.parametrize(
    ("where", "how_often", "is_left"),
    [
        ("CREATE TABLE papers", 1, False),
        ("TRUNCATE", 1, False),
        ("setval", 3, False),
        ("SET version_num", 2, False),
        ("INSERT INTO moves", 1, False),
        ("COMMIT", 1, True),
    ],
)
def test_whoever_is_killed_runs_it_again_and_it_ends_the_same(
    old: Path, empty: str, where: str, how_often: int, is_left: bool, postgres_url: str
) -> None:
    before = rows_at(at(old))
    assert killed(old, empty, where, how_often) == -9
    if is_left:
        assert "db move" in refusal(at(old))
    else:
        with opened(at(old)) as engine:
            revisions.prepare(engine)
    moved(old, empty)
    assert_moved(before, old, empty, postgres_url)


@pytest.mark.accept("F47", part="killed", mutant="a-move-that-was-committed-is-not-ended")
def test_whoever_is_killed_after_the_rows_arrived_runs_it_again_and_nothing_is_copied(
    old: Path, empty: str, postgres_url: str
) -> None:
    before = rows_at(at(old))
    assert killed(old, empty, "ANALYZE", 1) == -9
    assert "db move" in refusal(at(old))
    with move_between(old, empty) as moving:
        assert moving.is_done
    assert_moved(before, old, empty, postgres_url)


def assert_moved(before: Rows, old: Path, new: str, like: str) -> None:
    """Every row is in the new database, whose schema is that of `like`, and the file refuses."""
    assert rows_at(new) == before
    assert "set PAPERROUND_DATABASE_URL" in refusal(at(old))
    with opened(new) as engine, opened(like) as other:
        assert described(engine) == described(other)


@pytest.mark.accept("F47", part="killed")
def test_a_server_that_ends_the_connection_costs_no_row(old: Path, new: str) -> None:
    before = rows_at(at(old))
    ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%'"

    def cut(rows: int) -> None:
        if rows:
            run_on(new, ends)

    with (
        pytest.raises(DatabaseFailed, match="Run the same command again"),
        move_between(old, new) as moving,
    ):
        moving.copy(cut, now=LATER)
    moved(old, new)
    assert rows_at(new) == before
