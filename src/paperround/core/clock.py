"""Clocks. Only this module reads the system time; other code takes `now` as an argument."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from paperround.core.times import require_utc


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The system time."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that always returns `moment`, for `--now`.

    Raises ValueError when `moment` has no offset.
    """

    moment: datetime

    def __post_init__(self) -> None:
        require_utc(self.moment)

    def now(self) -> datetime:
        """Return `moment` in UTC."""
        return require_utc(self.moment)


@dataclass(frozen=True, slots=True)
class StartedClock:
    """A clock that starts at `moment` and runs: for `--now` in commands that have to wait."""

    moment: datetime
    since: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """Return `moment` plus the time since the clock was created, in UTC."""
        return require_utc(self.moment) + timedelta(seconds=time.monotonic() - self.since)
