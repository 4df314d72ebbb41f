"""The periods that Daily Papers are listed by: days, ISO weeks and months, as its API writes them.

`2026-01-28` by `date`, `2026-W05` by `week`, `2026-01` by `month`. The year of a week is its own:
1 January 2027 is in `2026-W53`.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

_DAY = timedelta(days=1)


class PeriodKind(StrEnum):
    """What is asked for at once."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def parameter(self) -> str:
        """The API's name for it."""
        return "date" if self is PeriodKind.DAY else self.value

    @property
    def most_pages(self) -> int:
        """Pages of a hundred after which a list cannot be real: a weekday has about ninety."""
        return 50 if self is PeriodKind.MONTH else 20

    def of(self, day: date) -> "Period":
        """The period of this kind that `day` is in."""
        if self is PeriodKind.WEEK:
            return Period(kind=self, first=day - day.weekday() * _DAY)
        return Period(kind=self, first=day.replace(day=1) if self is PeriodKind.MONTH else day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A day, a week from its Monday or a month from its first day."""

    kind: PeriodKind
    first: date

    def __str__(self) -> str:
        if self.kind is PeriodKind.WEEK:
            year, week, _ = self.first.isocalendar()
            return f"{year}-W{week:02}"
        return f"{self.first:%Y-%m}" if self.kind is PeriodKind.MONTH else str(self.first)

    @property
    def before(self) -> "Period":
        """The period that ends where this one begins."""
        return self.kind.of(self.first - _DAY)

    def since(self, earlier: "Period") -> int:
        """How many periods lie between the beginnings of `earlier` and of this one."""
        if self.kind is PeriodKind.MONTH:
            years = self.first.year - earlier.first.year
            return 12 * years + self.first.month - earlier.first.month
        length = 7 if self.kind is PeriodKind.WEEK else 1
        return (self.first - earlier.first).days // length
