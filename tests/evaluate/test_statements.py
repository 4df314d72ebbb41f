"""The papers of a month are put in order for research statements, which are invented."""

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from paperround.core.errors import InvalidInput
from tools.evaluate.__main__ import app
from tools.evaluate.statements import CLOSEST, closest_papers

STATEMENTS = Path(__file__).with_name("statements.jsonl")
NAMES = {
    "speech": ("speech", "audio", "spoken", "voice"),
    "robot manipulation": ("robot", "vla", "vision-language-action", "embodied"),
    "GUI agents": ("gui", "computer", "web", "mobile"),
}
"""Words of which a paper on the subject has one in its title or abstract."""


@pytest.mark.accept("Q20", part="a month", mutant="a-month-is-in-any-order")
def test_most_of_the_ten_papers_of_a_month_are_about_the_statement(real_data: Path) -> None:
    papers = real_data / "hf_daily_papers" / "papers.jsonl.gz"
    found = closest_papers(STATEMENTS, papers, date(2025, 5, 1))
    fields = [json.loads(line)["field"] for line in STATEMENTS.read_text().splitlines()]
    assert len(found) == len(fields) == 20
    for field, words in NAMES.items():
        closest = found[fields.index(field)].papers
        assert len(closest) == CLOSEST
        texts = [f"{paper.title} {paper.abstract}".lower() for paper, _ in closest]
        assert sum(any(word in text for word in words) for text in texts) >= 8


@pytest.fixture
def month(tmp_path: Path) -> list[str]:
    """Three papers, two of them of May, and a statement."""
    papers = [
        {"id": "2505.00001", "listed_on": "2025-05-02", "title": "Kilns", "summary": "On kilns."},
        {"id": "2505.00002", "listed_on": "2025-05-03", "title": "Tides", "summary": "The sea."},
        {"id": "2504.00001", "listed_on": "2025-04-03", "title": "Kilns", "summary": "A kiln."},
    ]
    (tmp_path / "papers.jsonl").write_text("".join(json.dumps(one) + "\n" for one in papers))
    (tmp_path / "statements.jsonl").write_text('{"text": "I work on the sea."}\n')
    return [
        "statements",
        f"--statements={tmp_path / 'statements.jsonl'}",
        f"--papers={tmp_path / 'papers.jsonl'}",
        "--month",
    ]


def test_the_titles_are_printed_below_each_statement(month: list[str]) -> None:
    printed = CliRunner().invoke(app, [*month, "2025-05"]).stdout
    assert printed.splitlines() == ["I work on the sea.", "  Tides", "  Kilns"]


def test_the_same_is_printed_as_json(month: list[str]) -> None:
    (row,) = json.loads(CliRunner().invoke(app, [*month, "2025-05", "--json"]).stdout)
    assert [one["id"] for one in row["papers"]] == ["2505.00002", "2505.00001"]
    assert row["papers"][0]["likeness"] > row["papers"][1]["likeness"] == 0


def test_a_month_without_papers_is_refused(month: list[str]) -> None:
    refused = CliRunner().invoke(app, [*month, "2025-07"])
    assert isinstance(refused.exception, InvalidInput)
    assert "has no paper of 2025-07" in str(refused.exception)
