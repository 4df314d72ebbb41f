"""How many rows to claim at a time.

A claim costs as much as a dozen mails, so many rows a claim are quicker. But the rows of a claim
wait in line, and must not wait for longer than their lease: so there are few at first, and more
only while each claim is used up within a moment.
"""

from datetime import datetime, timedelta

FEWEST = 50
MOST = 200
MOMENT = timedelta(seconds=1)
"""Within this a claim is used up quickly: even the most rows of one then wait for seconds."""


class ClaimSize:
    """The number of rows of the next claim of one run."""

    def __init__(self) -> None:
        self._size = FEWEST
        self._last: datetime | None = None
        self._was_full = False

    def at(self, now: datetime) -> int:
        """How many rows to claim now."""
        if self._was_full and self._last is not None:
            quick = timedelta(0) <= now - self._last <= MOMENT
            self._size = min(2 * self._size, MOST) if quick else FEWEST
        self._last = now
        return self._size

    def got(self, rows: int) -> None:
        """The claim brought that many."""
        self._was_full = rows >= self._size
