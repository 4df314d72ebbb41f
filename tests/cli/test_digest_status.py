"""`paperround digest status`: what an operator reads first."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from paperround.cli.app import app

NOON = "2026-01-30T12:00:00Z"


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERROUND_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PAPERROUND_ENRICH", "off")


def run(*arguments: str) -> str:
    answer = CliRunner().invoke(app, arguments)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


@pytest.mark.parametrize(
    ("now", "is_ticking"), [(NOON, True), ("2026-01-30T12:08:00Z", False)], ids=["on", "stopped"]
)
def test_the_status_says_first_that_the_schedule_has_stopped(now: str, is_ticking: bool) -> None:
    run("db", "upgrade")
    run("tick", "--now", NOON)
    status = ("digest", "status", "--now", now)
    first = run(*status).splitlines()[0]
    stopped = f"the schedule has not run since {NOON}; start `paperround serve`"
    assert first.startswith(stopped) is not is_ticking, first
    assert json.loads(run(*status, "--json"))["ticking"] is is_ticking
