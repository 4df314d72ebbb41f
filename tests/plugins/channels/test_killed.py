"""A process that is killed while a service has the post and has not answered."""

import os
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from paperround.core.clock import StartedClock
from paperround.plugins.channels.model import ChannelKind
from tests.http.faults import PATIENCE, Caller
from tests.plugins.channels.services import PATHS, Services
from tests.story.forked import Process, started

FRIDAY = datetime(2026, 1, 30, 8, tzinfo=UTC)
AT = ("--now", "2026-01-30T08:00:00Z")
PAPER = b'{"id": "2601.00001", "title": "Counting bees", "listed_on": "2026-01-30"}\n'


class Installation:
    """A folder with a database, worked on by processes of its own."""

    def __init__(self, folder: Path, made: Services) -> None:
        self._folder = folder
        self.environment = {
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
            "PAPERROUND_DATA_DIR": str(folder / "data"),
            "PAPERROUND_FETCH_ALLOW": made.server.at,
            "PAPERROUND_ENRICH": "off",
        }

    def start(self, *words: str) -> Process:
        return started(
            "paperround",
            *words,
            clock=StartedClock(FRIDAY),
            folder=self._folder,
            environment=self.environment,
        )

    def run(self, *words: str) -> None:
        process = self.start(*words)
        said = process.communicate()
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
    home.run("ingest", "--file", "papers.jsonl")
    home.run("channels", "add", "webhook", f"http://{made.server.at}{PATHS[kind]}", *AT)
    home.run("digest", "send", *AT)
    with home.start("deliver", "--until-empty", *AT) as killed:
        assert arrived.wait(4 * PATIENCE)
        assert home.states() == [("in_data", "")]
        killed.send_signal(signal.SIGKILL)
        killed.wait(PATIENCE)
    home.run("deliver", "--until-empty", *AT)
    home.run("deliver", "--until-empty", *AT)
    assert home.states() == [("unknown", "process-died")]
    assert len(made.server.bodies) == 1
