"""The documentation cannot go stale: what exists is described, and what is linked exists."""

import re
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from typer import Typer

from paperround.cli.app import app
from paperround.config import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)\s]*)?\)")


@cache
def documentation() -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def commands(group: Typer, words: str) -> Iterator[str]:
    """Every command of `group` as it is typed: `paperround digest send`."""
    for command in group.registered_commands:
        yield f"{words} {command.name or _spoken(command.callback)}"
    for inner in group.registered_groups:
        if inner.typer_instance is not None:
            yield from commands(inner.typer_instance, f"{words} {inner.name}")


def _spoken(function: Callable[..., object] | None) -> str:
    return getattr(function, "__name__", "").rstrip("_").replace("_", "-")


@pytest.mark.accept("F50", part="settings")
@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_every_setting_is_documented(field: str) -> None:
    name = PREFIX + field.upper()
    assert re.search(rf"\b{name}\b|`{field.upper()}`", documentation()), (
        f"{name} stands in no page: describe it in docs/settings.md"
    )


@pytest.mark.accept("F50", part="commands")
@pytest.mark.parametrize("line", list(commands(app, "paperround")))
def test_every_command_is_documented(line: str) -> None:
    words = line.removeprefix("paperround ")
    assert re.search(rf"(paperround |`){words}\b", documentation()), (
        f"`{line}` stands in no page: describe it in docs/cli.md"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    targets = [match[1] for match in LINK.finditer(page.read_text(encoding="utf-8"))]
    local = [target for target in targets if "://" not in target and ":" not in target[:8]]
    broken = [target for target in local if not (page.parent / target).exists()]
    assert not broken, f"{page.name} links to nothing: {broken}"


def test_the_change_log_has_a_place_for_what_is_not_released() -> None:
    assert "\n## Unreleased\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_word_of_run_that_a_page_uses_exists() -> None:
    usage = subprocess.run([ROOT / "run", "help"], capture_output=True, text=True, check=True)
    known = set(re.findall(r"^\./run ([a-z-]+)", usage.stdout, re.MULTILINE)) | {"help"}
    used = set(re.findall(r"\./run ([a-z][a-z-]*)", documentation()))
    assert used <= known, f"no such command of ./run: {sorted(used - known)}"
