"""Sending again and again, with a rest after a round that had to stop.

Ten mails in a row that a relay refuses for what we are end a round. Whatever asks for mails to be
sent asks every few seconds, and a relay that is asked so often only trusts us less.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperround.domain.ports import Advance, Clock
from paperround.jobs.deliver import ASKED_TO_STOP, Post, deliver

log = logging.getLogger(__name__)

REST = timedelta(minutes=5)
"""As long as the first mail that was refused waits for its next try."""


@dataclass(slots=True)
class Sending:
    """The rounds of one process. `post` makes what each of them sends with; `on_first` is called
    in each once a mail has its outcome: whoever has nothing to do may join in."""

    post: Callable[[], Post]
    clock: Clock
    on_first: Callable[[], None] = lambda: None
    _until: datetime | None = None

    def send(self) -> None:
        """Send what is due, unless the last round had to stop just before."""
        now = self.clock.now()
        # A rest that seems longer than any: the clock was put back.
        if self._until is not None and timedelta(0) < self._until - now <= REST:
            return
        self._until = None
        stopped = deliver(self.post(), progress=_once(self.on_first)).stopped
        if stopped is not None and stopped != ASKED_TO_STOP:
            self._until = now + REST
            log.error("sending rests for %d minutes: %s", REST.seconds // 60, stopped)


def _once(call: Callable[[], None]) -> Advance:
    """Calls at the first step, and at no other."""
    waiting = [call]

    def advance(_: int) -> None:
        if waiting:
            waiting.pop()()

    return advance
