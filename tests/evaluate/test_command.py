"""`python -m tools.evaluate personal`: the figures as a table and as JSON."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tools.evaluate.__main__ import app


@pytest.fixture
def libraries(tmp_path: Path) -> list[str]:
    """Four hundred papers of twenty subjects, and a reader of each of five."""
    items = [{"id": n, "words": {f"w{n % 20}": 1, f"own{n}": 1}} for n in range(400)]
    users = [{"user": n, "items": list(range(n, 240, 20))} for n in range(5)]
    for name, rows in (("items", items), ("users", users)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(text)
    return ["--items", str(tmp_path / "items.jsonl"), "--users", str(tmp_path / "users.jsonl")]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["personal", *arguments])


@pytest.mark.accept("F17", part="personal")
def test_the_figures_are_printed_as_json_with_their_intervals(libraries: list[str]) -> None:
    found = json.loads(run(*libraries, "--json").stdout)
    assert found["task"] == "personal"
    assert found["metrics"]["recall_at_50"] == {"value": 1, "low": 1, "high": 1}
    assert set(found["baselines"]) == {"tfidf_centroid", "zotero_arxiv_daily"}
    assert found["baselines"]["tfidf_centroid"]["recall_at_50"] == 1


@pytest.mark.accept("F17", part="personal")
def test_and_as_a_table(libraries: list[str]) -> None:
    lines = run(*libraries, "--baselines", "none").stdout.splitlines()
    assert lines[0].split() == ["personal", "ours", "90", "%", "interval"]
    assert lines[1].split() == ["recall_at_50", "1.0000", "1.0000", "to", "1.0000"]


def test_another_set_of_baselines_is_a_wrong_use(libraries: list[str]) -> None:
    assert run(*libraries, "--baselines", "some").exit_code == 2
