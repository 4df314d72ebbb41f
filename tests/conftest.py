"""What every test may use. The environment is scrubbed, real data is read in place.

What tests write lies in memory where there is room for it: every commit of SQLite, every mail of an
outbox and every PostgreSQL waits for its disk, thousands of times. A process that is killed loses
nothing of it either. Set TMPDIR to have it elsewhere.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from tests import commands_once, migrated_once
from tests.compiled_once import CompiledOnce

MEMORY = Path("/dev/shm")  # noqa: S108 - a file system, in which pytest makes folders of its own
ENOUGH = 3 * 2**30


def has_room(folder: Path) -> bool:
    """Whether tests can work there: it has gigabytes, and what lies in it may be run."""
    try:
        runs = not os.statvfs(folder).f_flag & os.ST_NOEXEC
        return runs and shutil.disk_usage(folder).free >= ENOUGH and os.access(folder, os.W_OK)
    except OSError:
        return False


if "TMPDIR" not in os.environ and has_room(MEMORY):
    os.environ["TMPDIR"] = str(MEMORY)
    tempfile.tempdir = None

settings.register_profile("paperround", deadline=None)
settings.load_profile("paperround")
CompiledOnce().listen()
commands_once.start()
migrated_once.start()

pytest_plugins = [
    "tests.acceptance_plugin",
    "tests.databases",
    "tests.progress",
    "tests.sample_database",
    "tests.settled",
    "tests.tiers",
]

TEST_DATA = "PAPERROUND_TEST_DATA"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto` is a process more than there are processors: some tests mostly wait."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else 2


@pytest.fixture(autouse=True)
def scrubbed_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the person running the tests reaches them."""
    for name in list(os.environ):
        if name.startswith("PAPERROUND_") and name != TEST_DATA:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; tests that need it are skipped where it is missing."""
    return real_data_folder()


def real_data_folder() -> Path:
    named = os.environ.get(TEST_DATA)
    if not named:
        pytest.skip(f"needs real data: set {TEST_DATA} to the folder that holds it")
    folder = Path(named)
    if not (folder / "seed").is_dir():
        pytest.skip(f"needs real data: {TEST_DATA}={named} holds no seed folder")
    return folder
