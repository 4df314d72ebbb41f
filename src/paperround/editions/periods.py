"""Calendar days, weeks and months of a list."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from paperround.core.errors import InvalidInput, invalid
from paperround.core.times import local_date, parse_date, week_name
from paperround.db.transactions import Transaction
from paperround.editions.lists import MailingList
from paperround.editions.model import TrendingPeriod
from paperround.editions.store.editions import EditionStore

Days = tuple[date, date]
"""The first and the last day of a period, inclusive."""


_PERIOD_DAYS = {TrendingPeriod.DAY: 1, TrendingPeriod.WEEK: 7, TrendingPeriod.MONTH: 30}


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPeriod:
    """A calendar day, week or month: its name in URLs, and its first day."""

    name: str
    first: date


def days_of_week(text: str) -> Days:
    """Return Monday and Sunday of an ISO week, `2026-W09`. Raises InvalidInput."""
    with suppress(InvalidInput):
        first = parse_date(f"{text}-1")
        if week_name(first) == text:
            return first, first + timedelta(days=6)
    raise invalid("week", "%(given)s is not a week: write it like 2026-W09", given=text)


def days_of_month(text: str) -> Days:
    """Return the first and last day of a month, `2026-02`. Raises InvalidInput."""
    with suppress(InvalidInput):
        first = parse_date(f"{text}-01")
        if month_of(first) == text:
            return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    raise invalid("month", "%(given)s is not a month: write it like 2026-02", given=text)


def days_of_date(text: str) -> Days:
    """Return one day, `2026-02-28`, as a period. Raises InvalidInput."""
    try:
        day = parse_date(text)
    except InvalidInput as error:
        raise InvalidInput(error.text, code="date") from None
    return day, day


def month_of(day: date) -> str:
    """Return the month of a day, `2026-02`."""
    return f"{day:%Y-%m}"


def period_name(period: TrendingPeriod, day: date) -> str:
    """Return the name of the period of `day` in URLs: `2026-03-02`, `2026-W10`, `2026-03`."""
    match period:
        case TrendingPeriod.DAY:
            return day.isoformat()
        case TrendingPeriod.WEEK:
            return week_name(day)
        case TrendingPeriod.MONTH:
            return month_of(day)


def period_days(period: TrendingPeriod, name: str) -> Days:
    """Return the days of a period, or of the one containing a date. Raises InvalidInput."""
    if period is TrendingPeriod.DAY:
        return days_of_date(name)
    with suppress(InvalidInput):  # not a date: already the name of a period
        name = period_name(period, parse_date(name))
    return days_of_week(name) if period is TrendingPeriod.WEEK else days_of_month(name)


def latest_days(
    work: Transaction, mailing_list: MailingList, period: TrendingPeriod, now: datetime
) -> Days:
    """Return the period that ends with the newest edition of the list."""
    newest = work[EditionStore].recent(mailing_list.id, limit=1)
    last = newest[0].day if newest else local_date(now, mailing_list.zone)
    return last - timedelta(days=_PERIOD_DAYS[period] - 1), last


def adjacent_periods(
    work: Transaction,
    mailing_list: MailingList,
    period: TrendingPeriod,
    days: Days,
    *,
    is_named: bool,
) -> tuple[NamedPeriod | None, NamedPeriod | None]:
    """Return the nearest periods with papers before and after; none after the latest days."""
    first, last = days
    earlier = work[EditionStore].recent(mailing_list.id, before=first, limit=1)
    later = work[EditionStore].following(mailing_list.id, after=last) if is_named else None

    def period_of(day: date) -> NamedPeriod:
        name = period_name(period, day)
        return NamedPeriod(name=name, first=period_days(period, name)[0])

    return period_of(earlier[0].day) if earlier else None, period_of(later.day) if later else None
