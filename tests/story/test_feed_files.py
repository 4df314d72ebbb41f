"""Feeds looked at before they are kept, checked against their services, and taken elsewhere, with
the commands a person types."""

import json
from pathlib import Path
from typing import Any

import pytest

from paperround.feeds.presets import PRESETS
from tests.feeds.arxiv_samples import item, rss
from tests.http.faults import FaultServer, page, says
from tests.story.command_line import CommandLine

DAY: list[dict[str, Any]] = [
    {
        "paper": {
            "id": f"2601.0000{n}",
            "title": f"Study {n}",
            "summary": "We study.",
            "publishedAt": "2026-01-27T00:00:00.000Z",
            "submittedOnDailyAt": "2026-01-28T00:00:00.000Z",
            "upvotes": 3,
            "authors": [{"name": "Ada Lovelace"}],
        },
        "title": f"Study {n}",
        "publishedAt": "2026-01-27T00:00:00.000Z",
        "numComments": 0,
    }
    for n in (1, 2)
]


def home_at(folder: Path, server: FaultServer) -> CommandLine:
    return CommandLine(folder, {"FETCH_ALLOW": server.at})


def add_daily(home: CommandLine, server: FaultServer, *more: str) -> tuple[str, ...]:
    """The words that add a feed of Daily Papers which `server` answers."""
    return ("feeds", "add", "hf", "--kind", "hf-daily", "--url", server.url("/daily"), *more)


def answering(value: object) -> FaultServer:
    return FaultServer({"/": says(page(json.dumps(value).encode()))})


@pytest.mark.accept("F09", part="preview command")
def test_a_feed_is_tried_before_it_is_added(tmp_path: Path) -> None:
    with FaultServer({"/": says(page(rss(item(title="One"), item(title=""))))}) as server:
        home = home_at(tmp_path, server)
        command = ["feeds", "add", "a", "--kind", "arxiv", "--url", server.url("/atom")]
        command += ["--set", "categories=cs.AI", "--dry-run"]
        told = home.run(*command)
        seen = home.json(*command)
    assert "1 paper (1 new, 0 known), 1 reject, no further page" in told
    assert told.splitlines()[2].split()[-1] == "One"
    assert "no-title" in told
    assert (seen["papers_total"], seen["new_total"], seen["rejects_total"]) == (1, 1, 1)
    assert seen["papers"][0]["becomes"] == "new"
    assert home.json("feeds", "list")["feeds"] == []


@pytest.mark.accept("F09", part="check --live")
def test_a_live_check_fails_when_papers_cannot_be_read_any_more(tmp_path: Path) -> None:
    renamed = [{"work": entry["paper"], "title": entry["title"]} for entry in DAY]
    with answering(renamed) as server:
        home = home_at(tmp_path, server)
        home.run(*add_daily(home, server))
        home.run("feeds", "check")
        process = home.start("feeds", "check", "--live")
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "hf: no entry could be used" in out
    assert "fine" not in out


@pytest.mark.accept("F09", part="OPML command")
def test_feeds_leave_as_opml_and_come_back(tmp_path: Path) -> None:
    home = CommandLine(tmp_path)
    home.run("feeds", "add", "--preset", "bio")
    home.run("feeds", "edit", "arxiv-bio", "--pause", "--show", "link")
    before = home.run("feeds", "export")
    (tmp_path / "feeds.opml").write_text(home.run("feeds", "export", "--format", "opml"))
    home.run("feeds", "remove", "arxiv-bio", "--yes")
    home.run("feeds", "remove", "biorxiv", "--yes")
    done = home.json("feeds", "import", "feeds.opml")
    assert (done["new"], done["rejects"]) == (["arxiv-bio", "biorxiv"], [])
    assert json.loads(home.run("feeds", "export")) == json.loads(before)
    assert "json or opml" in home.run("feeds", "export", "--format", "xls", exit_code=2)


def test_what_a_feed_can_be_is_listed(tmp_path: Path) -> None:
    home = CommandLine(tmp_path)
    kinds = {one["kind"]: one for one in home.json("feeds", "kinds")["kinds"]}
    assert kinds["feed"]["needs_url"]
    assert "categories: Categories or archives" in home.run("feeds", "kinds")
    assert home.json("feeds", "presets")["presets"].keys() == PRESETS.keys()
    assert "arxiv-ml (cs.LG," in home.run("feeds", "presets")
    found = home.json("feeds", "categories", "learning")
    assert [one["name"] for one in found["arxiv"]] == ["cs.LG", "stat.ML"]
    assert home.run("feeds", "categories", "zoolog").split() == ["bioRxiv,", "medRxiv", "zoology"]
    assert "none: try" in home.run("feeds", "categories", "zzzz")
    error = home.run(
        "feeds", "add", "x", "--kind", "arxiv", "--set", "categories=cs.ML", exit_code=1
    )
    assert "no cs.ML on arXiv: did you mean cs.LG, stat.ML?" in error
