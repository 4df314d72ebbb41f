"""`digest send` and `deliver` say what this run did, then how the day is."""

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from paperround.cli.app import app

MORNING, LATER = "2026-01-30T08:00:00Z", "2026-01-30T09:00:00Z"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Papers of today and two readers."""
    monkeypatch.chdir(tmp_path)
    papers = tmp_path / "papers.jsonl"
    papers.write_text(json.dumps({"id": "2601.00001", "title": "P", "listed_on": "2026-01-30"}))
    run("ingest", "--file", str(papers))
    for name in ("ada", "grace"):
        add(name)


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return done.stdout


def add(name: str) -> None:
    agreed = ("--consent-source", "paper", "--now", "2026-01-05T09:00:00Z")
    run("subscribers", "add", f"{name}@example.org", *agreed)


@pytest.mark.accept("F50", part="what a run did", mutant="a-run-counts-nothing")
def test_a_run_says_what_it_did_and_then_the_day() -> None:
    send, deliver = ("digest", "send", "--now", MORNING), ("deliver", "--now", LATER)
    assert run(*send).splitlines() == [
        "this run planned the digest of 2 people",
        "trending, 2026-01-30 (manual): 1 paper, 2 digests in all",
        "`paperround deliver` sends them; a running `paperround serve` does so by itself",
    ]
    first = run(*deliver).splitlines()
    sent = ["this run: digests: 2 sent; other emails: none", "emails of the day: 2 sent"]
    assert first[:2] == sent
    add("alan")
    assert run(*send).startswith("this run planned the digest of 1 person\n")
    told = json.loads(run(*deliver, "--json"))
    assert (told["sent"], told["this_run"]) == (3, {"digests": {"sent": 1}, "others": {}})
    again = run(*deliver).splitlines()
    assert again[:2] == ["this run: digests: none; other emails: none", "emails of the day: 3 sent"]


def test_a_tick_says_what_it_sent_and_not_what_others_sent_before() -> None:
    run("digest", "send", "--now", MORNING)
    told = json.loads(run("tick", "--now", LATER, "--json"))
    assert (told["sent"], told["this_run"]) == (2, {"digests": {"sent": 2}, "others": {}})
    add("alan")
    run("digest", "send", "--now", MORNING)
    first = run("tick", "--now", LATER)
    assert first.splitlines()[-2:] == ["this run:", "  digests: sent 1"]
    assert "sent" not in run("tick", "--now", LATER)
    assert json.loads(run("tick", "--now", LATER, "--json"))["sent"] == 3


def test_an_edition_sent_by_hand_says_that_it_was_not_held() -> None:
    send = ("digest", "send", "--now", MORNING)
    assert json.loads(run(*send, "--dry-run", "--json"))["skipped_hold_minutes"] == 0
    run("digest", "hold", "60")
    assert "not held: the hold of 60 minutes is for scheduled editions" in run(*send)
    assert json.loads(run(*send, "--json"))["skipped_hold_minutes"] == 60


@pytest.mark.accept("O8", part="deliver", mutant="deliver-is-silent-about-a-dead-relay")
def test_each_run_tries_a_dead_relay_once_more_and_says_when_the_next_try_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("PAPERROUND_SMTP_URL", f"smtp://127.0.0.1:{port}")
    monkeypatch.setenv("PAPERROUND_MAIL_FROM", "papers@lab.example.org")
    run("digest", "send", "--now", MORNING)
    run("deliver", "--now", LATER)
    again = run("deliver", "--now", LATER)
    assert again.startswith("this run: digests: 2 deferred; other emails: none\n")
    assert "the relay cannot be reached: network: Connection refused; email waits and" in again
    assert "next tried at 2026-01-30T" in again
