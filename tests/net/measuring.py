"""How much memory GETs take at most: `python -m tests.net.measuring SECONDS HOST:PORT PATH...`.

SECONDS is the time of each GET; the program fails when one takes more than a second longer.
"""

import json
import re
import sys
from pathlib import Path

from paperround.net.limits import Limits
from tests.net.clients import error_of


def most_memory() -> float:
    """MiB of memory this process had at most. Not ru_maxrss: a child inherits its parent's."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    assert found
    return int(found[1]) / 1024


def main(seconds: float, at: str, paths: list[str]) -> None:
    """Print the errors of all GETs, and by how many MiB they made this process grow."""
    limits = Limits(total=seconds)
    before = most_memory()
    errors = [type(error_of(f"http://{at}{path}", at, limits=limits)).__name__ for path in paths]
    print(json.dumps({"errors": errors, "grown_mib": most_memory() - before}))  # noqa: T201


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2], sys.argv[3:])
