"""`paperround rank --try`: other weights."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from paperround.cli.app import app

LAST = date(2026, 1, 30)
OTHER = "recency=0"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERROUND_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def ranked(*arguments: str) -> Any:
    """What `rank` says of the last day, as JSON."""
    return json.loads(run("rank", "--date", str(LAST), *arguments, "--json").stdout)


def archive(home: Path, days: int) -> None:
    """Sixteen papers a day, counted at noon, and once more two days later."""
    rows = []
    for back in range(days):
        day = LAST - timedelta(days=back)
        for n in range(16):
            paper = {
                "id": f"26{back:02}.{n:05}",
                "title": f"Paper {back} {n}",
                "listed_on": str(day),
            }
            first = {"upvotes": 20 - n, "captured_at": f"{day}T12:00:00Z"}
            rows.append({**paper, **first})
            if back >= 2:
                later = {"upvotes": 40 + n, "captured_at": f"{day + timedelta(days=2)}T12:00:00Z"}
                rows.append({**paper, **later})
    path = home / "papers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run("ingest", "--file", str(path)).exit_code == 0


@pytest.mark.accept("F12", part="author history")
def test_weights_of_the_settings_are_in_force(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive(home, 2)
    monkeypatch.setenv("PAPERROUND_RANKING_WEIGHTS", "authors=0, recency=1")
    assert ranked()["ranker"] == "trending-3(recency=1.0,authors=0.0)"
    assert ranked("--try", OTHER)["ranker"] == "trending-3(recency=0.0)"


def test_other_weights_are_tried_and_named(home: Path) -> None:
    archive(home, 2)
    before, tried = ranked(), ranked("--try", OTHER)
    assert (before["ranker"], tried["ranker"]) == ("trending-3", "trending-3(recency=0.0)")
    assert before["items"] != tried["items"]


def test_weights_are_tried_on_the_editions_of_past_days(home: Path) -> None:
    archive(home, 2)
    night = ("--now", "2026-01-30T23:59:00Z")
    assert run("digest", "send", *night).exit_code == 0
    asked = ("rank", "--try", OTHER, "--days", "2", *night)
    told = run(*asked)
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("trending, 1 edition, with recency=0.0\n")
    value = json.loads(run(*asked, "--json").stdout)
    [day] = value["days"]
    assert (day["day"], day["size"], value["size"]) == (str(LAST), 12, 12)


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("--days", "2"), "--try"),
        (("--days", "91", "--try", OTHER), "--days"),
        (("--days", "2", "--try", "full_words=9"), "--try"),
    ],
)
def test_what_cannot_be_tried_names_its_option(
    home: Path, arguments: tuple[str, ...], option: str
) -> None:
    archive(home, 1)
    told = run("rank", *arguments)
    assert told.exit_code == 2
    assert f"Invalid value for {option}" in told.output
