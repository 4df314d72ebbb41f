"""Wait for what a process that was started is to bring about."""

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from tests.story.forked import Process

T = TypeVar("T")
PATIENCE = 300.0
PAUSE = 0.02


def until(look: Callable[[], T | None], *, process: Process | None = None) -> T:
    """What `look` finds, as soon as that is neither None, False nor empty.

    Fails after five minutes, and as soon as `process` has ended.
    """
    end = time.monotonic() + PATIENCE
    while not (found := look()):
        if process is not None and process.poll() is not None:
            raise AssertionError(f"the process has ended: {process.communicate()}")
        assert time.monotonic() < end, "it did not happen in time"
        Event().wait(PAUSE)
    return found
