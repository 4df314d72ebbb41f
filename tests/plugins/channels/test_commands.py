"""`paperround channels`, as somebody types it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from paperround.access.store import AuditStore
from paperround.cli.app import app
from paperround.plugins.channels.model import ChannelKind
from tests.http.faults import page
from tests.plugins.channels.services import PATHS, Services, services

pytestmark = pytest.mark.accept("F25", part="commands")

PAPERS = [{"id": f"2601.0000{n}", "title": f"Paper {n}", "listed_on": "2026-01-30"} for n in (1, 2)]
MORNING = ("--now", "2026-01-30T08:00:00Z")
SECRET = "a-secret-of-s"
"""How the secrets of the hooks begin."""


@pytest.fixture(autouse=True)
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """An installation with papers that may post to servers of this machine."""
    with services() as found:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PAPERROUND_DATA_DIR", str(tmp_path / "data"))
        monkeypatch.setenv("PAPERROUND_ENRICH", "off")
        monkeypatch.setenv("PAPERROUND_FETCH_ALLOW", found.server.at)
        papers = tmp_path / "papers.jsonl"
        papers.write_text("".join(json.dumps(paper) + "\n" for paper in PAPERS))
        assert run("ingest", "--file", str(papers)).exit_code == 0
        yield found


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=given)


def said(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    return json.loads(result.stdout)


def hook(made: Services, kind: ChannelKind) -> str:
    return f"http://{made.server.at}{PATHS[kind]}"


def add(made: Services, kind: ChannelKind, *more: str) -> Result:
    chat = ("--chat", "@papers") if kind is ChannelKind.TELEGRAM else ()
    return run("channels", "add", kind, hook(made, kind), *chat, *more)


@pytest.mark.slow
def test_four_channels_get_the_edition_and_no_secret_is_ever_shown(made: Services) -> None:
    told = [add(made, kind) for kind in ChannelKind]
    assert [one.exit_code for one in told] == [0, 0, 0, 0]
    assert run("digest", "send", *MORNING).exit_code == 0
    sent = run("deliver", *MORNING)
    assert "4 sent" in sent.stdout
    assert "messages to channels: 4" in sent.stdout
    shown = [
        run("channels", "list"),
        run("digest", "status", *MORNING),
        run("channels", "history", "trending-slack"),
    ]
    assert [one.exit_code for one in shown] == [0, 0, 0]
    channels = said("digest", "status", *MORNING)["lists"][0]["channels"]
    assert {one["name"]: one["state"] for one in channels}["trending-slack"] == "active"
    assert "papers: Paper" in shown[2].stdout
    assert not [one for one in (*told, sent, *shown) if SECRET in one.output]
    assert len(made.server.bodies) == 4


def test_a_hook_is_read_from_standard_input(made: Services) -> None:
    result = run("channels", "add", "slack", "--name", "lab", given=hook(made, ChannelKind.SLACK))
    assert result.exit_code == 0, result.output
    assert said("channels", "list")["channels"][0]["name"] == "lab"


def test_a_wrong_hook_is_wrong_usage_that_says_what_to_do() -> None:
    refused = run("channels", "add", "slack", "https://example.org/services/a/b/c")
    assert refused.exit_code == 2
    assert "hooks.slack.com" in refused.stderr
    refused = run("channels", "add", "telegram", "12345:a-secret-of-telegram-bots")
    assert refused.exit_code == 2
    assert "--chat" in refused.stderr


@pytest.mark.accept("I3", part="channels")
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "169.254.169.254", "[fd00:ec2::254]"])
def test_a_hook_inside_is_wrong_usage_that_names_the_way_out(made: Services, host: str) -> None:
    add(made, ChannelKind.WEBHOOK, "--name", "lab")
    for command in (("add", "webhook"), ("edit", "lab", "--hook")):
        refused = run("channels", *command, f"https://{host}/hook")
        assert refused.exit_code == 2
        assert "PAPERROUND_FETCH_ALLOW" in refused.stderr
    assert len(said("channels", "list")["channels"]) == 1


def test_the_key_of_a_webhook_is_shown_once(made: Services) -> None:
    made_key = add(made, ChannelKind.WEBHOOK, "--name", "lab").stdout.partition("whsec_")[2][:44]
    assert len(made_key) == 44
    assert made_key not in run("channels", "list").stdout
    changed = said("channels", "edit", "lab", "--new-key")
    assert changed["key"].startswith("whsec_")
    assert made_key not in changed["key"]


@pytest.mark.slow
def test_a_refused_post_shows_in_doctor_and_history(made: Services) -> None:
    made.answers_with(ChannelKind.WEBHOOK, page(b"who are you?", status="403 Forbidden"))
    add(made, ChannelKind.WEBHOOK, "--name", "lab")
    assert "1 channel can be posted to" in run("doctor").stdout
    run("digest", "send", *MORNING)
    run("deliver", *MORNING)
    told = run("doctor").stdout
    assert "the last post to lab failed: refused: it says who are you?" in told
    assert "can be posted to" not in told
    [post] = said("channels", "history", "lab")["posts"]
    assert (post["code"], post["reply"]) == (403, "who are you?")


def test_a_channel_is_tried_paused_resumed_renamed_and_removed(made: Services) -> None:
    add(made, ChannelKind.SLACK, "--name", "lab")
    assert run("channels", "test", "lab").stdout == "lab: posted\n"
    assert "This is a test" in made.posted()[0]["text"]
    assert run("channels", "pause", "lab").stdout == "lab: paused\n"
    assert said("channels", "list")["channels"][0]["state"] == "paused"
    assert run("channels", "resume", "lab").stdout == "lab: resumed\n"
    changed = said(
        "channels", "edit", "lab", "--name", "lab-2", "--hour", "9", "--frequency", "weekly:fri"
    )
    assert (changed["name"], changed["hour"], changed["frequency"]) == ("lab-2", 9, "weekly:fri")
    assert run("channels", "remove", "lab-2").stdout == "lab-2: removed\n"
    assert "no channels" in run("channels", "list").stdout
    unknown = run("channels", "pause", "lab")
    assert "no channel is called 'lab'" in str(unknown.exception)


def test_a_hook_that_is_gone_shows_in_list_status_and_doctor(made: Services) -> None:
    made.answers_with(ChannelKind.SLACK, page(b"no_service", status="404 Not Found"))
    add(made, ChannelKind.SLACK, "--name", "lab")
    run("digest", "send", *MORNING)
    assert "1 not posted now: gone: Slack says no_service" in run("deliver", *MORNING).stdout
    assert "Slack says no_service" in run("channels", "list").stdout
    [channel] = said("digest", "status", *MORNING)["lists"][0]["channels"]
    assert channel["state"] == "stopped"
    assert "Slack says no_service" in channel["reason"]
    assert "lab was stopped at" in run("doctor").stdout


def test_what_is_done_is_written_down_without_secrets(made: Services) -> None:
    from paperround.cli.options import runtime

    add(made, ChannelKind.WEBHOOK, "--name", "lab", "--topics", "bees;ants")
    run("channels", "pause", "lab")
    with runtime().database.reading() as work:
        deeds = work[AuditStore].page(before=None, limit=2)
    assert [(one.action, one.target) for one in deeds] == [
        ("pause channel", "lab"),
        ("add channel", "lab"),
    ]
    assert deeds[1].details == {"kind": "webhook", "list": "trending"}
