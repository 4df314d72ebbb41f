"""The one place that reads the clock. Everything else is handed `now`."""

from dataclasses import dataclass
from datetime import UTC, datetime

from paperround.domain.times import require_utc


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
