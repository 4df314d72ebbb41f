"""Senders that are killed: by their relay at a step of the protocol, or while they write files."""

import json
import os
import signal
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

from tests.faults import Action, SmtpSink
from tests.reliability.accounts import require_balance_at
from tests.story.command_line import SAMPLE, CommandLine
from tests.story.forked import Process


class KillingSink(SmtpSink):
    """Takes every message, but kills the sender at the n-th step of the conversation.

    A step is one visit of a stage: banner, ehlo, mail, rcpt, data, body, dot (the message is
    complete and will be taken), accepted (it was taken, the sender has not heard).

    One that `holds` lets nobody go on after a death until it is told whom to aim at next, so that
    mail is left for those who are still to die.
    """

    def __init__(
        self, *, offers: Sequence[str] = (), journal: Path | None = None, holds: bool = False
    ) -> None:
        super().__init__(offers=offers, journal=journal)
        self._holds = holds
        self._flows = Event()
        self._flows.set()
        self._victim: int | None = None
        self._steps = 0
        self.deaths = Counter[str]()

    def aim(self, pid: int, steps: int) -> None:
        """Kill process `pid` after `steps` more steps."""
        self._steps, self._victim = steps, pid
        self._flows.set()

    def spare(self) -> None:
        """Aim at nobody."""
        self._victim = None
        self._flows.set()

    def next_action(self, stage: str) -> Action | None:
        self._flows.wait()
        self._steps -= 1
        if self._victim is not None and self._steps <= 0:
            victim, self._victim = self._victim, None
            with suppress(ProcessLookupError):  # it has ended by itself
                os.kill(victim, signal.SIGKILL)
            self.deaths[stage] += 1
            if self._holds:
                self._flows.clear()
        return super().next_action(stage)


def planned_home(folder: Path, settings: dict[str, str], readers: int) -> CommandLine:
    """An installation in `folder` with a digest planned for each of `readers` people."""
    home = CommandLine(folder, settings)
    rows = [f"reader{n}@example.org,active,2026-01-05T09:00:00Z,a test" for n in range(readers)]
    people = folder / "people.csv"
    people.write_text("\n".join(["email,status,consent_at,consent_source", *rows]))
    if "DATABASE_URL" in settings:
        home.run("db", "upgrade")
    home.run("ingest", "--file", str(SAMPLE / "page.txt"))
    home.run("subscribers", "import", str(people))
    assert home.json("digest", "send")["planned"] == readers
    return home


@dataclass
class KillLoop:
    """Runs `paperround deliver` again and again, killing it, until everything is settled.

    `kill` ends the process it is given; after each death `in_doubt` gets one more number, that of
    the mails which had their mark and no outcome.
    """

    home: CommandLine
    kill: Callable[[Process], None]
    in_doubt: list[int] = field(default_factory=list)
    totals: dict[str, Any] = field(default_factory=dict)

    def run(self, *, kills: int) -> None:
        """Kill `kills` senders, then let one finish."""
        for _ in range(kills):
            process = self.home.start("deliver", "--until-empty")
            self.kill(process)
            _, err = process.communicate(timeout=120)
            assert process.returncode == -signal.SIGKILL, err
            self.in_doubt.append(marked(self.home))
        self.totals = self.home.json("deliver", "--until-empty")


def at_a_step_of(sink: KillingSink, chance: Random) -> Callable[[Process], None]:
    """Kills at one of the next 45 steps of the conversation with `sink`."""

    def kill(process: Process) -> None:
        sink.aim(process.pid, chance.randint(1, 45))

    return kill


def while_it_writes(folder: Path, chance: Random) -> Callable[[Process], None]:
    """Kills once `folder` holds a new draft or both of a mail, or 1 to 4 new mails."""

    def kill(process: Process) -> None:
        before = listing(folder)
        ending, most = chance.choice([(".tmp", 2), (".eml", 4)])
        wanted = chance.randint(1, most)
        for _ in range(60_000):
            new = [name for name in listing(folder) - before if name.endswith(ending)]
            if len(new) >= wanted:
                process.kill()
            try:
                process.wait(timeout=0.001)
            except subprocess.TimeoutExpired:
                continue
            break

    return kill


def listing(folder: Path) -> set[str]:
    """The names in `folder`; none while it is not there."""
    return set(os.listdir(folder)) if folder.is_dir() else set()


def marked(home: CommandLine) -> int:
    """How many rows of the ledger say that a dot may be out and its answer is not known."""
    file = home.folder / "paperround-data" / "paperround.db"
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
        row = database.execute("SELECT count(*) FROM deliveries WHERE state = 'in_data'").fetchone()
    return int(row[0])


def journalled(journal: Path) -> Counter[str]:
    """How often each mail was taken, by its Message-ID, as the sink's synced journal has it."""
    return Counter(line.split()[0] for line in journal.read_text().splitlines())


def settle_accounts(loop: KillLoop, taken: Counter[str], planned: int) -> None:
    """Nothing lost silently, nothing doubled, and no more in doubt than the promise allows.

    `taken` says how often each mail, by its Message-ID, has arrived.
    """
    totals = loop.totals
    states = ("sent", "deferred", "failed", "unknown", "expired", "skipped", "queued")
    assert sum(totals[state] for state in states) == planned
    assert totals["queued"] == totals["deferred"] == totals["failed"] == totals["expired"] == 0
    assert max(taken.values()) == 1
    assert totals["sent"] <= len(taken) <= totals["sent"] + totals["unknown"]
    assert max(loop.in_doubt) <= int(loop.home.settings["SMTP_CONNECTIONS"])
    assert totals["unknown"] == sum(loop.in_doubt)
    url = f"sqlite:///{loop.home.folder / 'paperround-data' / 'paperround.db'}"
    require_balance_at(url, planned=planned, taken=taken, in_doubt=sum(loop.in_doubt))


def kept(home: CommandLine) -> Counter[str]:
    """How often each mail is in the outbox, by the Message-ID in its bytes and its twin's."""
    found = Counter[str]()
    for path in home.outbox:
        twin = json.loads(path.with_suffix(".json").read_text())
        head, _, body = path.read_bytes().partition(b"\r\n\r\n")
        assert f"\r\nMessage-ID: {twin['message_id']}\r\n".encode() in head
        assert body.endswith(b"--\r\n")
        found[twin["message_id"]] += 1
    return found
