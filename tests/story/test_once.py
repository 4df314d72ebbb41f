"""`paperround once` as cron runs it: an empty home, one file, no server; also when it is killed."""

import signal
from pathlib import Path

import pytest

from tests.story.command_line import SAMPLE, CommandLine
from tests.story.killing import KillingSink
from tests.story.serving import free_port

HANDED_OVER = ("dot", "accepted")
"""Stages at which nobody but the relay can tell whether it took the message."""


def home_with(folder: Path, *lines: str) -> CommandLine:
    """A home whose reader gets the sample papers, and the other `lines` of the file."""
    text = "\n".join([f"papers = ['{SAMPLE / 'page.txt'}']", *lines])
    folder.joinpath("once.toml").write_text(text)
    return CommandLine(folder)


def mailed(folder: Path, relay: str) -> CommandLine:
    return home_with(folder, "email = 'ada@lab.example.org'", f"settings.smtp_url = '{relay}'")


@pytest.mark.quick
@pytest.mark.accept("F58", part="command")
def test_from_nothing_to_files_and_again(tmp_path: Path) -> None:
    home = home_with(tmp_path, "files.html = 'digest.html'")
    tried = home.run("once", "--config", "once.toml", "--dry-run")
    assert tried.splitlines()[0] == "dry run: a digest of 12 papers; nothing was sent or kept"
    assert {one.name for one in tmp_path.iterdir()} == {"once.toml", "digest.html"}
    made = home.run("once").splitlines()
    assert made[0] == "made today's digest: 12 papers"
    assert made[-1] == f"created a new state in {tmp_path / 'paperround-state'}"
    again = home.json("once")
    assert (again["sent"], again["trouble"], again["unread"]) == (0, None, {})
    assert again["files"] == [str(tmp_path / "digest.html")]
    last = home.run("once")
    assert last.startswith("nothing to send: Today's digest was made at ")
    assert "new state" not in last


@pytest.mark.accept("F58", part="command", mutant="once-exits-well-when-the-relay-is-gone")
def test_a_relay_that_is_gone_is_one_line_and_the_digest_waits(tmp_path: Path) -> None:
    error = mailed(tmp_path, f"smtp://127.0.0.1:{free_port()}").run("once", exit_code=1)
    last = error.splitlines()[-1]
    assert last.startswith("paperround: today's digest waits: the mail server cannot be reached: ")
    assert "refused" in last


def test_a_mistake_in_the_file_is_one_line(tmp_path: Path) -> None:
    home = home_with(tmp_path, "file.html = 'digest.html'")
    error = home.run("once", exit_code=1)
    assert error == "paperround: once.toml: there is no key file: did you mean files?\n"


@pytest.mark.slow
@pytest.mark.accept("F58", part="cut off")
@pytest.mark.parametrize("steps", range(1, 9))
def test_killed_at_any_step_of_the_relay_it_mails_once(tmp_path: Path, steps: int) -> None:
    """Before the dot the next run sends the digest; after it none does, and the next one says so.
    While the body is on its way, the mark before the dot may be made already."""
    with KillingSink() as sink:
        home = mailed(tmp_path, sink.url)
        process = home.start("once")
        sink.aim(process.pid, steps)
        _, error = process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL, error
        (stage,) = sink.deaths
        sink.spare()
        process = home.start("once")
        said, error = process.communicate(timeout=120)
        is_in_doubt = error.startswith("paperround: today's digest may have arrived, so it is not")
        assert (process.returncode, error != "") == (is_in_doubt, is_in_doubt)
        assert is_in_doubt or said.startswith("sent today's")
        assert stage == "body" or is_in_doubt is (stage in HANDED_OVER)
        assert home.json("once")["sent"] == 0
        assert len(sink.messages) == (stage in HANDED_OVER or not is_in_doubt)
