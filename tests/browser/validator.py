"""The Nu Html Checker, the one behind the W3C's validator."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

MINUTES = 5


def faults(folder: Path) -> list[str]:
    """What the checker has to say of the pages in `folder`: errors, and warnings as well."""
    program = shutil.which("vnu")
    if program is None or shutil.which("java") is None:
        pytest.skip("needs the Nu Html Checker: npm install --global vnu-jar, and Java")
    pages = sorted(folder.glob("*.html"))
    done = subprocess.run(
        [program, "--stdout", "--format", "json", *map(str, pages)],
        capture_output=True,
        text=True,
        timeout=60 * MINUTES,
        check=False,
    )
    assert done.stdout, done.stderr
    return [
        f"{Path(one['url']).stem}:{one.get('lastLine')}: {one['message']}"
        for one in json.loads(done.stdout)["messages"]
    ]
