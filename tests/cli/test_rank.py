"""`paperround rank --try`: a change of weights, before and after."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from paperround.cli.app import app

pytestmark = pytest.mark.accept("F17", part="other weights")

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


@pytest.mark.slow
def test_the_table_stands_before_the_day_that_is_ranked_with_the_weights(home: Path) -> None:
    archive(home, 10)
    lines = run("rank", "--date", str(LAST), "--try", OTHER, "--limit", "1").stdout.splitlines()
    assert lines[0] == "trending-3 → trending-3(recency=0.0), 10 of the last 30 days"
    assert lines[1].split() == ["date", "papers", "changed", "overlap", "correlation", "foresaw"]
    assert lines[2].split()[:3] == ["2026-01-21", "16", "0"]
    assert lines[11].split()[0] == "2026-01-30"
    assert lines[12].split()[0] == "mean"
    moves = [line.split()[0] for line in lines[13 : lines.index("")]]
    assert sorted(moves) == moves
    assert moves.count("came") == moves.count("went") == int(lines[11].split()[2]) > 0
    rest = lines[lines.index("") + 1 :]
    assert rest[0] == "trending, 2026-01-30: 1 of 112 papers (trending-3(recency=0.0))"
    assert rest[1].startswith("  1. ")


@pytest.mark.slow
def test_programs_get_the_same_figures_and_the_documented_keys(home: Path) -> None:
    archive(home, 10)
    found = ranked("--try", OTHER)
    assert list(found) == ["list", "date", "now", "ranker", "items", "tried"]
    tried = found["tried"]
    assert list(tried) == [
        "before", "after", "size", "overlap", "correlation", "foresaw", "days_foreseen", "came",
        "went", "days",
    ]  # fmt: skip
    assert (tried["before"], tried["after"]) == ("trending-3", found["ranker"])
    assert [day["date"] for day in tried["days"]][-1] == "2026-01-30"
    assert len(tried["days"]) == 10
    assert list(tried["days"][0]) == [
        "date", "as_of", "papers", "changed", "overlap", "correlation", "foresaw",
    ]  # fmt: skip
    last = tried["days"][-1]
    assert last["changed"] == len(tried["came"]) == len(tried["went"]) > 0
    known = [day["foresaw"] for day in tried["days"] if day["foresaw"]]
    assert tried["days_foreseen"] == len(known) > 0
    assert tried["foresaw"].keys() == {"before", "after"}
    top = [item["title"] for item in found["items"][:12]]
    assert {one["title"] for one in tried["came"]} <= set(top)
    assert not {one["title"] for one in tried["went"]} & set(top)


def test_without_other_weights_nothing_is_compared(home: Path) -> None:
    archive(home, 2)
    assert list(ranked()) == ["list", "date", "now", "ranker", "items"]


@pytest.mark.slow
def test_fewer_days_may_be_asked_for(home: Path) -> None:
    archive(home, 10)
    days = ranked("--try", OTHER, "--days", "2")["tried"]["days"]
    assert [day["date"] for day in days] == ["2026-01-29", "2026-01-30"]
    for none in ("0", "367", "9999999"):
        assert run("rank", "--try", OTHER, "--days", none).exit_code == 2, none


@pytest.mark.slow
def test_little_history_is_called_that(home: Path) -> None:
    archive(home, 2)
    said = run("rank", "--date", str(LAST), "--try", OTHER).stdout
    assert "2 of the last 30 days" in said
    assert "That is little history: believe no mean of fewer than 7 days." in said
    assert "which order foresaw more cannot be told." in said


def test_an_empty_month_says_what_to_do(home: Path) -> None:
    archive(home, 2)
    said = run("rank", "--try", OTHER, "--now", "2026-06-01T12:00:00Z")
    assert said.exit_code == 0
    assert "0 of the last 30 days" in said.stdout
    assert "name a day that had with --date" in said.stdout
    empty = run("rank", "--try", OTHER, "--now", "2026-06-01T12:00:00Z", "--json")
    tried = json.loads(empty.stdout)["tried"]
    assert (tried["days"], tried["overlap"], tried["foresaw"]) == ([], None, None)
