"""`paperround digest hold`, `drop`, `pin`, `note`, `approve` and `why`."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from paperround.cli.app import app

pytestmark = pytest.mark.accept("F55", part="commands")

PAPERS = [
    {"id": f"2601.0000{n}", "title": f"Paper {n}", "listed_on": "2026-01-29"} for n in (1, 2, 3)
]
SIX, SEVEN, EIGHT = (f"2026-01-30T0{hour}:00:00Z" for hour in (6, 7, 8))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reader, three papers, and an edition that is held for an hour from six on."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERROUND_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PAPERROUND_ENRICH", "off")
    papers = tmp_path / "papers.jsonl"
    papers.write_text("".join(json.dumps(paper) + "\n" for paper in PAPERS))
    assert run("ingest", "--file", str(papers), "--now", "2026-01-29T20:00:00Z").exit_code == 0
    people = tmp_path / "people.csv"
    people.write_text(
        "email,status,consent_at,consent_source\n"
        "ada@example.org,active,2026-01-05T09:00:00Z,a test\n"
    )
    assert run("subscribers", "import", str(people)).exit_code == 0
    assert run("digest", "hold", "60").exit_code == 0
    assert run("tick", "--now", SIX).exit_code == 0
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def said(*arguments: str) -> Any:
    answer = run(*arguments, "--json")
    assert answer.exit_code == 0, answer.output + str(answer.exception)
    return json.loads(answer.stdout)


def test_hold_says_what_is_held_until_when() -> None:
    run("lists", "add", "robots", "--title", "Robots", "--category", "cs.RO")
    trending = {
        "list": "trending",
        "hold_minutes": 60,
        "held": [{"date": "2026-01-30", "cut": "1", "held_until": SEVEN}],
    }
    robots = {"list": "robots", "hold_minutes": 0, "held": []}
    shown = said("digest", "hold", "--now", SIX)["lists"]
    assert sorted(shown, key=str) == sorted([trending, robots], key=str)
    assert said("digest", "hold", "--list", "trending", "--now", SIX) == trending
    assert "hold minutes: 60\n" in run("lists", "show", "trending").stdout
    assert run("digest", "hold", "--list", "robots").stdout == "robots: editions go out at once\n"
    assert "is held until" in run("digest", "hold", "--now", SIX).stdout
    refused = run("digest", "hold", "721")
    assert (refused.exit_code, "0 to 720 minutes" in refused.stderr) == (2, True)


def test_an_editor_looks_changes_and_approves(home: Path) -> None:
    at = ("--now", SIX)
    said("digest", "pin", "2601.00002", *at)
    said("digest", "drop", "2601.00001", *at)
    said("digest", "note", "Read both.", *at)
    edition = said("digest", "note", "Wrong in figure 2.", "--paper", "2601.00002", *at)
    assert [one["title"] for one in edition["papers"]] == ["Paper 2", "Paper 3"]
    assert [one["title"] for one in edition["dropped"]] == ["Paper 1"]
    shown = home / "shown"
    said("digest", "preview", "--out", str(shown), "--subscriber", "ada@example.org", *at)
    text = (shown / "digest.txt").read_text()
    assert "From the editor: Read both." in text
    assert "From the editor: Wrong in figure 2." in text
    assert "Chosen by the editor" in text
    assert "Paper 1" not in text
    html = (shown / "digest.html").read_text()
    assert html.index("Read both.") < html.rindex("Paper 2")
    assert said("digest", "approve", *at)["state"] == "frozen"
    late = run("digest", "drop", "2601.00003", *at)
    assert (late.exit_code, "no edition of trending is held" in str(late.exception)) == (1, True)
    named = run("digest", "drop", "2601.00003", "--date", "2026-01-30", "--cut", "1", *at)
    assert (named.exit_code, "was released" in named.stderr) == (2, True)


def test_the_held_edition_is_previewed_beside_one_sent_by_hand(home: Path) -> None:
    at, shown = ("--now", SIX), home / "shown"
    run("digest", "send", *at)
    said("digest", "note", "Read both.", *at)
    look = ("digest", "preview", "--out", str(shown), *at)
    assert said(*look)["edition"] == {"list": "trending", "date": "2026-01-30", "cut": "1"}
    assert "From the editor: Read both." in (shown / "digest.txt").read_text()
    assert said(*look, "--cut", "manual")["edition"]["cut"] == "manual"
    assert "From the editor" not in (shown / "digest.txt").read_text()
    assert "has no edition" in str(run(*look, "--cut", "3").exception)


def test_one_of_several_held_editions_must_be_named() -> None:
    run("digest", "hold", "720")
    for hour in (12, 18):
        said("tick", "--now", f"2026-01-30T{hour}:00:00Z")
    at = ("--now", "2026-01-30T18:01:00Z")
    for command in (("drop", "2601.00001"), ("pin", "2601.00001"), ("note", "Hm."), ("approve",)):
        refused = run("digest", *command, *at)
        assert refused.exit_code == 2
        told = " ".join(refused.stderr.replace("│", " ").split())
        assert "2 editions of trending are held: 2026-01-30 (cut 2), 2026-01-30 (cut 3)" in told
        assert "Name one with --date and --cut" in told
    assert said("digest", "note", "Hm.", "--cut", "3", *at)["cut"] == "3"


def test_it_goes_by_itself() -> None:
    said("tick", "--now", SEVEN)
    why = run("digest", "why", "--now", SEVEN).stdout
    assert "is held" not in why


def test_why_tells_a_list_and_a_person() -> None:
    told = said("digest", "why", "--now", SIX)
    assert "edition.held" in [one["code"] for one in told["reasons"]]
    of_one = run("digest", "why", "--subscriber", "ada@example.org", "--now", SIX).stdout
    assert run("digest", "why", "--subscriber", "1", "--now", SIX).stdout == of_one
    assert "Their next digest of trending is due at 07:00 UTC." in of_one
    unknown = run("digest", "why", "--subscriber", "nobody@example.org", "--now", SIX)
    assert (unknown.exit_code, "there is no subscriber" in str(unknown.exception)) == (1, True)
