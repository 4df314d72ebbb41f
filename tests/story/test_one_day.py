"""A day from papers to mail, with the commands a person types."""

import email
import email.policy
import json
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.story.command_line import SAMPLE, CommandLine


@pytest.fixture
def home(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def parsed(path: Path) -> EmailMessage:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


@pytest.mark.quick
@pytest.mark.accept("F22", part="outbox folder")
def test_a_page_of_papers_becomes_mail_in_a_folder(home: CommandLine) -> None:
    assert home.json("ingest", "--file", str(SAMPLE / "page.txt"))["new"] == 12
    assert home.json("ingest", "--file", str(SAMPLE / "page.txt"))["unchanged"] == 12
    people = home.json("subscribers", "import", str(SAMPLE / "subscribers.csv"))
    assert (people["new"], people["rejects"]) == (3, [])
    sent = home.json("digest", "send")
    assert sent["edition"]["papers"] == 12
    assert (sent["planned"], sent["added"]) == (2, 2)
    delivered = home.json("deliver", "--until-empty")
    assert (delivered["sent"], delivered["queued"]) == (2, 0)
    assert len(home.outbox) == 2


@pytest.mark.accept("F14", part="never twice")
def test_running_everything_again_sends_nothing_again(home: CommandLine) -> None:
    for _ in range(2):
        home.run("ingest", "--file", str(SAMPLE / "page.txt"))
        home.run("subscribers", "import", str(SAMPLE / "subscribers.csv"))
        home.run("digest", "send")
        home.run("deliver", "--until-empty")
    assert len(home.outbox) == 2
    assert home.json("digest", "send")["added"] == 0


@pytest.mark.accept("F21", part="preview")
def test_a_preview_shows_the_bytes_that_are_sent(home: CommandLine) -> None:
    home.run("ingest", "--file", str(SAMPLE / "page.txt"))
    home.run("subscribers", "import", str(SAMPLE / "subscribers.csv"))
    home.run("digest", "send")
    home.run("digest", "preview", "--subscriber", "ada@example.org", "--out", "preview")
    home.run("deliver")
    shown = (home.folder / "preview" / "digest.eml").read_bytes()
    sent = {parsed(path)["To"]: path.read_bytes() for path in home.outbox}
    assert sent["ada@example.org"] == shown


@pytest.mark.accept("F20", part="preview")
def test_a_preview_without_an_email_says_why_in_words_and_fails(home: CommandLine) -> None:
    home.run("db", "upgrade")
    process = home.start("digest", "preview", "--out", "preview")
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "no email, because no papers had been read yet" in told


def test_planning_says_what_sends(home: CommandLine) -> None:
    home.run("ingest", "--file", str(SAMPLE / "page.txt"))
    home.run("subscribers", "import", str(SAMPLE / "subscribers.csv"))
    assert home.run("digest", "send").splitlines()[-1] == (
        "`paperround deliver` sends them; a running `paperround serve` does so by itself"
    )


def test_a_dry_run_plans_nothing(home: CommandLine) -> None:
    home.run("ingest", "--file", str(SAMPLE / "page.txt"))
    home.run("subscribers", "import", str(SAMPLE / "subscribers.csv"))
    assert home.json("digest", "send", "--dry-run")["added"] == 2
    assert home.json("deliver")["queued"] == 0
    assert home.json("digest", "send")["added"] == 2


def test_people_come_from_another_program_and_by_hand(home: CommandLine) -> None:
    (home.folder / "members.txt").write_text("Ada <ada@example.org>\ngrace@example.org\n")
    command = ("subscribers", "import", "members.txt", "--from", "mailman")
    process = home.start(*command, "--json")
    rejects = json.loads(process.communicate()[0])["rejects"]
    assert (process.returncode, rejects) == (1, [{"reason": "no-consent", "count": 2}])
    word = ("--consent-at", "2026-01-05", "--consent-source", "their list since 2019")
    assert home.json(*command, *word)["new"] == 2
    alan = ("subscribers", "add", "alan@example.org", "--consent-source", "asked by mail")
    assert home.json(*alan) == {"list": "trending", "outcome": "new", "subscriber": 3}
    assert home.json("subscribers", "list")["states"] == {"active": 3}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ingest", "--file", "nowhere.txt"), "nowhere.txt: No such file or directory"),
        (("rank", "--list", "nonsense"), "trending"),
        (("digest", "preview", "--out", "x", "--subscriber", "a@example.org"), "not on the list"),
        (("subscribers", "import", "nowhere.csv"), "No such file"),
    ],
)
def test_a_mistake_gets_one_clear_line(
    home: CommandLine, arguments: tuple[str, ...], says: str
) -> None:
    home.run("db", "upgrade")
    error = home.run(*arguments, exit_code=1)
    assert says in error
    assert error.startswith("paperround: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ingest",), "--file"),
        (("no-such-command",), "no-such-command"),
        (("rank", "--date", "30.01.2026"), "2026-01-30"),
        (("rank", "--now", "9999-12-31T23:59:59-12:00"), "2026-01-30T08:00:00Z"),
        (("rank", "--try", "nonsense=1"), "nonsense"),
        (("ingest", "--file", str(SAMPLE / "page.txt"), "--format", "zz"), "jsonl"),
        (("subscribers", "add", "ada@example.org"), "--consent-source"),
        (("subscribers", "add", "ada", "--consent-source", "a form"), "EMAIL: this is not"),
        (("subscribers", "import", "x", "--from", "majordomo"), "google-groups"),
        (("subscribers", "import", "x", "--consent-at", "2026-01-05"), "--from"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_right(
    home: CommandLine, arguments: tuple[str, ...], says: str
) -> None:
    assert says in home.run(*arguments, exit_code=2)


def test_what_was_suppressed_stays_suppressed_under_a_secret_that_is_set_later(
    home: CommandLine, tmp_path: Path
) -> None:
    home.run("db", "upgrade")
    home.run("suppressions", "add", "ada@example.org")
    later = CommandLine(tmp_path, {"SECRET_KEY": "0123456789abcdef0123456789abcdef"})
    people = later.json("subscribers", "import", str(SAMPLE / "subscribers.csv"))
    assert people["suppressed"] == 1
    (tmp_path / "paperround-data" / "secret_key").unlink()
    error = later.run("subscribers", "import", str(SAMPLE / "subscribers.csv"), exit_code=1)
    assert "PAPERROUND_SECRET_KEY" in error
