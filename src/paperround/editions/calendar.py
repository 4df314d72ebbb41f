"""Read the archive of a list as a calendar: the days of a year that have an edition."""

import re
from calendar import Calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from paperround.core.errors import invalid
from paperround.db.transactions import Database
from paperround.editions.archive import ArchiveDay, group_by_day
from paperround.editions.lists import MailingList
from paperround.editions.model import TrendingPeriod
from paperround.editions.periods import latest_days
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore

_YEAR = re.compile(r"[12]\d{3}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarMonth:
    """A month in weeks from Monday to Sunday; days of other months are None."""

    first: date
    weeks: tuple[tuple[date | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarPage:
    """The months of a year that have editions, and the editions by day. `earlier` and `later` are
    the nearest years with papers, None if there is none."""

    mailing_list: MailingList
    lists: tuple[MailingList, ...]
    year: int
    months: tuple[CalendarMonth, ...]
    days: Mapping[date, ArchiveDay]
    earlier: int | None
    later: int | None


def calendar_page(database: Database, list_name: str, year: str, *, now: datetime) -> CalendarPage:
    """Return the calendar of a year, `2026` (default: the newest with editions).

    Raises NotFound for the list, also for a private one, and InvalidInput for an invalid year.
    """
    if year and not _YEAR.fullmatch(year):
        raise invalid("year", "%(given)s is not a year: write it like 2026", given=year)
    with database.reading() as work:
        mailing_list = work[ListStore].get_public(list_name)
        newest = latest_days(work, mailing_list, TrendingPeriod.DAY, now)[1]
        shown = int(year) if year else newest.year
        first, last = date(shown, 1, 1), date(shown, 12, 31)
        editions = work[EditionStore].between(mailing_list.id, since=first, until=last)
        earlier = work[EditionStore].recent(mailing_list.id, before=first, limit=1)
        later = work[EditionStore].following(mailing_list.id, after=last)
        lists = tuple(work[ListStore].public())
    days = {one.day: one for one in group_by_day(editions)}
    months = sorted({day.month for day in days})
    return CalendarPage(
        mailing_list=mailing_list,
        lists=lists,
        year=shown,
        months=tuple(_month(shown, month) for month in months),
        days=days,
        earlier=earlier[0].day.year if earlier else None,
        later=later.day.year if later else None,
    )


def _month(year: int, month: int) -> CalendarMonth:
    weeks = Calendar().monthdatescalendar(year, month)
    return CalendarMonth(
        first=date(year, month, 1),
        weeks=tuple(tuple(day if day.month == month else None for day in week) for week in weeks),
    )
