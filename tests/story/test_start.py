"""What commands load before they do anything."""

import subprocess
from pathlib import Path

import pytest

from paperround.core.times import format_instant
from tests.builders import NOW
from tests.story.command_line import SOURCE, STORY_PYTHON, CommandLine

HEAVY = ("alembic", "numpy", "scipy", "sklearn", "fastapi", "mako", "lxml")
UNNEEDED_FOR_HELP = (*HEAVY, "sqlalchemy", "pydantic", "jinja2", "uvicorn")

LOADED = """
import sys
from paperround.cli.app import app
app(sys.argv[1:], standalone_mode=False)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def loaded(folder: Path, *arguments: str) -> set[str]:
    """The packages that a command has loaded at its end."""
    done = subprocess.run(
        [STORY_PYTHON, "-c", LOADED, *arguments],
        cwd=folder,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "PAPERROUND_ENRICH": "off", **SOURCE},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.accept("B17", part="loaded")
@pytest.mark.parametrize("command", ["deliver", "digest status", "digest missed"])
def test_a_command_does_not_load_what_it_does_not_need(tmp_path: Path, command: str) -> None:
    CommandLine(tmp_path, {}).run("db", "upgrade")
    assert not loaded(tmp_path, *command.split(), "--now", format_instant(NOW)) & set(HEAVY)


@pytest.mark.accept("B17", part="help", mutant="help-loads-the-database")
def test_help_loads_only_the_names_of_commands(tmp_path: Path) -> None:
    assert not loaded(tmp_path, "--help") & set(UNNEEDED_FOR_HELP)
