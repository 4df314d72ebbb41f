"""`paperround stats`, as an operator types it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from paperround.cli.app import app


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation with one person."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERROUND_DATA_DIR", str(tmp_path / "data"))
    added = run("subscribers", "add", "ada@example.org", "--consent-source", "paper")
    assert added.exit_code == 0


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.accept("F57", part="command")
def test_figures_are_an_outline_for_people_and_one_object_for_programs() -> None:
    told = run("stats", "--now", "2026-03-02T08:00:00Z", "--days", "7")
    assert told.exit_code == 0, told.output
    first, second, *_ = told.stdout.splitlines()
    assert first == "2026-02-24 to 2026-03-02, all lists"
    assert second == "subscribers: 1 active, 0 waiting, 0 paused, 0 left"
    value = json.loads(run("stats", "--list", "trending", "--json").stdout)
    assert (value["list"], value["subscribers"]["active"]) == ("trending", 1)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [(("--days", "91"), 2, "from 1 to 90"), (("--days", "0"), 2, "from 1 to 90")],
)
def test_wrong_input_is_told_in_one_line(arguments: tuple[str, ...], code: int, words: str) -> None:
    told = run("stats", *arguments)
    assert told.exit_code == code
    assert words in told.output
