"""The commands of a page, typed in order in an empty folder, do what it says.

Blocks of `sh` are taken from the page as they are. Only `paperround` is run: `test_commands.py`
checks all other lines.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT, blocks_in
from tests.docs.shell import commands_in
from tests.docs.terminal import Terminal, offline

SETTINGS = """\
PAPERROUND_PRIVATE=1
PAPERROUND_OPERATOR=The reading group
PAPERROUND_CONTACT=you@example.org
PAPERROUND_MAIL_FROM=Paper digest <digest@papers.example.org>
"""
ENTERED = ("db upgrade", "subscribers import docs/sample/subscribers.csv")
FED = (*ENTERED, "feeds add --preset ml", "feeds run", "tick")
SLACK = "https://hooks.slack.com/services/T0/B0/abc"
DISCORD = "https://discord.com/api/webhooks/123/abc"


pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Scene:
    """What a page takes for granted: `settings`, the commands typed `before`, what stands for its
    words in capitals, what is `typed` when a command asks, and what is done by hand before or after
    a command."""

    before: tuple[str, ...] = ()
    settings: str = SETTINGS
    environment: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Callable[[Terminal], str]] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    earlier: Mapping[str, Callable[[Terminal], object]] = field(default_factory=dict)
    later: Mapping[str, Callable[[Terminal], object]] = field(default_factory=dict)
    exits: Mapping[str, int] = field(default_factory=dict)


def move_away(terminal: Terminal) -> None:
    """As the page on restoring says."""
    for file in terminal.folder.glob("paperround-data/paperround.db*"):
        file.rename(terminal.folder / file.name)


def write_once_toml(terminal: Terminal) -> None:
    """The first file of the page; a relay of the environment wins."""
    [first, *_] = [one.text for one in blocks_in("toml") if one.page == "docs/once.md"]
    terminal.folder.joinpath("once.toml").write_text(first)


def prefix_of_the_key(terminal: Terminal) -> str:
    """The key that the page has made."""
    [key] = terminal.json("keys", "list")["keys"]
    return str(key["prefix"])


def publish(terminal: Terminal) -> None:
    terminal.publish_dns()


NOBODY_THERE = "http://127.0.0.1:1"
"""The site's address: none that happens to run on this machine."""

ANSWERS_OF_INIT = "\n" * 20
SCENES = {
    "README.md": Scene(settings="", typed={"init": ANSWERS_OF_INIT}),
    "docs/api.md": Scene(before=ENTERED, words={"PREFIX": prefix_of_the_key}),
    "docs/channels.md": Scene(
        before=FED,
        typed={
            "channels add slack": f"{SLACK}\n",
            "channels add discord": f"{DISCORD}\n",
            "channels add telegram": "123456:abcdefghijklmnopqrstuvwxyzabcdefghi\n",
            "channels add webhook": "https://lab.example.org/hooks\n",
        },
    ),
    "docs/cli.md": Scene(before=FED),
    "docs/dkim.md": Scene(before=FED, later={"dkim": publish}),
    "docs/doctor.md": Scene(settings="", exits={"init": 1}),
    "docs/feeds.md": Scene(before=ENTERED),
    "docs/first-digest.md": Scene(settings="", typed={"init": ANSWERS_OF_INIT}),
    "docs/lists.md": Scene(before=FED),
    "docs/moving.md": Scene(before=ENTERED),
    "docs/once.md": Scene(
        environment={"PAPERROUND_SMTP_URL": "outbox:mails"}, earlier={"once": write_once_toml}
    ),
    "docs/operating.md": Scene(
        before=("db upgrade", "digest hold 60", *FED),
        words={"EMAIL": lambda _: "ada@example.org", "FILE": lambda _: "kept.backup"},
        earlier={"db restore kept.backup": move_away},
    ),
    "docs/ranking.md": Scene(before=FED),
}

NOT_RUN = {
    "serve": "runs until it is stopped: tests/story/test_serve.py",
    "demo": "runs until it is stopped: tests/story/test_demo.py",
    "db move": "needs PostgreSQL: tests/db/test_moving_command.py",
    "evaluate": "needs public counts: tests/evaluate/test_trending.py",
}
"""Commands that are only checked, and why."""


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERROUND_PUBLIC_URL", NOBODY_THERE)
    shutil.copytree(ROOT / "docs" / "sample", tmp_path / "docs" / "sample")
    with offline() as clock:
        yield Terminal(tmp_path, clock)


def lines_of(page: str) -> list[list[str]]:
    """The words behind every `paperround` of a page's blocks."""
    return [
        words[1:]
        for block in blocks_in("sh")
        if block.page == page
        for words in commands_in(block.text)
        if words[0] == "paperround" and words[1:2] != ["()"]
    ]


def chosen(of: Mapping[str, object], line: str) -> str:
    """The key of `of` that a line begins with; empty if there is none."""
    return next((one for one in of if f"{line} ".startswith(f"{one} ")), "")


