"""A process that is killed while a service has the post and has not answered."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest

from paperround.domain.channels import ChannelKind
from tests.channels.services import PATHS, Services
from tests.net.faults import PATIENCE, Caller

NOW = "2026-01-30T08:00:00Z"
PAPER = b'{"id": "2601.00001", "title": "Counting bees", "listed_on": "2026-01-30"}\n'


class Installation:
    """A folder with a database, worked on by processes of its own."""

    def __init__(self, folder: Path, made: Services) -> None:
        self._folder = folder
        self.environment = {
            **os.environ,
            "PAPERROUND_DATA_DIR": str(folder / "data"),
            "PAPERROUND_FETCH_ALLOW": made.server.at,
            "PAPERROUND_ENRICH": "off",
        }

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "paperround", *words, "--now", NOW]
        return subprocess.Popen(
            command,
            env=self.environment,
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, *words: str) -> None:
        with self.start(*words) as process:
            said = process.communicate()[0].decode()
        assert process.returncode == 0, said

    def states(self) -> list[tuple[str, str]]:
        with closing(sqlite3.connect(self._folder / "data" / "paperround.db")) as connection:
            return connection.execute("SELECT state, reason FROM deliveries").fetchall()


@pytest.mark.accept("R1", part="channel")
def test_a_kill_between_the_mark_and_the_answer_leaves_it_unknown_and_posts_nothing_twice(
    tmp_path: Path, made: Services
) -> None:
    arrived, kind = Event(), ChannelKind.WEBHOOK

    def never_answers(caller: Caller) -> None:
        arrived.set()
        caller.pause(PATIENCE)

    made.answers_with(kind, never_answers)
    home = Installation(tmp_path, made)
    (tmp_path / "papers.jsonl").write_bytes(PAPER)
    ingest = subprocess.run(
        [sys.executable, "-m", "paperround", "ingest", "--file", "papers.jsonl"],
        env=home.environment,
        cwd=tmp_path,
        check=False,
        capture_output=True,
    )
    assert ingest.returncode == 0, ingest.stderr
    home.run("channels", "add", "webhook", f"http://{made.server.at}{PATHS[kind]}")
    home.run("digest", "send")
    with home.start("deliver", "--until-empty") as killed:
        assert arrived.wait(4 * PATIENCE)
        assert home.states() == [("in_data", "")]
        killed.send_signal(signal.SIGKILL)
        killed.wait(PATIENCE)
    home.run("deliver", "--until-empty")
    home.run("deliver", "--until-empty")
    assert home.states() == [("unknown", "process-died")]
    assert len(made.server.bodies) == 1
