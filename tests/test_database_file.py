"""A service's SQLite file stays whole while other commands come and go.

POSIX drops every lock a process has on a file when the process closes that file anywhere, so
whatever opens the database besides SQLite lets the next command believe that it is the only one:
leaving, it deletes the write-ahead log, and what the service commits from then on is lost.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from paperround.db.engine import opened, writer

COUNTED = """
import sqlite3, sys

connection = sqlite3.connect(sys.argv[1])
print(connection.execute("SELECT count(*) FROM kept").fetchone()[0])
connection.close()
"""


def another_process_counts(path: Path) -> int:
    command = [sys.executable, "-c", COUNTED, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return int(done.stdout)


@pytest.mark.accept("D6", part="locks")
def test_what_a_service_commits_is_seen_after_other_commands_came_and_went(tmp_path: Path) -> None:
    path = tmp_path / "paperround.db"
    with opened(f"sqlite:///{path}") as engine:
        with writer(engine).begin() as connection:
            connection.execute(text("CREATE TABLE kept (number INTEGER)"))
        with engine.connect(), engine.connect():
            pass
        for number in range(3):
            assert another_process_counts(path) == number
            with writer(engine).begin() as connection:
                connection.execute(text("INSERT INTO kept VALUES (1)"))
    assert another_process_counts(path) == 3