@pytest.mark.accept("F50", part="examples of every page")
@pytest.mark.parametrize("page", SCENES)
def test_the_commands_of_a_page_do_what_it_says(
    terminal: Terminal, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = SCENES[page]
    for name, value in scene.environment.items():
        monkeypatch.setenv(name, value)
    if scene.settings:
        terminal.folder.joinpath(".env").write_text(scene.settings)
        terminal.folder.joinpath(".env").chmod(0o600)
    for line in scene.before:
        terminal.works(*line.split())
    for words in lines_of(page):
        typed = [scene.words[one](terminal) if one in scene.words else one for one in words]
        line = " ".join(typed)
        if chosen(NOT_RUN, line):
            continue
        if before := chosen(scene.earlier, line):
            scene.earlier[before](terminal)
        terminal.works(
            *typed,
            typed=scene.typed.get(chosen(scene.typed, line), ""),
            exit_code=scene.exits.get(chosen(scene.exits, line), 0),
        )
        if after := chosen(scene.later, line):
            scene.later[after](terminal)


def test_every_page_with_commands_is_run() -> None:
    pages = {one.page for one in blocks_in("sh")}
    run = {
        page
        for page in pages
        if any(not chosen(NOT_RUN, " ".join(words)) for words in lines_of(page))
    }
    assert run == SCENES.keys()


# --- what commands print -------------------------------------------------------------------------


def shape(text: str) -> str:
    """A text in which every number is the same."""
    return re.sub(r"\d[\d,.:TZ-]*\d|\d", "1", text)


def test_once_says_what_its_page_says(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERROUND_SMTP_URL", "outbox:mails")
    write_once_toml(terminal)
    [shown] = [one.text for one in blocks_in("sh") if "once --dry-run" in one.text]
    for line in shown.splitlines():
        command, _, said = line.partition("# ")
        told = terminal.works(*command.split()[1:])
        if "--dry-run" in command:
            assert terminal.folder.joinpath("digest.html").exists()
        else:
            assert shape(said) in shape(told)


def test_the_live_check_of_feeds_prints_lines_as_its_page_shows(terminal: Terminal) -> None:
    for line in FED:
        terminal.works(*line.split())
    [shown] = [one.text for one in blocks_in("text") if one.page == "docs/feeds.md"]
    form = re.compile(r"[\w-]+: .+ \(1 papers, 1 rejects, 1 bytes in 1 s\)")
    told = terminal.works("feeds", "check", "--live")
    assert told
    assert all(form.fullmatch(shape(one)) for one in (shown + told).splitlines())


def test_the_dns_record_of_a_key_looks_as_its_page_shows(terminal: Terminal) -> None:
    terminal.folder.joinpath(".env").write_text(SETTINGS)
    [shown] = [one.text for one in blocks_in("zone") if one.page == "docs/dkim.md"]
    [told] = [one for one in terminal.works("dkim", "create").splitlines() if "p=" in one]
    shown, told = (re.sub(r'p=[^"]*" "[^"]*"', "p=", one.strip()) for one in (shown, told))
    assert told == shown


OUTPUTS = {
    "ingest": "ingest --file docs/sample/page.txt",
    "rank": "rank --limit 3",
    "tick": "tick",
    "digest send": "digest send",
    "deliver": "deliver",
    "digest missed": "digest missed --date 2026-01-30",
    "digest why": "digest why",
    "digest cancel": "digest cancel --yes",
    "doctor": "doctor",
    "subscribers find": "subscribers find ada",
    "bounces read": "bounces read docs/sample/page.txt",
    "keys create": "keys create laptop --scope feeds:read",
    "audit": "audit",
}
"""How the commands are typed whose JSON the page on commands shows, in an order that suits them."""


@pytest.mark.accept("F60", part="the JSON that is documented")
def test_commands_print_the_json_that_their_page_shows(terminal: Terminal) -> None:
    terminal.folder.joinpath(".env").write_text(SETTINGS)
    for line in FED[:-2]:
        terminal.works(*line.split())
    shown = documented_json()
    assert shown.keys() == OUTPUTS.keys()
    for name, line in OUTPUTS.items():
        answer = json.loads(terminal.run(*line.split(), "--json").stdout)
        assert misfit(shown[name], answer, name) == []


def documented_json() -> dict[str, Any]:
    """By command, the outline of what it prints: a key without a value is null, one that stands for
    many is an asterisk."""
    [shown] = [one.text for one in blocks_in("text") if one.page == "docs/cli.md"]
    rows = [re.split(r" {2,}", line, maxsplit=1) for line in shown.splitlines()]
    return {name: json.loads(_as_json(outline)) for name, outline in rows}


def _as_json(outline: str) -> str:
    outline = re.sub(r"\{\w+: (?:\w+|(?=\{))", lambda one: _of_many(one[0]), outline)
    return re.sub(r'("\w+")(?=[,}])', r"\1: null", outline)


def _of_many(start: str) -> str:
    return '{"*": ' if start.endswith(" ") else '{"*": null'


def misfit(outline: Any, answer: Any, at: str) -> list[str]:
    """Where an answer has other keys than its outline."""
    if isinstance(outline, list) and isinstance(answer, list) and answer:
        return misfit(outline[0], answer[0], at) if outline else []
    if not isinstance(outline, dict) or not isinstance(answer, dict) or not outline:
        return []
    if "*" in outline:
        return [
            one for name in answer for one in misfit(outline["*"], answer[name], f"{at}.{name}")
        ]
    if outline.keys() != answer.keys():
        return [f"{at}: {sorted(answer)} is shown as {sorted(outline)}"]
    return [one for name in answer for one in misfit(outline[name], answer[name], f"{at}.{name}")]
