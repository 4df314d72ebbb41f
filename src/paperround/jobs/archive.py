"""The editions of a list by month: every day that had one, and why some hold nothing.

Nothing is changed here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from paperround.domain.editions import EditionSummary
from paperround.domain.lists import MailingList
from paperround.jobs.daily import Days, Period, days_of_month, last_days
from paperround.jobs.site import why_quiet
from paperround.store.unit_of_work import Database, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveDay:
    """A day with its editions, the last first: `best` is the last one that holds papers, None where
    none does, and `quiet` says why then."""

    day: date
    editions: tuple[EditionSummary, ...]
    best: EditionSummary | None
    quiet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePage:
    """The days of a month, newest first. `earlier` and `later` are the next months, as
    `2026-02`, whose editions hold papers."""

    mailing_list: MailingList
    lists: tuple[MailingList, ...]
    month: str
    first: date
    days: tuple[ArchiveDay, ...]
    earlier: str
    later: str


def archive_page(database: Database, list_name: str, month: str, *, now: datetime) -> ArchivePage:
    """The editions of a month, `2026-02`, by default the newest that has some. Raises NotFound for
    the list, and InvalidInput for a month that is none."""
    with database.reading() as work:
        mailing_list = work.lists.get(list_name)
        first, last = days_of_month(month) if month else _newest_month(work, mailing_list, now)
        editions = work.editions.between(mailing_list.id, since=first, until=last)
        earlier = work.editions.recent(mailing_list.id, before=first, limit=1)
        later = work.editions.following(mailing_list.id, after=last)
        lists = tuple(work.lists.all())
    return ArchivePage(
        mailing_list=mailing_list,
        lists=lists,
        month=month_of(first),
        first=first,
        days=days_of(editions),
        earlier=month_of(earlier[0].day) if earlier else "",
        later=month_of(later.day) if later else "",
    )


def month_of(day: date) -> str:
    """`2026-02`, the month of a day."""
    return f"{day:%Y-%m}"


def _newest_month(work: UnitOfWork, mailing_list: MailingList, now: datetime) -> Days:
    _, day = last_days(work, mailing_list, Period.DAY, now)
    return days_of_month(month_of(day))


def days_of(editions: Iterable[EditionSummary]) -> tuple[ArchiveDay, ...]:
    """The days of editions, which are given newest first."""
    by_day = groupby(editions, key=lambda one: one.day)
    return tuple(_day(day, tuple(found)) for day, found in by_day)


def _day(day: date, editions: tuple[EditionSummary, ...]) -> ArchiveDay:
    best = next((one for one in editions if one.papers), None)
    quiet = "" if best is not None else why_quiet(editions[0])
    return ArchiveDay(day=day, editions=editions, best=best, quiet=quiet)
