"""Processes that serve and send, and a relay that lets them stop."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import Action, SmtpSink
from tests.story.command_line import CommandLine
from tests.story.forked import Process

POLITE = 30.0
"""Seconds a process may take to end once it was asked to."""


class PoliteSink(SmtpSink):
    """Takes every message; at the n-th it asks the sender, politely, to stop."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.victim: Process | None = None
        self.asked_at: float | None = None
        self._left = at

    def next_action(self, stage: str) -> Action | None:
        self._left -= stage == "dot"
        if self._left <= 0 and self.victim is not None and self.asked_at is None:
            self.asked_at = time.monotonic()
            self.victim.send_signal(signal.SIGTERM)
        return super().next_action(stage)


@contextmanager
def running(home: CommandLine, *arguments: str) -> Iterator[Process]:
    """A process that is gone at the end, whatever happens."""
    process = home.start(*arguments)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: Process) -> str:
    """What it said on standard error; it must end well."""
    _, err = process.communicate(timeout=POLITE)
    assert process.returncode == 0, err
    return err
