"""The version before runs on the schema of this one: its own tests say so, from the history."""

import os
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from paperround.core.paths import data_path
from tests.databases import PostgresServer

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = (
    "test_ledger.py",
    "test_ledger_due.py",
    "test_notices.py",
    "test_marks.py",
    "test_races.py",
    "test_stores_papers.py",
    "test_stores_editions.py",
    "test_stores_subscribers.py",
)
"""What planning, sending, leaving and reading papers do with the database."""


def git(*arguments: str) -> bytes:
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the history of a git clone")


def before_the_newest_migration() -> str:
    """The last commit that did not have the newest migration that is committed."""
    added = git("log", "--diff-filter=A", "--format=%H", "-1", "--", "migrations/versions")
    commit = added.decode().strip()
    if not commit:
        pytest.skip("needs a history with a migration in it")
    return f"{commit}~1"


@pytest.mark.long
@pytest.mark.accept("D10", part="previous release's tests")
def test_the_tests_of_the_version_before_pass_on_this_schema(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """Its code and its tests, with the migrations of today."""
    before = before_the_newest_migration()
    with tarfile.open(fileobj=BytesIO(git("archive", before))) as archive:
        archive.extractall(tmp_path, filter="data")
    shutil.rmtree(tmp_path / "migrations")
    shutil.copytree(data_path("migrations"), tmp_path / "migrations")
    own = tmp_path / "migrations" / "env.py"  # it calls the machinery of its own version
    own.write_bytes(git("show", f"{before}:migrations/env.py"))
    names = [str(Path("tests/contracts") / name) for name in CONTRACTS]
    there = [name for name in names if (tmp_path / name).exists()]
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path / 'src'}:{tmp_path}"}
    environment["TEST_DATABASE_URL"] = postgres.url
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "postgres", *there],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " passed" in done.stdout
