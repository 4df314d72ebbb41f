"""Many threads at once, for tests of what they must not lose."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from paperround.domain.errors import Conflict

THREADS = 8
LOST = "lost"
Result = TypeVar("Result")


def at_once(count: int, do: Callable[[int], Result]) -> list[Result | str]:
    """Run `do(0)`, `do(1)`, ... in as many threads, started together; a Conflict is `lost`."""
    barrier = threading.Barrier(count)

    def run(number: int) -> Result | str:
        barrier.wait()
        try:
            return do(number)
        except Conflict:
            return LOST

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
