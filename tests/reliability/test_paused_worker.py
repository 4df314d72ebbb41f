"""A worker that was stopped for longer than its lease wakes up, as if nothing had happened."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.databases import PostgresServer
from tests.faults import Action, SmtpSink
from tests.reliability.accounts import require_balance_at
from tests.reliability.fleet import home_in
from tests.reliability.installation import SETTINGS, durable_server, prepare
from tests.story.command_line import CLOCK, CommandLine
from tests.story.killing import journalled

READERS = 12
OVER = timedelta(minutes=20)
"""By then every lease of the sleeper is over, those of its marked mails, too."""
TRIES = 60
"""Each waits some seconds for a row; a transaction that idles is ended after a minute."""


class SleepingSink(SmtpSink):
    """Stops a process where it waits for the answer to its n-th `stage`."""

    def __init__(self, journal: Path, stage: str, visit: int) -> None:
        super().__init__(journal=journal)
        self._stage = stage
        self._left = visit
        self.sleeper: Callable[[], int] | None = None
        self.has_stopped_it = threading.Event()

    def next_action(self, stage: str) -> Action | None:
        if stage == self._stage and self.sleeper is not None:
            self._left -= 1
            if self._left == 0:
                os.kill(self.sleeper(), signal.SIGSTOP)
                self.has_stopped_it.set()
        return super().next_action(stage)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with durable_server() as found:
        yield found


def delivered(home: CommandLine, now: str) -> dict[str, int]:
    """What the run said that got through: one that fell asleep within a transaction keeps others
    from its rows, and they give up, to be asked again, until the database ends it."""
    for _ in range(TRIES):
        process = home.start("deliver", "--until-empty", "--now", now, "--json")
        out, err = process.communicate(timeout=300)
        if process.returncode == 0:
            said: dict[str, int] = json.loads(out)
            return said
        assert "another transaction" in err, err
    raise AssertionError("nobody got through")


@pytest.mark.accept("R4", part="a paused worker")
@pytest.mark.accept("R2", part="a paused worker")
@pytest.mark.parametrize("visit", [1, 4])
@pytest.mark.parametrize("stage", ["mail", "data", "dot", "accepted"])
def test_a_worker_that_wakes_after_its_lease_doubles_and_loses_nothing(
    server: PostgresServer, tmp_path: Path, stage: str, visit: int
) -> None:
    journal = tmp_path / "journal"
    now = CLOCK.now()
    with server.created() as url, SleepingSink(journal, stage, visit) as sink:
        prepare(url, tmp_path / "data", readers=READERS, now=now)
        address = url.replace("+psycopg", "")
        home = home_in(tmp_path, SETTINGS | {"DATABASE_URL": address, "SMTP_URL": sink.url})
        home.run("digest", "send")
        sleeper = home.start("deliver", "--until-empty")
        sink.sleeper = lambda: sleeper.pid
        assert sink.has_stopped_it.wait(60), "it ended before it fell asleep"
        sink.sleeper = None
        later = (now + OVER).isoformat(timespec="seconds")
        meanwhile = delivered(home, later)
        os.kill(sleeper.pid, signal.SIGCONT)
        said = sleeper.communicate(timeout=60)
        assert sleeper.returncode == 0, said
        assert meanwhile["queued"] == 0
        assert meanwhile["unknown"] >= int(stage in ("dot", "accepted"))
        require_balance_at(url, planned=READERS, taken=journalled(journal), in_doubt=0)
