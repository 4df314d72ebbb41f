"""`evaluate pick`: earlier months teach which papers of a later one will be picked."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from paperround.core.errors import InvalidInput
from tests.evaluate.archive import written
from tools.evaluate.__main__ import app
from tools.evaluate.pick import evaluate_pick

START = date(2025, 3, 1)
DAYS = 70
"""March teaches, April and a part of May are the test."""


def listings(archive: str = "dw") -> Iterator[dict[str, Any]]:
    """Ten papers a day; the first is about whales, the second by the star."""
    for day in range(DAYS):
        for number in range(10):
            yield {
                "id": f"2503.{day * 10 + number:05}",
                "first_listed": (START + timedelta(days=day)).isoformat(),
                "archive": archive,
                "title": "Whales at sea" if number == 0 else f"Gravel of kind {number % 4}",
                "summary": f"Report number {day} on it.",
                "authors": ["Ada Star"] if number == 1 else [f"Writer {day} {number}"],
            }


def picked(row: dict[str, Any], days_later: int = 2) -> dict[str, Any]:
    day = date.fromisoformat(row["first_listed"]) + timedelta(days=days_later)
    return row | {"listed_on": day.isoformat()}


def picks() -> list[dict[str, Any]]:
    return [picked(row) for row in listings() if int(row["id"][-1]) < 2]


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    return written(tmp_path / "papers.jsonl.gz", listings())


@pytest.fixture
def chosen(tmp_path: Path) -> Path:
    return written(tmp_path / "picked.jsonl.gz", picks())


@pytest.mark.accept("F17", part="pick")
def test_words_find_one_half_and_authors_the_other(papers: Path, chosen: Path) -> None:
    found = evaluate_pick(papers, chosen).metrics
    assert list(found) == [
        "average_precision",
        "auc",
        "authors_average_precision",
        "authors_auc",
    ]
    assert 0.5 < found["average_precision"].value < 0.9
    assert found["authors_average_precision"].value > 0.99


def test_looks_tell_what_words_do_not(tmp_path: Path) -> None:
    """A lone digit is no word, as a lone letter is none; but digits are a cue."""
    rows = [
        row | {"summary": "On it: " + ("1 2 3 4 5" if row["id"][-1] == "4" else "v w x y z")}
        for row in listings()
    ]
    chosen = [picked(row) for row in rows if row["id"][-1] == "4"]
    found = evaluate_pick(
        written(tmp_path / "papers.jsonl.gz", rows), written(tmp_path / "chosen.jsonl.gz", chosen)
    )
    assert found.metrics["average_precision"].value > 0.99


@pytest.mark.accept("F17", part="pick-no-future")
def test_picks_that_come_after_a_month_began_teach_nothing_of_it(
    papers: Path, tmp_path: Path
) -> None:
    """When every pick takes forty days, nothing is known in April, and March's picks in May."""
    slow = [picked(row, 40) for row in picks()]
    found = evaluate_pick(papers, written(tmp_path / "slow.jsonl.gz", slow))
    assert found.notes == ("90 papers of the archive dw, 18 of them picked",)


def test_its_own_pick_tells_nothing_of_a_paper(tmp_path: Path) -> None:
    """Authors who come once have no past, however their only paper fares."""
    rows = [row | {"authors": [f"Once {row['id']}"]} for row in listings()]
    chosen = [picked(row) for row in rows if row["id"][-1] == "1"]
    found = evaluate_pick(
        written(tmp_path / "papers.jsonl.gz", rows), written(tmp_path / "chosen.jsonl.gz", chosen)
    )
    assert found.metrics["authors_average_precision"].value < 0.6
    assert found.baselines["most_picked_author"]["authors_auc"] == 0.5


def test_other_archives_and_papers_picked_before_their_listing_do_not_count(
    chosen: Path, tmp_path: Path
) -> None:
    elsewhere = written(tmp_path / "elsewhere.jsonl.gz", listings("zh"))
    with pytest.raises(InvalidInput, match="nothing to test"):
        evaluate_pick(elsewhere, chosen)
    papers = written(tmp_path / "papers.jsonl.gz", listings())
    before = [picked(row, -1) if row["id"] == "2503.00600" else row for row in picks()]
    found = evaluate_pick(papers, written(tmp_path / "before.jsonl.gz", before))
    assert found.notes == ("389 papers of the archive dw, 77 of them picked",)


def test_a_history_teaches_the_first_month(tmp_path: Path) -> None:
    rows = list(listings())
    cut = [row for row in rows if row["first_listed"] >= "2025-04-01"]
    old = [row for row in rows if row["first_listed"] < "2025-04-01"]
    early = [row for row in picks() if row["first_listed"] < "2025-04-01"]
    late = [row for row in picks() if row["first_listed"] >= "2025-04-01"]
    found = evaluate_pick(
        written(tmp_path / "p.jsonl.gz", cut),
        written(tmp_path / "h.jsonl.gz", late),
        history=(
            written(tmp_path / "hp.jsonl.gz", old),
            written(tmp_path / "hh.jsonl.gz", early),
        ),
    )
    assert found.notes == ("390 papers of the archive dw, 78 of them picked",)


def test_the_command_prints_a_table(papers: Path, chosen: Path) -> None:
    done = CliRunner().invoke(app, ["pick", f"--papers={papers}", f"--picked={chosen}"])
    assert done.exit_code == 0
    assert "most_picked_author" in done.stdout
    assert "390 papers of the archive dw" in done.stdout


@pytest.mark.long
@pytest.mark.accept("Q5")
def test_picks_of_public_months_are_told_from_the_others(real_data: Path) -> None:
    found = evaluate_pick(
        real_data / "arxiv_daily" / "papers.jsonl.gz",
        real_data / "hf_daily_papers" / "papers.jsonl.gz",
    ).metrics
    assert found["average_precision"].value >= 0.34
    assert found["auc"].value >= 0.845
    assert found["authors_average_precision"].value >= 0.43
    assert found["authors_auc"].value >= 0.875
