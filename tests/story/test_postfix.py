"""A real mail server between us and our readers: Postfix takes the mails and writes the bounces."""

from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest

from tests.delivery.dkim_oracles import dkimpy_says, perl_lacks, perl_says
from tests.digests.reading import modern
from tests.faults import Say, SmtpSink
from tests.story.command_line import SAMPLE, CommandLine
from tests.story.postfix import Postfix, postfix
from tests.story.signed import records
from tests.waiting import until

HERE = ("ada@mail.example.com", "grace@mail.example.com")
GONE = "alan@nowhere.example.net"


@pytest.fixture
def inboxes() -> Iterator[SmtpSink]:
    """Where mail for most readers arrives, and for our own return address."""
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def relay(inboxes: SmtpSink) -> Iterator[Postfix]:
    """A Postfix whose mail for nowhere.example.net is refused: nobody is called that there."""
    with (
        SmtpSink({"rcpt": repeat(Say("550 5.1.1 no such user"))}) as nowhere,
        postfix(inboxes.port, {"nowhere.example.net": nowhere.port}) as server,
    ):
        yield server


@pytest.fixture
def home(tmp_path: Path, relay: Postfix) -> CommandLine:
    settings = {
        "SMTP_URL": relay.url,
        "MAIL_FROM": "Papers <papers@papers.example.org>",
        "BOUNCE_ADDRESS": "bounces@papers.example.org",
    }
    made = CommandLine(tmp_path, settings)
    made.run("ingest", "--file", str(SAMPLE / "page.txt"))
    for reader in (*HERE, GONE):
        made.run("subscribers", "add", reader, "--consent-source", "asked in person")
    return made


def arrived(inboxes: SmtpSink, address: str) -> bytes:
    return next(one.content for one in inboxes.messages if one.recipients == (address,))


def state_of(home: CommandLine, address: str) -> str:
    export = home.run("subscribers", "export")
    return next(line.split(",")[1] for line in export.splitlines() if line.startswith(address))


@pytest.mark.accept("F35", part="through Postfix")
@pytest.mark.accept("F36", part="through Postfix")
def test_signed_mails_arrive_and_a_bounce_stops_only_the_reader_who_is_gone(
    home: CommandLine, relay: Postfix, inboxes: SmtpSink
) -> None:
    home.run("dkim", "create", "--algorithm", "both")
    home.run("digest", "send")
    assert home.json("deliver")["sent"] == 3
    until(lambda: len(inboxes.messages) == 3)

    known = records(home)
    for reader in HERE:
        content = arrived(inboxes, reader)
        assert dkimpy_says(content, known) == [True, True], relay.log
        if not perl_lacks():
            assert perl_says(content, known) == ["rsa-sha256 pass", "ed25519-sha256 pass"]

    (report,) = (one for one in inboxes.messages if one.recipients[0] not in HERE)
    assert report.recipients[0].startswith("bounces+")
    assert (report.sender, modern(report.content).get_content_type()) == ("", "multipart/report")
    (home.folder / "returned").write_bytes(report.content)
    for _ in range(2):
        home.run("bounces", "read", "returned")
        assert [state_of(home, one) for one in (*HERE, GONE)] == ["active", "active", "suppressed"]
