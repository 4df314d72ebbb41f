"""How much a new sending domain may send on its first days. Pure.

Receivers trust a domain by what they saw of it: one that sends ten thousand mails on its first day
looks like a stolen one. The curve is Ghost's (domain-warming-service.ts): from 200 to 200,000 mails
a day over 42 days, the same factor every day.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from paperround.domain.times import end_of_day, local_date

FIRST_DAY = 200
LAST_DAY = 200_000
DAYS = 42


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """What may leave on a day that began at `since`."""

    since: datetime
    allowance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """A new sending domain whose first day is `start`, in `zone`."""

    start: date
    zone: str

    def today(self, now: datetime) -> Today | None:
        """What may leave on the day that is; None when as much as one likes."""
        day = local_date(now, self.zone)
        mails = allowance(self.start, day)
        if mails is None:
            return None
        return Today(since=end_of_day(day - timedelta(days=1), self.zone), allowance=mails)


def allowance(start: date, today: date) -> int | None:
    """How many mails may leave on `today` when `start` was the first day; None when as many as one
    likes: after the last day of the plan. Before the first it is as on the first."""
    day = max(0, (today - start).days)
    if day >= DAYS:
        return None
    factor: float = (LAST_DAY / FIRST_DAY) ** (day / (DAYS - 1))
    return round(FIRST_DAY * factor)
