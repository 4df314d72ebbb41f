"""Somebody presses stop while another process sends, on each database."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Engine

from paperround.core.times import format_instant
from paperround.core.tokens import KeyRing
from paperround.db import engine as engines
from paperround.db.transactions import SqlDatabase
from paperround.delivery.model import Identity
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail import new_notice
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.cancel import cancel, pause, resume
from tests.builders import NOW
from tests.databases import database_url, postgres, postgres_url, sqlite_template
from tests.faults import Action, Late, SmtpSink
from tests.story.command_line import CommandLine
from tests.story.forked import Process

__all__ = ["database_url", "postgres", "postgres_url", "sqlite_template"]

CONNECTIONS = 5
AT_ONCE = 5.0
"""Seconds from the button to the last mail."""

SECRET = "a secret that is only used by these tests"
KEEPER = "keeper@example.org"
LATER = timedelta(minutes=2)


class WatchedSink(SmtpSink):
    """Takes every message, and says when so many are there. From then on it takes its time, so that
    some are left for whoever presses stop."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.is_half_done = Event()
        self._left = at

    def next_action(self, stage: str) -> Action | None:
        self._left -= stage == "dot"
        if self._left > 0:
            return super().next_action(stage)
        self.is_half_done.set()
        return Late(0.05) if stage == "dot" else None

    @property
    def taken(self) -> Counter[str]:
        return Counter(message.message_id for message in self.messages)


class Town:
    """An installation with a planned edition, whose database is open here as well."""

    def __init__(self, home: CommandLine, engine: Engine) -> None:
        self.home = home
        self.database = SqlDatabase(engine)

    def deliver(self, moment: datetime) -> dict[str, int]:
        found: dict[str, int] = self.home.json("deliver", "--now", format_instant(moment))
        return found


@contextmanager
def planned(folder: Path, url: str, sink: SmtpSink, readers: int) -> Iterator[Town]:
    settings = {
        "DATABASE_URL": url,
        "SECRET_KEY": SECRET,
        "OPERATOR": "The Reading Room",
        "CONTACT": "ada@papers.example",
        "POSTAL_ADDRESS": "1 Example Street",
        "SMTP_URL": sink.url,
        "SMTP_CONNECTIONS": str(CONNECTIONS),
    }
    home = CommandLine(folder, settings)
    rows = [f"reader{n}@example.org,active,2026-01-05T09:00:00Z,a test" for n in range(readers)]
    people = folder / "people.csv"
    people.write_text("\n".join(["email,status,consent_at,consent_source", *rows]))
    moment = format_instant(NOW)
    papers = folder / "papers.jsonl"
    paper = {"id": "2603.00001", "title": "A paper", "listed_on": NOW.date().isoformat()}
    papers.write_text(json.dumps(paper) + "\n")
    home.run("ingest", "--file", str(papers))
    home.run("subscribers", "import", str(people))
    made = home.json("digest", "send", "--now", moment)
    assert (made["planned"], made["skipped"]) == (readers, {})
    with engines.opened(url) as engine:
        yield Town(home, engine)


def stopped_in_the_middle(town: Town, sink: WatchedSink, press: str) -> tuple[int, int]:
    """A sender is stopped by somebody else: (mails there when that returned, mails in the end)."""
    with town.home.start("deliver", "--now", format_instant(NOW)) as process:
        return pressed(town, sink, press, process)


def pressed(town: Town, sink: WatchedSink, press: str, process: Process) -> tuple[int, int]:
    assert sink.is_half_done.wait(60), process.kill()  # type: ignore[func-returns-value]
    if press == "pause":
        assert pause(town.database, None, now=NOW) == ["trending"]
    else:
        [ended] = cancel(town.database, "trending", day=NOW.date(), cut="manual", now=NOW)
        assert ended.fresh
    at_the_button = len(sink.messages)
    _, err = process.communicate(timeout=AT_ONCE)
    assert process.returncode == 0, err
    return at_the_button, len(sink.messages)


def pause_in_the_middle(folder: Path, url: str, readers: int) -> None:
    with WatchedSink(at=readers // 3) as sink, planned(folder, url, sink, readers) as town:
        before, after = stopped_in_the_middle(town, sink, "pause")
        assert after - before <= CONNECTIONS
        assert after < readers
        confirm(town)
        paused = town.deliver(NOW + LATER)
        assert (paused["sent"], paused["queued"]) == (after, readers - after)
        assert [one.recipients for one in sink.messages[after:]] == [(KEEPER,)]
        resume(town.database, None, now=NOW)
        assert town.deliver(NOW + LATER)["sent"] == readers
        assert len(sink.taken) == sink.taken.total() == readers + 1


def confirm(town: Town) -> None:
    """Somebody else's notice waits."""
    identity = Identity(keys=KeyRing((SECRET.encode(),)), domain="papers.example")
    words = {"subject": "s"}
    notice = new_notice(identity, SystemMailKind.ALERT, "1", None, KEEPER, words, now=NOW)
    with town.database.writing() as work:
        work[NoticeLedger].put(notice, now=NOW)


@pytest.mark.accept("R11", part="another process, short")
@pytest.mark.accept("R2", part="a pause")
def test_a_pause_stops_another_process_and_resuming_sends_the_rest_once(
    tmp_path: Path, database_url: str
) -> None:
    pause_in_the_middle(tmp_path, database_url, readers=300)


@pytest.mark.long
@pytest.mark.accept("R11", part="5,000 mails")
def test_a_pause_in_five_thousand_mails_lets_one_a_connection_through_at_most(
    tmp_path: Path, database_url: str
) -> None:
    pause_in_the_middle(tmp_path, database_url, readers=5000)


@pytest.mark.accept("F34", part="cancel, another process")
@pytest.mark.accept("R11", part="cancel, another process")
def test_a_cancel_stops_another_process_and_missed_sends_the_rest_once(
    tmp_path: Path, database_url: str
) -> None:
    readers = 200
    with WatchedSink(at=60) as sink, planned(tmp_path, database_url, sink, readers) as town:
        before, after = stopped_in_the_middle(town, sink, "cancel")
        assert after - before <= CONNECTIONS
        moment = format_instant(NOW + LATER)
        day = NOW.date().isoformat()
        town.home.run("digest", "send", "--now", moment, exit_code=1)
        known = town.home.json("digest", "missed", "--date", day, "--now", moment)
        assert known["missed"] == [
            {"state": "skipped", "reason": "cancelled", "count": readers - after}
        ]
        sending = ("digest", "missed", "--date", day, "--send", "--now", moment)
        assert town.home.json(*sending)["planned"] == readers - after
        assert town.home.json(*sending)["planned"] == 0
        town.deliver(NOW + LATER)
        reached = Counter(recipient for one in sink.messages for recipient in one.recipients)
        assert len(reached) == reached.total() == readers
