"""A move that is killed anywhere is run again, and ends as if nothing had happened."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from paperround.domain.errors import DatabaseFailed
from paperround.store import schema as db
from paperround.store.moving.move import between
from tests.builders import NOW
from tests.databases import opened
from tests.migrations.describing import described
from tests.store.moves import at, begun, moved, refusal, rows_at

pytestmark = pytest.mark.accept("F47", part="moving")

KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from paperround.store.moving import departure, move
from tests.store.moves import moved

file, url, where, how_often = sys.argv[1:]
move.CHUNK = 500
left = int(how_often)

def die(*_):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

@event.listens_for(Engine, "after_cursor_execute")
def look(connection, cursor, statement, *_):
    if where in statement:
        die()

if where == "left":
    move.arrive = lambda file: (departure.arrive(file), die())
if where == "departed":
    move.depart = lambda file, mark: (departure.depart(file, mark), die())
moved(Path(file), url)
"""


def killed(old: Path, new: str, where: str, how_often: int) -> int:
    command = [sys.executable, "-c", KILLED, str(old), new, where, str(how_often)]
    return subprocess.run(command, check=False, timeout=120).returncode


@pytest.mark.accept("F47", part="killed")
@pytest.mark.parametrize(
    ("where", "how_often"),
    [
        ("departed", 1),
        ("SELECT pg_advisory_xact_lock", 3),
        ("INSERT INTO moving_tables", 4),
        ("CREATE INDEX ix_deliveries_due", 1),
        ("left", 1),
        ("DROP TABLE moves", 1),
        *(
            pytest.param(*point, marks=pytest.mark.long)
            for point in (
                ("CREATE TABLE papers", 1),
                ("CREATE TABLE moving_tables", 1),
                ("INSERT INTO moving_later", 20),
                ("INSERT INTO moving_tables", 1),
                ("INSERT INTO moving_tables", 9),
                ("DELETE FROM moving_later", 1),
                ("ADD CONSTRAINT fk_deliveries_edition_id", 1),
                ("setval", 1),
            )
        ),
    ],
)
def test_whoever_is_killed_runs_it_again_and_it_ends_the_same(
    old: Path, empty: str, where: str, how_often: int, postgres_url: str
) -> None:
    before = rows_at(at(old))
    assert killed(old, empty, where, how_often) == -9
    assert "db move" in refusal(at(old))  # whatever happened, nobody sends from it
    moved(old, empty)
    assert rows_at(empty) == before
    with opened(empty) as engine, opened(postgres_url) as other:
        assert described(engine) == described(other)


def test_what_has_arrived_is_not_copied_again(old: Path, new: str) -> None:
    assert killed(old, new, "INSERT INTO moving_tables", 14) == -9
    with between(old, new) as moving:
        arrived = [moving.target.arrived(table).rows for table in moving.tables]
        more: list[int] = []
        moving.begin(now=NOW)
        look = moving.look()
        moving.copy(look, more.append)
    assert sum(arrived) > 500
    assert sum(more) == look.total


@pytest.mark.accept("F47", part="killed")
def test_a_server_that_ends_the_connection_costs_no_row(
    old: Path, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows_at(at(old))
    ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%papers%'"
    with begun(old, new) as moving:
        form_rows = moving.source.rows

        def cut(table: Any, after: Any, limit: int) -> Iterator[Any]:
            for rows in form_rows(table, after, limit):
                if table is db.papers:
                    with opened(new) as engine, engine.begin() as connection:
                        connection.exec_driver_sql(ends.replace("%", "%%"))
                yield rows

        look = moving.look()
        monkeypatch.setattr(moving.source, "rows", cut)
        with pytest.raises(DatabaseFailed, match=r"rows of papers: .*run the same command again"):
            moving.copy(look)
    moved(old, new)
    assert rows_at(new) == before
