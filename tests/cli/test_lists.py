"""`paperround lists`: an operator creates, edits, archives and restores lists."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from paperround.cli.app import app

NOW = ("--now", "2026-01-30T08:00:00Z")


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERROUND_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PAPERROUND_TIMEZONE", "Europe/Berlin")
    monkeypatch.setenv("PAPERROUND_ENRICH", "off")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["lists", *arguments])


def said(*arguments: str) -> Any:
    answer = run(*arguments, "--json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)["list"]


@pytest.mark.accept("F44", part="command", mutant="the-command-forgets-the-domains")
def test_a_list_is_created_edited_archived_and_restored() -> None:
    made = said(
        "add", "robots", "--title", "Robots", "--category", "cs.RO", "--domain", "lab.example"
    )
    assert (made["zone"], made["signup"], made["domains"]) == (
        "Europe/Berlin",
        "domains",
        ["lab.example"],
    )
    assert said("show", "robots") == made
    changed = said("edit", "robots", "--size", "5", "--intro", "Hi", "--unset", "category")
    assert changed == made | {"size": 5, "categories": [], "look": made["look"] | {"intro": "Hi"}}
    assert said("edit", "robots", "--unset", "intro", "--public")["look"]["intro"] == ""
    assert said("archive", "robots", "--yes", *NOW)["archived_at"] == "2026-01-30T08:00:00Z"
    assert said("restore", "robots")["archived_at"] is None
    table = run("list").stdout
    assert [line.split()[0] for line in table.splitlines()] == ["name", "robots", "trending"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "Robots", "--title", "R"), "lowercase letters"),
        (("add", "robots"), "--title"),
        (("add", "robots", "--title", "R", "--feed", "none"), "known feeds: none yet"),
        (("add", "robots", "--title", "R", "--signup", "maybe"), "open, closed or domains"),
        (("add", "robots", "--title", "R", "--reply-to", "x"), "--reply-to"),
        (("add", "robots", "--title", "R", "--days", "99"), "--days"),
        (("edit", "trending"), "say what to change"),
        (("edit", "trending", "--unset", "colours"), "use one of"),
        (("archive", "trending"), "--yes"),
    ],
)
def test_wrong_input_is_one_line_that_names_the_way_out(
    arguments: tuple[str, ...], told: str
) -> None:
    said("add", "first", "--title", "First")
    refused = run(*arguments)
    assert refused.exit_code == 2
    assert told in refused.stderr


def test_a_new_list_says_what_comes_next_and_shows_what_it_takes() -> None:
    open_list = run("add", "robots", "--title", "Robots").stdout
    assert "there is no feed yet" in open_list
    assert "/subscribe?list=robots" in open_list
    closed = run("add", "ours", "--title", "Ours", "--signup", "closed").stdout
    assert "paperround subscribers add --list ours" in closed
    assert "feeds: all" in run("show", "ours").stdout


def test_papers_of_an_archived_list_are_not_sent_by_hand() -> None:
    said("add", "robots", "--title", "Robots")
    said("archive", "robots", "--yes")
    sent = CliRunner().invoke(app, ["digest", "send", "--list", "robots"])
    assert sent.exit_code != 0
    assert "paperround lists restore robots" in str(sent.exception or sent.stderr)
