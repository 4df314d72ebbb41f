"""Runs `python -m MODULE ARGUMENTS` with the clock that a test has set.

    python clocked.py MOMENT SINCE MODULE [ARGUMENT ...]

The process reads a clock that showed MOMENT when the machine's monotonic clock showed SINCE.
Processes that get the same two agree on the time, whatever the day is today. The process finds no
name in the network.
"""

import runpy
import socket
import sys
from datetime import datetime
from ipaddress import ip_address
from typing import Any


def cut_off() -> None:
    """Let this process find no name but those of this machine: no test reaches the network."""
    known = socket.getaddrinfo

    def getaddrinfo(host: Any, *more: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in (None, "", "localhost") and not _is_address(name):
            raise socket.gaierror(socket.EAI_NONAME, "no test reaches the network")
        return known(host, *more, **options)

    socket.getaddrinfo = getaddrinfo


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def set_clock(moment: str, since: float) -> None:
    """Let this process read the time from a clock that showed `moment` at `since`."""
    from paperround.core.clock import StartedClock, SystemClock

    clock = StartedClock(datetime.fromisoformat(moment), since)
    SystemClock.now = lambda _: clock.now()  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    sys.path[0] = ""
    _, start, shown, command, *sys.argv[1:] = sys.argv
    set_clock(start, float(shown))
    cut_off()
    runpy.run_module(command, run_name="__main__", alter_sys=True)
