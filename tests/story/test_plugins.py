"""The core runs without its plugins, and a package of somebody else adds a source."""

import json
import os
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import paperround
from paperround.core.plugins import plugins
from paperround.db.transactions import SqlDatabase
from paperround.feeds.model import FeedState, NewFeed, PollProgress
from paperround.feeds.sources.registry import Sources
from tests.builders import NOW
from tests.databases import sqlite_database, sqlite_template
from tests.feeds.feed_context import Room
from tests.story.command_line import SAMPLE, CommandLine

__all__ = ["sqlite_database", "sqlite_template"]

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "paperround-tidewater"
CORE_KINDS = ["hf-daily", "arxiv", "feed"]


def tree_without_plugins(folder: Path) -> Path:
    """A copy of the package without `plugins`, beside what belongs to a clone."""
    package = Path(paperround.__file__).parent
    without = shutil.ignore_patterns("plugins", "__pycache__")
    shutil.copytree(package, folder / "src" / "paperround", ignore=without)
    for name in ("templates", "translations", "migrations", "alembic.ini", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    return folder / "src"


@pytest.mark.accept("F64", part="the core alone", mutant="a-missing-plugin-is-listed")
def test_the_core_story_runs_with_the_folder_of_plugins_removed(tmp_path: Path) -> None:
    source = tree_without_plugins(tmp_path / "clone")
    home = CommandLine(tmp_path, environment={"PYTHONPATH": str(source)})
    assert [one["kind"] for one in home.json("feeds", "kinds")["kinds"]] == CORE_KINDS
    assert home.json("ingest", "--file", str(SAMPLE / "page.txt"))["new"] == 12
    assert home.json("subscribers", "import", str(SAMPLE / "subscribers.csv"))["new"] == 3
    assert home.json("digest", "send")["added"] == 2
    assert home.json("deliver", "--until-empty")["sent"] == 2
    assert len(home.outbox) == 2
    error = home.run("feeds", "add", "x", "--kind", "crossref", exit_code=1)
    assert "crossref" in error
    home.json("tick")
    assert "channels" not in home.json("digest", "status")["lists"][0]
    assert "channels" in home.run("channels", "list", exit_code=2)
    checks = {one["check"] for one in home.json("doctor")["checks"]}
    assert "database" in checks
    assert not checks & {"site", "outbox", "dns"}
    assert "move" in home.run("db", "move", exit_code=2)
    assert "demo" in home.run("demo", exit_code=2)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The example package, as an installer leaves it."""
    shutil.copy(EXAMPLE / "paperround_tidewater.py", tmp_path)
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    metadata = tmp_path / f"paperround_tidewater-{project['version']}.dist-info"
    metadata.mkdir()
    about = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (metadata / "METADATA").write_text(about)
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in project["entry-points"].items()
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins.cache_clear()
    yield tmp_path
    plugins.cache_clear()


@pytest.mark.accept("F64", part="a package outside the tree", mutant="only-our-plugins-are-found")
def test_a_package_of_somebody_else_adds_a_source_that_is_polled(
    installed: Path, sqlite_database: SqlDatabase
) -> None:
    room = Room(sqlite_database)
    papers = [
        {"doi": "10.5555/tide.1", "title": "Tides of ideas", "posted": "2026-01-26"},
        {"doi": "10.5555/tide.2", "title": ""},
    ]
    room.answers["tidewater.example"] = json.dumps({"papers": papers, "pages": 1}).encode()
    room.feed_context = replace(room.feed_context, sources=Sources({}))
    room.add(NewFeed(name="tides", kind="tidewater"))
    [report] = room.poll()
    assert (report.new, dict(report.rejects)) == (1, {"no-title": 1})


@pytest.mark.accept("F64", part="a package outside the tree")
def test_the_command_line_lists_a_source_of_somebody_else(installed: Path) -> None:
    path = os.pathsep.join([str(installed), str(Path(paperround.__file__).parents[1])])
    home = CommandLine(installed, environment={"PYTHONPATH": path})
    kinds = [one["kind"] for one in home.json("feeds", "kinds")["kinds"]]
    assert kinds[-1] == "tidewater"


@pytest.mark.accept("F64", part="a package outside the tree")
def test_the_example_asks_for_one_page_after_the_other(installed: Path) -> None:
    source = Sources({})["tidewater"]
    request = source.plan(FeedState(url=None, settings={"days": "2"}, progress=PollProgress()), NOW)
    assert request.url.startswith("https://tidewater.example/api/papers?since=2026-02-28")
    assert request.url.endswith("&page=1")


def test_a_plugin_that_cannot_be_loaded_costs_only_its_own_command(tmp_path: Path) -> None:
    (tmp_path / "broken_plugin.py").write_text("import a_package_nobody_has\n")
    metadata = tmp_path / "broken_plugin-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plugin\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[paperround.commands]\nsurvey = broken_plugin:app\nnowhere survey = json:dumps\n"
    )
    path = os.pathsep.join([str(tmp_path), str(Path(paperround.__file__).parents[1])])
    home = CommandLine(tmp_path, environment={"PYTHONPATH": path})
    assert home.json("ingest", "--file", str(SAMPLE / "page.txt"))["new"] == 12
    error = home.run("survey", exit_code=2)
    assert "the plugin survey (broken_plugin:app) cannot be loaded" in error
    assert "there is no group of commands called nowhere" in error
