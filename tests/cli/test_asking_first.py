"""What cannot be undone is asked for first, and where nobody can be asked it needs `--yes`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from paperround.cli import options
from paperround.cli.app import app

ADA = "ada@example.org"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation with a reader and a feed."""
    monkeypatch.chdir(tmp_path)
    assert run("subscribers", "add", ADA, "--consent-source", "paper").exit_code == 0
    add = ("feeds", "add", "hf", "--kind", "hf-daily", "--url", "http://127.0.0.1:9/daily")
    assert run(*add).exit_code == 0


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=typed)


def readers() -> list[str]:
    told = json.loads(run("subscribers", "list", "--json").stdout)
    return [one["email"] for one in told["subscribers"]]


def feeds() -> list[str]:
    return [one["name"] for one in json.loads(run("feeds", "list", "--json").stdout)["feeds"]]


@pytest.mark.accept("F60", part="the operator's word", mutant="a-removal-asks-nobody")
@pytest.mark.parametrize("command", [("subscribers", "erase", ADA), ("feeds", "remove", "hf")])
def test_where_nobody_can_be_asked_it_needs_a_yes(command: tuple[str, ...]) -> None:
    refused = run(*command)
    assert refused.exit_code == 2
    assert "use --yes" in refused.stderr
    assert (readers(), feeds()) == ([ADA], ["hf"])
    assert run(*command, "--yes").exit_code == 0
    assert (readers(), feeds()) != ([ADA], ["hf"])


@pytest.mark.accept("F60", part="the operator's word")
@pytest.mark.parametrize("command", [("subscribers", "erase", ADA), ("feeds", "remove", "hf")])
def test_on_a_terminal_it_is_asked(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "can_ask", lambda: True)
    no = run(*command, typed="n\n")
    assert no.exit_code == 1
    assert command[-1] in no.stderr
    assert "nothing was changed" in no.stderr
    assert (readers(), feeds()) == ([ADA], ["hf"])
    assert run(*command, typed="y\n").exit_code == 0
    assert (readers(), feeds()) != ([ADA], ["hf"])


def test_a_list_shows_its_people_and_counts_them() -> None:
    shown = run("subscribers", "list").stdout.splitlines()
    assert shown[1].split()[:2] == [ADA, "active"]
    assert shown[-1] == "trending: 1 active"


@pytest.mark.parametrize("how", [(), ("--json",)])
def test_an_import_of_which_every_row_is_rejected_fails(
    how: tuple[str, ...], tmp_path: Path
) -> None:
    people = tmp_path / "people.csv"
    people.write_text("email,status,consent_at,consent_source\nnobody,active,,\n")
    said = run("subscribers", "import", str(people), *how)
    assert said.exit_code == 1
    assert "every row was rejected" in said.stderr
    assert "1" in said.stdout
    people.write_text(f"{people.read_text()}grace@example.org,active,2026-01-05,a form\n")
    assert run("subscribers", "import", str(people), *how).exit_code == 0
