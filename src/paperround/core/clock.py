"""The one place that reads the clock. Everything else is handed `now`."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from paperround.core.times import require_utc


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still, for `--now`. Raises ValueError when `moment` has no offset."""

    moment: datetime

    def __post_init__(self) -> None:
        require_utc(self.moment)

    def now(self) -> datetime:
        """The instant it stands at, in UTC."""
        return require_utc(self.moment)


@dataclass(frozen=True, slots=True)
class StartedClock:
    """A clock that was put to `moment` when it was made, and goes on from there: where `--now` has
    to wait for something."""

    moment: datetime
    since: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """The instant it has come to, in UTC."""
        return require_utc(self.moment) + timedelta(seconds=time.monotonic() - self.since)
