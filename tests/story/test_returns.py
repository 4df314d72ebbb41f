"""From a mail that is sent to the report that comes back, by an operator's commands and pipes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bounces.bouncing import letter, postfix_report
from tests.bounces.imap_server import ImapServer
from tests.faults import SmtpSink
from tests.story.command_line import SAMPLE, CommandLine

BOUNCES = "bounces@example.org"
PEOPLE = ("ada@example.org", "alan@example.org", "grace@example.org")
TAKEN_LATER = 75


class Installation:
    """Three readers, and the digest each of them was sent through a relay."""

    def __init__(self, folder: Path, sink: SmtpSink) -> None:
        self._settings = {"SMTP_URL": sink.url, "BOUNCE_ADDRESS": BOUNCES}
        self.home = CommandLine(folder, self._settings)
        self.home.run("ingest", "--file", str(SAMPLE / "page.txt"))
        rows = [f"{one},active,2026-01-05,in person" for one in PEOPLE]
        people = folder / "people.csv"
        people.write_text("\n".join(["email,status,consent_at,consent_source", *rows]))
        self.home.run("subscribers", "import", people.name)
        self.home.run("digest", "send")
        assert self.home.json("deliver")["sent"] == 3
        self.mails = {one.recipients[0]: one for one in sink.messages}

    def report(self, reader: str, **changes: str) -> bytes:
        """What Postfix writes when it could not deliver the digest of `reader`."""
        mail = self.mails[reader]
        return postfix_report(
            mail.content, sender=changes.pop("sender", mail.sender), recipient=reader, **changes
        )

    def pipe(self, raw: bytes, *options: str) -> int:
        """Hand `raw` to the command as a mail server does; its exit code."""
        process = self.home.start("bounces", "read", *options, typed=raw)
        process.communicate(timeout=120)
        return process.wait()

    def poll(self, server: ImapServer, options: str = "") -> dict[str, int]:
        """Read a mailbox; what was not zero of the receipt."""
        settings = {**self._settings, "BOUNCE_IMAP_URL": server.url(options)}
        report = CommandLine(self.home.folder, settings).json("bounces", "poll")
        return {name: count for name, count in report.items() if count}

    @property
    def states(self) -> dict[str, int]:
        states: dict[str, int] = self.home.json("subscribers", "list")["states"]
        return states


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with SmtpSink() as sink:
        yield Installation(tmp_path, sink)


@pytest.mark.accept("F36", part="story")
def test_a_report_by_pipe_stops_exactly_its_reader_and_by_mailbox_nobody_else(
    installation: Installation,
) -> None:
    ada, alan, grace = PEOPLE
    senders = {mail.sender for mail in installation.mails.values()}
    assert len(senders) == 3
    assert all(one.startswith("bounces+") and one.endswith("@example.org") for one in senders)

    assert installation.pipe(installation.report(alan)) == 0
    assert installation.states == {"active": 2, "suppressed": 1}
    assert installation.pipe(installation.report(alan)) == 0

    forged = installation.mails[grace].sender.replace("+", "+a", 1)[:45] + "@example.org"
    again = installation.report(alan)
    with ImapServer(again, again, installation.report(grace, sender=forged)) as server:
        assert installation.poll(server) == {"noted": 1, "known": 1, "unknown": 1}
        assert server.raws() == []
    assert installation.states == {"active": 2, "suppressed": 1}

    with ImapServer(installation.report(ada, name="2", said="552 5.2.2 full")) as server:
        assert installation.poll(server, "?done=Paperround-done") == {"noted": 1}
        assert len(server.raws("Paperround-done")) == 1
    assert installation.states == {"active": 2, "suppressed": 1}

    events = installation.home.json("subscribers", "history", alan)["returned"]
    assert [one["did"] for one in events] == ["noted", "stopped"]
    assert "alan@" not in str(events)
    assert len(installation.home.json("subscribers", "history", alan)["returned"]) == 2
    returns = installation.home.json("digest", "status")["returns"]
    assert (returns["tried"], returns["bounced"]) == (3, 2)

    lifted = installation.home.run("suppressions", "lift", alan, "--resume")
    assert lifted == "lifted: digests resume\n"
    assert installation.states == {"active": 3}


@pytest.mark.accept("F36", part="pipe")
def test_a_mail_server_keeps_the_mail_while_the_database_is_away(
    installation: Installation, tmp_path: Path
) -> None:
    database = next((tmp_path / "paperround-data").glob("*.db"))
    away = database.with_suffix(".away")
    database.rename(away)
    database.mkdir()
    raw = installation.report(PEOPLE[1]) + b"x" * 3_000_000
    assert installation.pipe(raw) == TAKEN_LATER
    database.rmdir()
    away.rename(database)
    assert installation.pipe(raw) == 0
    assert installation.states == {"active": 2, "suppressed": 1}


@pytest.mark.accept("F36", part="quarantine")
def test_an_operator_reads_what_nobody_understood(installation: Installation) -> None:
    raw = letter(to=BOUNCES, subject="Delivery", words="Your mail went the way of all mail.")
    assert installation.pipe(raw) == 0
    told = installation.home.json("bounces", "list")
    (mail,), (event,) = told["quarantine"], told["events"]
    assert (event["mail"], event["did"]) == (None, "quarantined")
    assert "not-understood" in installation.home.run("bounces", "list")
    assert mail["why"] == "not-understood"
    assert "all mail" in installation.home.run("bounces", "show", str(mail["id"]))
    assert "bounces list" in installation.home.run("bounces", "show", "999", exit_code=1)
    assert "BOUNCE_IMAP_URL" in installation.home.run("bounces", "poll", exit_code=1)
