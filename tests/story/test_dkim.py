"""From nothing to signed mail in a folder, by the commands an operator types."""

import json
import os
import stat
from pathlib import Path

import pytest

from tests.delivery.dkim_oracles import dkimpy_says, perl_lacks, perl_says
from tests.faults import SmtpSink
from tests.story.command_line import SAMPLE, CommandLine
from tests.story.signed import records

pytestmark = pytest.mark.accept("F35", part="story")


@pytest.fixture
def home(tmp_path: Path) -> CommandLine:
    """An installation with papers and one reader."""
    made = CommandLine(tmp_path, {"MAIL_FROM": "Papers <p@papers.example.org>"})
    made.run("ingest", "--file", str(SAMPLE / "page.txt"))
    consent = ("--consent-source", "asked in person")
    made.run("subscribers", "add", "ada@mail.example.org", *consent)
    return made


@pytest.mark.quick
def test_every_mail_that_lands_in_the_folder_is_signed(home: CommandLine) -> None:
    home.run("dkim", "create", "--algorithm", "both")
    home.run("digest", "send")
    assert home.json("deliver")["sent"] == 1
    home.run("digest", "test", "--to", "grace@mail.example.org")
    home.run("digest", "preview", "--subscriber", "ada@mail.example.org", "--out", "seen")
    known = records(home)
    mails = [path.read_bytes() for path in home.outbox]
    assert len(mails) == 2
    for content in mails:
        assert dkimpy_says(content, known) == [True, True]
        if not perl_lacks():
            assert perl_says(content, known) == ["rsa-sha256 pass", "ed25519-sha256 pass"]
    assert (home.folder / "seen" / "digest.eml").read_bytes() in mails
    kept = home.folder / "paperround-data" / "dkim.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_relay_gets_the_signed_bytes(home: CommandLine) -> None:
    home.run("dkim", "create", "--selector", "s1")
    with SmtpSink() as sink:
        home.settings["SMTP_URL"] = sink.url
        home.run("digest", "test", "--to", "grace@mail.example.org")
        (mail,) = sink.messages
    assert dkimpy_says(mail.content, records(home)) == [True]


def test_a_domain_that_does_not_fit_sends_nothing_and_says_why(home: CommandLine) -> None:
    home.run("digest", "send")
    home.run("dkim", "create", "--algorithm", "ed25519")
    home.settings["DKIM_DOMAIN"] = "elsewhere.example.com"
    said = home.run("deliver", exit_code=1)
    assert "PAPERROUND_DKIM_DOMAIN is elsewhere.example.com" in said
    assert len(said.splitlines()) == 1
    assert home.outbox == []
    del home.settings["DKIM_DOMAIN"]
    assert home.json("deliver")["sent"] == 1


@pytest.mark.accept("O7", part="commands", mutant="broken-keys-count-as-none")
def test_with_keys_that_cannot_be_read_mails_wait(home: CommandLine) -> None:
    home.run("digest", "send")
    kept = home.folder / "paperround-data" / "dkim.json"
    kept.write_text("{}")
    for _ in range(4):
        assert "does not contain DKIM keys" in home.run("deliver", exit_code=1)
    kept.unlink()
    assert home.json("deliver")["sent"] == 1  # none was signed before


@pytest.mark.accept("O7", part="commands", mutant="a-new-process-forgets-that-mail-was-signed")
def test_without_the_keys_that_signed_nothing_leaves(home: CommandLine) -> None:
    home.run("dkim", "create", "--algorithm", "ed25519")
    home.run("digest", "test", "--to", "grace@mail.example.org")
    home.run("digest", "send")
    kept = home.folder / "paperround-data" / "dkim.json"
    kept.rename(home.folder / "elsewhere")
    for command in (("deliver",), ("tick",), ("digest", "test", "--to", "grace@mail.example.org")):
        said = home.run(*command, exit_code=1)
        assert "dkim.json" in said
        assert "`paperround digest resume --unsigned`" in said
        assert said.count("dkim.json") == 1
    found = home.json("digest", "status")
    assert found["pace"]["lacks_keys"]
    assert found["lists"][0]["mails"] == {"queued": 1}
    assert len(home.outbox) == 1
    (home.folder / "elsewhere").rename(kept)
    assert home.json("deliver")["sent"] == 1
    known = records(home)
    for path in home.outbox:
        assert dkimpy_says(path.read_bytes(), known) == [True]
    assert not home.json("digest", "status")["pace"]["lacks_keys"]


@pytest.mark.accept("O7", part="commands", mutant="mail-that-may-be-unsigned-asks-for-broken-keys")
@pytest.mark.parametrize("content", ["{}", None])
def test_mail_leaves_unsigned_once_that_is_allowed(home: CommandLine, content: str | None) -> None:
    home.run("dkim", "create", "--algorithm", "ed25519")
    home.run("digest", "test", "--to", "grace@mail.example.org")
    home.run("digest", "send")
    kept = home.folder / "paperround-data" / "dkim.json"
    kept.unlink() if content is None else kept.write_text(content)
    home.run("deliver", exit_code=1)
    assert home.run("digest", "resume") == "nothing to do: nothing is paused\n"
    home.run("deliver", exit_code=1)
    assert len(home.outbox) == 1
    assert home.json("digest", "resume", "--unsigned") == {"unsigned": True}
    assert home.json("deliver")["sent"] == 1
    assert sum(b"DKIM-Signature" in path.read_bytes() for path in home.outbox) == 1
    assert home.json("digest", "resume", "--unsigned") == {"unsigned": False}


def test_a_backup_holds_the_keys(home: CommandLine, tmp_path: Path) -> None:
    home.run("dkim", "create", "--algorithm", "ed25519")
    home.run("db", "backup", "copy")
    (tmp_path / "new").mkdir()
    new = CommandLine(tmp_path / "new", home.settings)
    new.run("db", "restore", os.fspath(home.folder / "copy"))
    assert records(new) == records(home)
    kept = new.folder / "paperround-data" / "dkim.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_bytes())["keys"][0]["private"]
