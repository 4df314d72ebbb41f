"""A site whose database restarts."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from paperround.db import engine as engines
from tests.reliability.accounts import ENDED, books
from tests.reliability.fleet import POLITE
from tests.story.command_line import CommandLine
from tests.story.forked import Process

T = TypeVar("T")
PATIENCE = 300.0


def is_over(url: str, people: int) -> bool:
    """Whether everybody's digest is planned, and no mail waits, alerts to the operator included."""
    with engines.opened(url) as engine:
        found = books(engine)
    return len(found.digests) >= people and {one.state for one in found.all} <= set(ENDED)


@contextmanager
def served(home: CommandLine, port: int, log: Path) -> Iterator[Process]:
    """The site's process, which must be alive at the end and stop when it is asked to."""
    with log.open("w") as file:
        process = home.start("serve", "--port", str(port), log=file)
    try:
        yield process
        assert process.poll() is None
        process.terminate()
        assert process.wait(timeout=POLITE) == 0
    finally:
        process.kill()
        process.wait()
