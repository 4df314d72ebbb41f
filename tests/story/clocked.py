"""Runs `python -m MODULE ARGUMENTS` with the clock that a test has set.

    python clocked.py MOMENT SINCE MODULE [ARGUMENT ...]

The process reads a clock that showed MOMENT when the machine's monotonic clock showed SINCE.
Processes that get the same two agree on the time, whatever the day is today.
"""

import runpy
import sys
from datetime import datetime


def set_clock(moment: str, since: float) -> None:
    """Let this process read the time from a clock that showed `moment` at `since`."""
    from paperround.clock import StartedClock, SystemClock

    clock = StartedClock(datetime.fromisoformat(moment), since)
    SystemClock.now = lambda _: clock.now()  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    sys.path[0] = ""
    _, start, shown, command, *sys.argv[1:] = sys.argv
    set_clock(start, float(shown))
    runpy.run_module(command, run_name="__main__", alter_sys=True)
