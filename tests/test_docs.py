"""The documentation cannot go stale: what exists is described, and what is linked exists."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from paperround.cli.app import app
from paperround.config import PREFIX, Settings
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


def test_every_word_of_run_that_a_page_uses_exists() -> None:
    usage = subprocess.run([ROOT / "run", "help"], capture_output=True, text=True, check=True)
    known = set(re.findall(r"^\./run ([a-z-]+)", usage.stdout, re.MULTILINE)) | {"help"}
    used = set(re.findall(r"\./run ([a-z][a-z-]*)", documentation()))
    assert used <= known, f"no such command of ./run: {sorted(used - known)}"
