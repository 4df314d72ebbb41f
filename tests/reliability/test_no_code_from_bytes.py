"""A whole day of the product runs no bytes it was given, whatever its libraries could do.

The interpreter tells of everything that would (PEP 578): the day is lived in processes that end at
the first class that a pickle names, and at the first other program that is started. The tables of
CLDR, which Babel has in its own package as pickles of its own classes, are as trusted as its code.
"""

import subprocess
from pathlib import Path

import pytest

from tests.story.command_line import SAMPLE, SOURCE, STORY_PYTHON

WATCH = """
import os, sys
FORBIDDEN = {"pickle.find_class", "os.system", "os.exec", "os.spawn", "os.posix_spawn", "os.fork",
             "os.forkpty", "pty.spawn", "subprocess.Popen"}
def watch(event, arguments):
    if event == "pickle.find_class" and arguments[0].startswith("babel."):
        return
    if event in FORBIDDEN:
        os.write(2, f"forbidden: {event} {arguments!r:.200}".encode())
        os._exit(99)
sys.addaudithook(watch)
"""
THE_PRODUCT = "from paperround.cli.app import app\napp(sys.argv[1:])\n"


def lived(folder: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "PAPERROUND_ENRICH": "off", **SOURCE}
    return subprocess.run(
        [STORY_PYTHON, "-c", WATCH + code, *arguments],
        cwd=folder,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.accept("C4", part="a whole day")
def test_a_day_of_commands_unpickles_nothing_and_starts_no_shell(tmp_path: Path) -> None:
    people = str(SAMPLE / "subscribers.csv")
    for arguments in (
        ("ingest", "--file", str(SAMPLE / "page.txt")),
        ("subscribers", "import", people),
        ("digest", "send"),
        ("deliver", "--until-empty"),
        ("tick",),
    ):
        done = lived(tmp_path, THE_PRODUCT, *arguments)
        assert "forbidden" not in done.stderr, f"{arguments}: {done.stderr}"
        assert done.returncode in (0, 1), f"{arguments}: {done.stderr}"
    assert list((tmp_path / "paperround-data" / "outbox").glob("*.eml"))


@pytest.mark.parametrize(
    "code",
    [
        "import pickle, fractions; pickle.loads(pickle.dumps(fractions.Fraction(1, 2)))",
        "import os; os.system('true')",
        "import subprocess; subprocess.run('true', shell=True)",
    ],
)
def test_the_watch_sees_what_it_looks_for(tmp_path: Path, code: str) -> None:
    assert lived(tmp_path, code).returncode == 99
