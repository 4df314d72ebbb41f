"""Which commands make an installation, and what the others say where there is none."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from paperround.bootstrap import AppContext
from paperround.bootstrap.database import database_of
from paperround.cli.app import app
from paperround.config import Settings
from paperround.core.clock import FixedClock
from paperround.core.errors import Conflict, Misconfigured
from paperround.plugins.demo.samples import begin, claim
from tests.builders import NOW
from tests.story.command_line import SAMPLE

PAGE, PEOPLE = str(SAMPLE / "page.txt"), str(SAMPLE / "subscribers.csv")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which commands are typed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERROUND_ENRICH", "off")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.accept("F50", part="no installation", mutant="a-look-makes-an-installation")
@pytest.mark.parametrize(
    "command",
    [
        "deliver",
        "tick",
        "scheduler",
        "rank",
        "learn",
        "digest status",
        "digest send",
        "digest preview --out x",
        "digest test --to ada@example.org",
        "digest cancel --yes",
        "digest pause",
        "feeds list",
        "feeds run",
        "feeds remove hf --yes",
        "subscribers list",
        "subscribers export",
        "subscribers erase ada@example.org --yes",
        "suppressions add ada@example.org",
        "channels list",
        "bounces list",
        "keys list",
        "dkim rotate",
        "dkim show-dns",
        "db check",
        "db backup copy",
    ],
)
def test_any_other_command_says_that_there_is_none_and_makes_nothing(
    folder: Path, command: str
) -> None:
    said = run(*command.split())
    assert said.exit_code == 1
    assert isinstance(said.exception, Misconfigured)
    assert f"there is no installation in {folder / 'paperround-data'}" in str(said.exception)
    assert "`paperround init`" in str(said.exception)
    assert list(folder.iterdir()) == []


def test_the_doctor_finds_no_installation_and_makes_none(folder: Path) -> None:
    said = run("doctor")
    assert said.exit_code == 1
    assert "there is no installation" in said.stdout
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        f"ingest --file {PAGE}",
        "db upgrade",
        f"subscribers import {PEOPLE}",
        "subscribers add ada@example.org --consent-source paper",
        "feeds add hf --kind hf-daily --url http://127.0.0.1:9/daily",
        "keys create me",
        "init --yes --no-test-mail",
    ],
)
def test_a_command_that_fills_an_installation_makes_it(folder: Path, command: str) -> None:
    assert run(*command.split()).exit_code == 0
    assert (folder / "paperround-data" / "paperround.db").exists()
    assert run("subscribers", "list").exit_code == 0


# --- a demo's ----------------------------------------------------------------------------------


@pytest.fixture(params=["this version", "the version before"])
def of_a_demo(folder: Path, request: pytest.FixtureRequest) -> Path:
    """The folder that installations use, with a demo in it."""
    home = AppContext(Settings(), FixedClock(NOW), demo=True)
    if request.param == "this version":
        assert claim(database_of(home), now=NOW)
    else:
        assert begin(home.database, now=NOW)
    home.engine.dispose()
    return folder


@pytest.mark.accept("F60", part="demo", mutant="an-installation-takes-a-demos-database")
@pytest.mark.parametrize(
    "command",
    [
        "init --yes",
        "serve --port 0",
        "tick",
        "scheduler",
        "deliver",
        "digest send",
        "digest test --to ada@example.org",
        f"subscribers import {PEOPLE}",
        "subscribers add ada@example.org --consent-source paper",
        f"ingest --file {PAGE}",
    ],
)
def test_nothing_mails_from_the_database_of_a_demo(of_a_demo: Path, command: str) -> None:
    said = run(*command.replace("--port 0", "--port 8123").split())
    assert isinstance(said.exception, Conflict)
    assert "paperround-data/paperround.db is the database of a demo" in str(said.exception)
    assert "PAPERROUND_DATA_DIR" in str(said.exception)
    assert [path.name for path in of_a_demo.iterdir()] == ["paperround-data"]


def test_a_demo_claims_no_database_of_an_installation() -> None:
    home = AppContext(Settings(), FixedClock(NOW))
    assert not claim(home.database, now=NOW)
    home.engine.dispose()
    assert run("subscribers", "list").exit_code == 0
