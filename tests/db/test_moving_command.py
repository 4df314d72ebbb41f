"""`paperround db move` as an operator meets it: nothing is sent twice, nothing is lost."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner, Result

from paperround.cli.app import app
from paperround.core.errors import PaperroundError
from tests.databases import opened
from tests.story.serving import free_port

pytestmark = pytest.mark.accept("F47", part="command")

PAPERS = [{"id": f"2601.0000{n}", "title": f"Paper {n}", "listed_on": "2026-01-30"} for n in (1, 2)]
MORNING, NOON = "2026-01-30T08:00:00Z", "2026-01-30T12:00:00Z"
AT_EXIT: list[Callable[[], object]] = []
NAMED = {"OPERATOR": "A test", "CONTACT": "keeper@example.org", "PRIVATE": "1"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three readers whose digests wait, on SQLite."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERROUND_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PAPERROUND_ENRICH", "off")
    monkeypatch.setattr("paperround.bootstrap.atexit.register", AT_EXIT.append)
    rows = [f"reader{n}@example.org,active,2026-01-05T09:00:00Z,a test" for n in range(3)]
    people = tmp_path / "people.csv"
    people.write_text("\n".join(["email,status,consent_at,consent_source", *rows]))
    papers = tmp_path / "papers.jsonl"
    papers.write_text("".join(json.dumps(paper) + "\n" for paper in PAPERS))
    assert run("ingest", "--file", str(papers)).exit_code == 0
    assert run("subscribers", "import", str(people)).exit_code == 0
    assert run("digest", "send", "--now", MORNING).exit_code == 0
    return tmp_path


@pytest.fixture
def url(new: str) -> str:
    """The empty database, as an operator writes it."""
    return make_url(new).set(drivername="postgresql").render_as_string(hide_password=False)


def run(*arguments: str, typed: str | None = None) -> Result:
    """Run a command to its end, at which a process of its own would close every connection."""
    try:
        return CliRunner().invoke(app, list(arguments), input=typed)
    finally:
        while AT_EXIT:
            AT_EXIT.pop()()


def said(*arguments: str) -> Any:
    done = run(*arguments, "--json")
    assert done.exception is None, done.exception
    return json.loads(done.stdout)


def refused(*arguments: str) -> str:
    done = run(*arguments)
    assert isinstance(done.exception, PaperroundError), done.output
    return str(done.exception)


def outbox(home: Path) -> set[str]:
    return {one.name for one in (home / "data" / "outbox").glob("*.eml")}


def set_it(monkeypatch: pytest.MonkeyPatch, told: dict[str, str]) -> None:
    """Set what the command said, and who sends."""
    for name, value in told.items() | {(f"PAPERROUND_{key}", it) for key, it in NAMED.items()}:
        monkeypatch.setenv(name, value)


@pytest.mark.accept("F47", part="nothing twice")
def test_what_was_sent_is_not_sent_again_and_what_waits_is_sent_once(
    home: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said("deliver", "--now", MORNING)["sent"] == 3
    more = home / "more.csv"
    more.write_text("email,status,consent_at,consent_source\nlate@example.org,active,2026-01-05,x")
    assert run("subscribers", "import", str(more)).exit_code == 0
    assert run("digest", "send", "--now", MORNING).exit_code == 0
    set_it(monkeypatch, said("db", "move", url)["set"])
    assert said("deliver", "--now", NOON)["sent"] == 4
    assert len(outbox(home)) == 4
    assert said("digest", "send", "--now", NOON)["added"] == 0
    assert "reader0@example.org" in run("subscribers", "history", "reader0@example.org").stdout


def test_digests_that_wait_leave_from_the_new_database(
    home: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = said("db", "move", url)["set"]
    assert said("db", "move", url)["moved"]
    set_it(monkeypatch, told)
    assert len(said("audit", "--action", "move database")["audit"]) == 1
    assert said("deliver", "--now", MORNING)["sent"] == 3
    assert len(outbox(home)) == 3


def end_at_once(_: object) -> None:
    raise SystemExit("it would go on for ever")


@pytest.mark.parametrize(
    "command", ["deliver", "tick", "serve --port {port}", "scheduler", "rank", "db check"]
)
def test_the_old_installation_sends_no_more(
    home: Path, url: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paperround.scheduler.Scheduler.start", end_at_once)
    assert run("db", "move", url).exit_code == 0
    words = refused(*command.format(port=free_port()).split())
    assert "set PAPERROUND_DATABASE_URL to postgresql://" in words
    assert len(words.splitlines()) == 1


def test_links_in_mails_of_before_still_work(
    home: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = (home / "data" / "secret_key").read_text()
    told = said("db", "move", url)["set"]
    assert Path(told["PAPERROUND_SECRET_KEY_FILE"]).read_text() == key
    assert told["PAPERROUND_DATABASE_URL"] == url


def test_it_says_what_to_do_next(home: Path, url: str) -> None:
    (home / "data" / "dkim.json").write_text("{}")
    words = run("db", "move", url).stdout
    for part in ("counts agree", f"PAPERROUND_DATABASE_URL={url}", "OPERATOR"):
        assert part in words
    assert f"a copy of {home / 'data' / 'dkim.json'}" in words
    assert "moved already" in run("db", "move", url).stdout


def test_a_dry_run_changes_nothing(home: Path, url: str) -> None:
    assert "nothing was changed" in run("db", "move", url, "--dry-run").stdout
    assert said("db", "move", url, "--dry-run") == {"moved": False, "database": url}
    assert said("deliver", "--now", MORNING)["sent"] == 3


def test_the_new_database_may_be_set_already(
    home: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERROUND_DATABASE_URL", url)
    assert said("db", "move")["moved"]


def test_a_password_need_not_stand_on_the_command_line(home: Path, url: str) -> None:
    done = run("db", "move", "-", typed=url.replace("postgres@", "postgres:open-sesame@") + "\n")
    assert "counts agree" in done.stdout
    assert "sesame" not in done.output
    assert f"PAPERROUND_DATABASE_URL={url}  with its password" in done.stdout


def test_without_a_database_to_move_to_it_is_wrong_usage(home: Path) -> None:
    done = run("db", "move")
    assert done.exit_code == 2
    assert "postgresql://USER@HOST/NAME" in done.output


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("nonsense", "is not a URL"),
        ("mysql://u@h/n", "Paperround supports sqlite and postgresql"),
        ("sqlite:///other.db", "postgresql://USER@HOST/NAME"),
        ("postgresql://nobody@127.0.0.1:9/none", "cannot be used"),
    ],
)
def test_a_wrong_url_is_one_clear_line(home: Path, place: str, words: str) -> None:
    assert words in refused("db", "move", place)


@pytest.mark.accept("D5", part="held")
def test_a_pause_after_a_restore_says_its_zone(home: Path) -> None:
    backup = str(home / "papers.backup")
    assert run("db", "backup", backup).exit_code == 0
    shutil.rmtree(home / "data")
    assert run("db", "restore", backup).exit_code == 0
    with opened(f"sqlite:///{home / 'data' / 'paperround.db'}") as engine, engine.connect() as link:
        [written] = link.exec_driver_sql("SELECT paused_at FROM lists").scalars()
    assert written.endswith("Z")
    assert "T" in written
