"""An address that will not be fetched is reported when it is given, not at the next poll."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from paperround.cli.app import app

OURS = "127.0.0.1:9"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    answer = CliRunner().invoke(app, ["feeds", *arguments])
    assert answer.exit_code == 0, answer.output
    return answer


def test_an_address_of_a_private_network_is_added_with_a_warning_until_it_is_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    added = run("add", "lab", "--kind", "feed", "--url", f"http://{OURS}/rss")
    assert "added lab" in added.stdout
    assert "host:port to PAPERROUND_FETCH_ALLOW" in added.stderr
    edited = run("edit", "lab", "--url", f"http://{OURS}/atom")
    assert "host:port to PAPERROUND_FETCH_ALLOW" in edited.stderr
    assert run("edit", "lab", "--show", "full").stderr == ""
    monkeypatch.setenv("PAPERROUND_FETCH_ALLOW", OURS)
    assert run("edit", "lab", "--url", f"http://{OURS}/rss").stderr == ""


def test_a_run_without_due_feeds_names_the_command_that_reads_one() -> None:
    run("add", "hf", "--kind", "hf-daily")
    run("edit", "hf", "--pause")
    assert "`paperround feeds run NAME` reads one now" in run("run").stdout
