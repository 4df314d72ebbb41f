"""A database file that is copied back sends nothing, by the commands an operator types."""

import shutil
from pathlib import Path

import pytest

from tests.story.command_line import SAMPLE, CommandLine

TO_GO_ON = "`paperround digest resume`"
TO_THOSE_WITHOUT = "`paperround digest missed --include-unknown --send`"


@pytest.fixture
def home(tmp_path: Path) -> CommandLine:
    """An installation with papers, two readers, and the mails of a day planned."""
    made = CommandLine(tmp_path)
    made.run("ingest", "--file", str(SAMPLE / "page.txt"))
    made.run("subscribers", "import", str(SAMPLE / "subscribers.csv"))
    made.run("digest", "send")
    return made


def data(home: CommandLine) -> Path:
    return home.folder / "paperround-data"


def copy(home: CommandLine) -> Path:
    return Path(shutil.copy(data(home) / "paperround.db", home.folder / "copy.db"))


def put_back(home: CommandLine) -> None:
    shutil.copy(home.folder / "copy.db", data(home) / "paperround.db")


@pytest.mark.accept("D12", part="commands")
def test_a_file_that_is_copied_back_mails_nobody_again(home: CommandLine) -> None:
    copy(home)
    assert home.json("deliver")["sent"] == 2
    put_back(home)
    for command in (("deliver",), ("tick",), ("digest", "test", "--to", "grace@example.org")):
        said = home.run(*command, exit_code=1)
        assert "sending.mark" in said
        assert TO_GO_ON in said
        assert said.count("sending.mark") == 1
    assert home.json("digest", "status")["pace"]["put_back"]
    assert "email is held" in home.run("digest", "status")
    assert TO_THOSE_WITHOUT in home.run("digest", "resume")
    assert home.json("deliver")["sent"] == 0
    assert len(home.outbox) == 2
    status = home.json("digest", "status")
    assert not status["pace"]["put_back"]
    assert status["lists"][0]["paused_at"] is None
    home.run("digest", "test", "--to", "grace@example.org")
    assert len(home.outbox) == 3


@pytest.mark.accept("D12", part="commands", mutant="a-restore-leaves-the-mark-ahead")
@pytest.mark.parametrize("how", [(), ("--moved",)])
def test_an_official_restore_agrees_with_the_mark(home: CommandLine, how: tuple[str, ...]) -> None:
    home.run("db", "backup", "copy.tar.gz")
    assert home.json("deliver")["sent"] == 2
    for file in data(home).glob("paperround.db*"):
        file.unlink()
    home.run("db", "restore", *how, "copy.tar.gz")
    if not how:
        assert TO_THOSE_WITHOUT in home.run("digest", "resume")
        assert TO_THOSE_WITHOUT not in home.run("digest", "resume")
    assert home.json("deliver")["sent"] == (2 if how else 0)


@pytest.mark.accept("D12", part="commands")
def test_a_mark_that_was_lost_is_made_anew_when_nothing_was_put_back(home: CommandLine) -> None:
    home.run("digest", "test", "--to", "grace@example.org")
    (data(home) / "sending.mark").unlink()
    assert "is gone" in home.run("deliver", exit_code=1)
    home.run("db", "restore", "--in-place", "--moved")
    assert home.json("deliver")["sent"] == 2
    assert (data(home) / "sending.mark").exists()


@pytest.mark.accept("D12", part="commands", mutant="the-one-command-holds-nothing-back")
def test_after_the_whole_disk_went_back_one_command_sends_nothing_again(home: CommandLine) -> None:
    """Nothing tells it: the mark came along."""
    home.run("db", "restore", "--in-place")
    assert home.json("deliver")["sent"] == 0
    home.run("digest", "resume")
    assert home.json("deliver")["sent"] == 0


def test_the_mark_lies_where_a_setting_says(home: CommandLine) -> None:
    home.settings["SEND_MARK"] = "elsewhere/mark"
    assert home.json("deliver")["sent"] == 2
    assert (home.folder / "elsewhere" / "mark").exists()
    assert not (data(home) / "sending.mark").exists()
