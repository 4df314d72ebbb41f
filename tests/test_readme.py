"""What the README tells a newcomer to type works, in order, in an empty home.

Fenced blocks marked `sh` are run as one script with `set -eu`; blocks marked `text` are only read.
Lines that set up a clone (`./run ...`, `git clone`, `cd`) are left out. A line that names FILE gets
the real sample page, and the test is skipped where there is none.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import real_data_folder

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SET_UP = re.compile(r"\s*(?:\./run|git clone|cd|pip|uv)\b")
REAL_PAGE = "seed/trending_papers_page.txt"


def script(page: str) -> str:
    """The lines of a page that a newcomer types after setting up."""
    lines = [line for block in BLOCK.findall(page) for line in block.splitlines()]
    return "\n".join(line for line in lines if not SET_UP.match(line))


def with_real_file(lines: str) -> str:
    """The script with a real page of papers where it says FILE."""
    if not re.search(r"\bFILE\b", lines):
        return lines
    return re.sub(r"\bFILE\b", str(real_data_folder() / REAL_PAGE), lines)


def run(lines: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `lines` in `folder`, which also is the home, with this environment's commands."""
    return subprocess.run(
        ["sh", "-eux", "-c", lines],
        cwd=folder,
        env={
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "PYTHONWARNINGS": "error",
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.accept("F50", part="examples of the README")
def test_the_readmes_examples_run_in_order(tmp_path: Path) -> None:
    lines = with_real_file(script((ROOT / "README.md").read_text(encoding="utf-8")))
    assert "paperround " in lines, "the README shows no command: mark its examples ```sh"
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    result = run(lines, tmp_path)
    assert result.returncode == 0, result.stderr


def test_set_up_lines_and_text_blocks_are_left_out() -> None:
    page = "```sh\ngit clone x\ncd x\n./run test\npaperround a \\\n  --b\n```\n```text\nno\n```\n"
    assert script(page) == "paperround a \\\n  --b"


def test_a_failing_example_is_noticed_and_shown(tmp_path: Path) -> None:
    result = run("echo fine\nls no-such-file\necho never", tmp_path)
    assert result.returncode != 0
    assert "+ ls no-such-file" in result.stderr
    assert "never" not in result.stdout
