"""How much memory GETs take at most: `python -m tests.http.measuring SECONDS HOST:PORT PATH...`.

SECONDS is the time of each GET; the program fails when one takes more than a second longer.
"""

import json
import re
import sys
import time
from pathlib import Path

from paperround.core.errors import FetchFailed
from paperround.http.model import FetchRequest
from paperround.http.transport import FetchLimits
from tests.http.clients import guarded


def most_memory() -> float:
    """MiB of memory this process had at most. Not ru_maxrss: a child inherits its parent's."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    assert found
    return int(found[1]) / 1024


def failed(address: str, at: str, limits: FetchLimits) -> str:
    """The kind of error of a GET that has to fail in time. What pytest's `raises` catches would
    keep the body in memory, until the garbage of that GET is collected."""
    started = time.monotonic()
    with guarded(at, limits=limits) as client:
        try:
            client.get(FetchRequest(url=address))
        except FetchFailed as error:
            assert time.monotonic() - started <= limits.total + 1
            return type(error).__name__
    raise AssertionError(f"{address} did not fail")


def main(seconds: float, at: str, paths: list[str]) -> None:
    """Print the errors of all GETs, and by how many MiB they made this process grow."""
    limits = FetchLimits(total=seconds)
    before = most_memory()
    errors = [failed(f"http://{at}{path}", at, limits) for path in paths]
    print(json.dumps({"errors": errors, "grown_mib": most_memory() - before}))  # noqa: T201


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2], sys.argv[3:])
