"""When a source that lists papers on working days ought to have its next batch."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from paperround.domain.times import require_utc

_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """A batch on every Monday to Friday, readable at `at` in `zone`, but not on `quiet` days.

    What comes up to `early` before that is this batch: the next one is expected after it.
    """

    zone: ZoneInfo
    at: time
    quiet: Collection[date] = ()
    early: timedelta = timedelta()

    def next_after(self, moment: datetime) -> datetime:
        """The instant, in UTC, at which the first batch after what came at `moment` ought to be
        readable."""
        after = require_utc(moment) + self.early
        first = after.astimezone(self.zone).date()
        instants = (self.on(first + n * _DAY) for n in count() if self._has(first + n * _DAY))
        return next(instant for instant in instants if instant > after)

    def rests(self, moment: datetime) -> bool:
        """Whether no batch comes on the day that `moment` falls on in the source's zone."""
        return not self._has(require_utc(moment).astimezone(self.zone).date())

    def _has(self, day: date) -> bool:
        return day.weekday() < _SATURDAY and day not in self.quiet

    def on(self, day: date) -> datetime:
        """When the batch of this day ought to be readable, in UTC, whether there is one or not."""
        return datetime.combine(day, self.at, tzinfo=self.zone).astimezone(UTC)
