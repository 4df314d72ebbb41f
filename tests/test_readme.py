"""What the README tells a newcomer to type works, in order, in an empty home.

Fenced blocks marked `sh` are run as one script with `set -eu`, but for those that ask questions or
start the service; tests/docs runs these. Lines that set up a clone (`./run ...`, `git clone`, `cd`)
are left out. A line that names FILE gets the real sample page, and the test is skipped where there
is none.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paperround.core.clock import StartedClock
from tests.conftest import real_data_folder
from tests.story.forked import CLOCKED

ROOT = Path(__file__).resolve().parents[1]
SATURDAY = datetime(2026, 2, 28, 9, tzinfo=UTC)
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NEEDS_A_PERSON = re.compile(r"^paperround (?:init|serve)\b", re.MULTILINE)
SET_UP = re.compile(r"\s*(?:\./run|git clone|cd|pip|uv)\b")
REAL_PAGE = "seed/trending_papers_page.txt"


def script(page: str) -> str:
    """The lines of a page that a newcomer types after setting up."""
    blocks = [block for block in BLOCK.findall(page) if not NEEDS_A_PERSON.search(block)]
    lines = [line for block in blocks for line in block.splitlines()]
    return "\n".join(line for line in lines if not SET_UP.match(line))


def with_real_file(lines: str) -> str:
    """The script with a real page of papers where it says FILE."""
    if not re.search(r"\bFILE\b", lines):
        return lines
    return re.sub(r"\bFILE\b", str(real_data_folder() / REAL_PAGE), lines)


def command_on(day: StartedClock, folder: Path) -> Path:
    """A folder that holds nothing but the `paperround` command, for which it is that day."""
    start = [sys.executable, str(CLOCKED), day.moment.isoformat(), repr(day.since), "paperround"]
    command = folder / "bin" / "paperround"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.join(start)} "$@"\n')
    command.chmod(0o755)
    return command.parent


def run(lines: str, folder: Path, day: datetime = SATURDAY) -> subprocess.CompletedProcess[str]:
    """Run `lines` in `folder`, which also is the home, with the command as it is on that day."""
    commands = command_on(StartedClock(day), folder)
    return subprocess.run(
        ["sh", "-eux", "-c", lines],
        cwd=folder,
        env={
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "PYTHONWARNINGS": "error",
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.accept(
    "C7", part="the README on a Saturday", mutant="a-sample-reader-rests-at-weekends"
)
@pytest.mark.accept("F50", part="examples of the README")
def test_the_readmes_examples_mail_both_readers_on_a_saturday(tmp_path: Path) -> None:
    lines = with_real_file(script((ROOT / "README.md").read_text(encoding="utf-8")))
    assert "paperround " in lines, "the README shows no command: mark its examples ```sh"
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    result = run(lines, tmp_path)
    assert result.returncode == 0, result.stderr
    assert len(list(tmp_path.glob("paperround-data/outbox/*.eml"))) == 2
