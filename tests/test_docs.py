"""The documentation cannot go stale: what exists is described, and what is linked exists."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from paperround.cli.app import app
from paperround.config import PREFIX, Settings
from paperround.db.schema.tables import metadata
from tests.documented import commands

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)\s]*)?\)")


@cache
def documentation() -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


@pytest.mark.accept("F50", part="settings")
def test_every_setting_is_documented() -> None:
    known = [field.upper() for field in sorted(Settings.model_fields)]
    silent = [one for one in known if not re.search(rf"\b{PREFIX}{one}\b|`{one}`", documentation())]
    assert silent == [], "describe these in docs/settings.md"


@pytest.mark.accept("F50", part="commands")
def test_every_command_is_documented() -> None:
    known = [line.removeprefix("paperround ") for line in commands(app, "paperround")]
    silent = [one for one in known if not re.search(rf"(paperround |`){one}\b", documentation())]
    assert silent == [], "describe these in docs/cli.md"


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = [f"{page.name}: {link}" for page in PAGES for link in links_to_nothing(page)]
    assert broken == []


def links_to_nothing(page: Path) -> list[str]:
    targets = [match[1] for match in LINK.finditer(page.read_text(encoding="utf-8"))]
    local = [target for target in targets if "://" not in target and ":" not in target[:8]]
    return [target for target in local if not (page.parent / target).exists()]


def test_every_link_to_a_heading_leads_to_one() -> None:
    pages = [page for page in PAGES if page.name != "CHANGELOG.md"]
    broken = [f"{page.name}: {link}" for page in pages for link in links_to_no_heading(page)]
    assert broken == []


def links_to_no_heading(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)", text)
    return [
        f"{to}#{name}"
        for to, name in links
        if name not in anchors(page.parent / to if to else page)
    ]


@cache
def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_index_leads_to_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    missing = [
        page.name for page in PAGES if page.parent.name == "docs" and f"({page.name}" not in index
    ]
    assert missing == ["index.md"]


def test_every_word_of_run_that_a_page_uses_exists() -> None:
    usage = subprocess.run([ROOT / "run", "help"], capture_output=True, text=True, check=True)
    known = set(re.findall(r"^\./run ([a-z-]+)", usage.stdout, re.MULTILINE)) | {"help"}
    used = set(re.findall(r"\./run ([a-z][a-z-]*)", documentation()))
    assert used <= known, f"no such command of ./run: {sorted(used - known)}"


def test_the_page_on_privacy_lists_every_table() -> None:
    page = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    personal, _, others = page.partition("## Tables that hold nothing about a reader")
    listed = set(re.findall(r"`(\w+)`", others.partition("## Outside")[0]))
    listed |= {
        name
        for row in re.findall(r"^\| (`.*?) \|", personal, re.M)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert listed == set(metadata.tables)


def test_the_table_of_packages_is_that_of_the_tree() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = page.partition("```text")[2].partition("```")[0]
    named = set(re.findall(r"\b[a-z_]+\b", re.sub(r" {3,}.*", "", picture)))
    package = ROOT / "src" / "paperround"
    there = {one.name for one in package.iterdir() if (one / "__init__.py").exists()}
    assert named == there | {"config", "scheduler"}


def test_files_that_the_page_on_architecture_names_exist() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`(?!tests/)([a-z_]+/[a-z_/]+\.py)`", page)
    assert named
    assert [one for one in named if not (ROOT / "src" / "paperround" / one).exists()] == []
