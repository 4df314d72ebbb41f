"""A PostgreSQL server that tests started goes with them, however they end."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import postgres_programs
from tests.waiting import until

HOLDING = """
import sys
from tests.databases import postgres_server, run_on
with postgres_server() as server:
    run_on(server.url, "SELECT 1")
    print("ready", flush=True)
    sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(postgres_programs() is None, reason="needs PostgreSQL's programs")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in which servers put theirs, with a name that is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as folder:
        Path(folder).chmod(0o755)  # the server runs as somebody else where the tests are root's
        yield Path(folder)


def holder(place: Path) -> subprocess.Popen[str]:
    """A process that starts a server in `place`, says so, and waits for its input to end."""
    settings = {name: value for name, value in os.environ.items() if name != "TEST_DATABASE_URL"}
    return subprocess.Popen(
        [sys.executable, "-c", HOLDING],
        env=settings | {"TMPDIR": str(place)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def server_of(place: Path) -> int:
    """The process of the server there."""
    [file] = place.glob("pr-*/data/postmaster.pid")
    return int(file.read_text().partition("\n")[0])


def lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_a_server_ends_with_a_process_that_is_killed(place: Path) -> None:
    with holder(place) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        server = server_of(place)
        assert lives(server)
        process.kill()
    until(lambda: not lives(server))
    until(lambda: [*place.iterdir()] == [])


@pytest.mark.slow
@pytest.mark.parametrize("made", ["pr-*", "pr-*/data", "pr-*/data/postmaster.pid"])
def test_a_server_ends_with_a_process_that_is_killed_while_it_starts_it(
    place: Path, made: str
) -> None:
    with holder(place) as process:
        until(lambda: [*place.glob(made)])
        process.kill()
    until(lambda: [*place.iterdir()] == [])
