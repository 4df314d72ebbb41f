"""The processes of a service: ready when they tick, polite when asked to stop, safe together."""

import signal
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from random import Random

import pytest

from tests.story.command_line import SAMPLE, CommandLine
from tests.story.forked import Process
from tests.story.killing import kept, marked, planned_home
from tests.story.processes import POLITE, PoliteSink, ended, running
from tests.story.serving import free_port
from tests.waiting import until

READERS = 300
MISSED_WITHIN = 10.0
"""Seconds after which a watcher hears of a scheduler that died."""


def states(home: CommandLine) -> Counter[str]:
    """How many rows of the ledger are in which state."""
    file = home.folder / "paperround-data" / "paperround.db"
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
        return Counter(dict(database.execute("SELECT state, count(*) FROM deliveries GROUP BY 1")))


# --- asked to stop -----------------------------------------------------------------------------


@pytest.mark.accept("O4")
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("serve", "--port", "0"), id="serve"),
        pytest.param(("scheduler",), id="scheduler"),
        pytest.param(("tick",), id="tick"),
        pytest.param(("deliver", "--until-empty"), id="deliver", marks=pytest.mark.quick),
    ],
)
def test_a_sender_that_is_asked_to_stop_finishes_the_mails_in_hand(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    with PoliteSink(at=40) as sink:
        home = planned_home(tmp_path, {"SMTP_URL": sink.url, "SMTP_CONNECTIONS": "5"}, READERS)
        with running(home, *on_a_free_port(command)) as process:
            sink.victim = process
            ended(process)
        assert sink.asked_at is not None
        assert time.monotonic() - sink.asked_at < POLITE
        taken = len(sink.messages)
        assert 40 <= taken < READERS
        assert states(home) == {"sent": taken, "queued": READERS - taken}
        home.run("deliver", "--until-empty")
        assert states(home) == {"sent": READERS}
        assert len({message.message_id for message in sink.messages}) == READERS


def on_a_free_port(command: tuple[str, ...]) -> list[str]:
    return [str(free_port()) if word == "0" else word for word in command]


@pytest.mark.accept("O4", part="outbox")
def test_a_server_that_is_asked_to_stop_leaves_nothing_in_doubt_in_its_outbox(
    tmp_path: Path,
) -> None:
    home = planned_home(tmp_path, {"SMTP_CONNECTIONS": "2"}, READERS)
    with running(home, "serve", "--port", str(free_port())) as process:
        until(lambda: len(home.outbox) >= 10, process=process)
        process.terminate()
        ended(process)
    found = states(home)
    assert found["sent"] == len(kept(home)) >= 10
    assert (found["sent"] + found["queued"], marked(home)) == (READERS, 0)


# --- alive and ready ---------------------------------------------------------------------------


def status(port: int, path: str) -> int:
    """What the server answers; 0 while nobody listens."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except ConnectionError:
        return 0
    finally:
        connection.close()


@pytest.mark.accept("O1", part="nothing ticks")
def test_a_site_is_ready_only_while_something_ticks(tmp_path: Path) -> None:
    home, port = CommandLine(tmp_path), free_port()
    with running(home, "serve", "--web-only", "--port", str(port)) as process:
        until(lambda: status(port, "/healthz") == 200, process=process)
        assert status(port, "/readyz") == 503
        home.run("tick")
        assert (status(port, "/healthz"), status(port, "/readyz")) == (200, 200)
        long_ago = "2026-01-05T09:00:00Z"
        home.run("tick", "--now", long_ago)
        assert (status(port, "/healthz"), status(port, "/readyz")) == (200, 503)
        process.terminate()
        ended(process)


@pytest.mark.quick
@pytest.mark.accept("O1", part="ready after the first tick")
def test_a_server_that_ticks_is_ready_after_its_first_tick(tmp_path: Path) -> None:
    home, port = CommandLine(tmp_path), free_port()
    with running(home, "serve", "--port", str(port)) as process:
        until(lambda: status(port, "/readyz") == 200, process=process)
        assert status(port, "/healthz") == 200
        process.send_signal(signal.SIGINT)
        assert "Traceback" not in ended(process)


@pytest.mark.accept("O1", part="the scheduler")
def test_a_site_is_not_ready_once_its_scheduler_was_killed(tmp_path: Path) -> None:
    home, port = CommandLine(tmp_path), free_port()
    home.run("db", "upgrade")
    with running(home, "serve", "--web-only", "--port", str(port)) as site:
        with running(home, "scheduler") as scheduler:
            until(lambda: status(port, "/readyz") == 200, process=scheduler)
            scheduler.kill()
            began = time.monotonic()
            until(lambda: status(port, "/readyz") == 503, process=site)
            assert time.monotonic() - began < MISSED_WITHIN
        with running(home, "scheduler") as scheduler:
            until(lambda: status(port, "/readyz") == 200, process=scheduler)
        assert status(port, "/readyz") == 503
        home.run("tick")
        assert status(port, "/readyz") == 200


# --- side by side ------------------------------------------------------------------------------

BEFORE = "2026-01-29T12:00:00Z"
MORNING = "2026-01-30T07:05:00Z"


@pytest.mark.accept("T6", part="processes killed")
@pytest.mark.accept("R3", part="ticks")
def test_ticks_side_by_side_that_are_killed_make_one_edition_and_one_mail_a_person(
    tmp_path: Path,
) -> None:
    home = ready_for_the_morning(tmp_path)
    chance = Random(20260130)  # noqa: S311 - the same waits every time
    for _ in range(6):
        with running(home, "tick", "--now", MORNING) as one:
            with running(home, "tick", "--now", MORNING) as other:
                wait(other, chance.uniform(0.8, 2.4))
            ended(one)
    home.run("tick", "--now", MORNING)
    found = states(home)
    assert sum(found.values()) == READERS
    assert set(found) <= {"sent", "unknown"}
    mails = kept(home)
    assert found["sent"] <= len(mails) <= READERS
    assert set(mails.values()) == {1}
    assert newest_editions(home) == [("2026-01-29", "2", 1), ("2026-01-30", "1", 1)]


def ready_for_the_morning(folder: Path) -> CommandLine:
    """Papers, and readers whose first digest is due on the next morning at seven."""
    home = CommandLine(folder, {"SMTP_CONNECTIONS": "2"})
    rows = [f"reader{n}@example.org,active,2026-01-05T09:00:00Z,a test" for n in range(READERS)]
    people = folder / "people.csv"
    people.write_text("\n".join(["email,status,consent_at,consent_source", *rows]))
    home.run("ingest", "--file", str(SAMPLE / "page.txt"), "--now", BEFORE)
    home.run("subscribers", "import", str(people), "--now", BEFORE)
    home.run("tick", "--now", BEFORE)
    return home


def wait(process: Process, seconds: float) -> None:
    """Until the process ends, or for that long; then kill it."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()


def newest_editions(home: CommandLine) -> list[tuple[str, str, int]]:
    """Date and cut of every edition, and how many there are of it."""
    file = home.folder / "paperround-data" / "paperround.db"
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
        found = database.execute("SELECT day, cut, count(*) FROM editions GROUP BY 1, 2 ORDER BY 1")
        return list(found)
