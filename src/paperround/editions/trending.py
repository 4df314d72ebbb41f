"""Read the trending papers of a day, week or month, and the archive of editions."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby

from paperround.core.errors import InvalidInput, invalid
from paperround.core.languages import marked
from paperround.core.times import local_date, parse_date, week_name
from paperround.db.transactions import Database, Transaction
from paperround.editions.lists import MailingList
from paperround.editions.model import Edition, EditionSummary, ListedBy, Order, Placed, SkipReason
from paperround.editions.store.candidates import CandidateStore
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.history import HistoryStore
from paperround.editions.store.lists import ListStore
from paperround.papers.model import Paper, PaperId
from paperround.papers.store.papers import PaperStore

Days = tuple[date, date]
"""The first and the last day of a period, inclusive."""


class TrendingPeriod(StrEnum):
    """The length of a trending period."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


_PERIOD_DAYS = {TrendingPeriod.DAY: 1, TrendingPeriod.WEEK: 7, TrendingPeriod.MONTH: 30}


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyPaper:
    """A paper as frozen in an edition, and as it is today."""

    place: Placed
    paper: Paper


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


def listed_papers(
    database: Database,
    list_name: str,
    order: ListedBy,
    *,
    days: Days | None,
    now: datetime,
    limit: int,
    offset: int = 0,
) -> list[Paper]:
    """Return the papers of a list listed on these days. Raises NotFound.

    Without a listing date a paper counts from when it was first read.
    """
    with database.reading() as work:
        mailing_list = work[ListStore].get(list_name)
        ids = work[CandidateStore].listed(
            mailing_list, order, days=days, by=now, limit=limit, offset=offset
        )
        papers = work[PaperStore].load(ids) if ids else {}
        return [papers[one] for one in ids]


def trending_now(
    database: Database,
    list_name: str,
    period: TrendingPeriod,
    *,
    now: datetime,
    limit: int,
    offset: int = 0,
) -> tuple[MailingList, list[DailyPaper]]:
    """Return the list and its papers with the highest scores, best first. Raises NotFound.

    The period ends with the list's newest edition.
    """
    with database.reading() as work:
        mailing_list = work[ListStore].get(list_name)
        days = latest_days(work, mailing_list, period, now)
        places = work[EditionStore].places(
            mailing_list.id, Order.RANKED, days=days, limit=limit, offset=offset
        )
        papers = work[PaperStore].load([one.paper.paper_id for one in places]) if places else {}
    return mailing_list, [DailyPaper(place=one, paper=papers[one.paper.paper_id]) for one in places]


def latest_days(
    work: Transaction, mailing_list: MailingList, period: TrendingPeriod, now: datetime
) -> Days:
    """Return the period that ends with the newest edition of the list."""
    newest = work[EditionStore].recent(mailing_list.id, limit=1)
    last = newest[0].day if newest else local_date(now, mailing_list.zone)
    return last - timedelta(days=_PERIOD_DAYS[period] - 1), last


Counts = Mapping[str, int]
"""A paper's latest count by signal, without signals never counted."""


def counts_of(
    database: Database, papers: Sequence[PaperId], *, now: datetime
) -> Mapping[PaperId, Counts]:
    """Return the latest counts of these papers, without papers never counted."""
    with database.reading() as work:
        return work[HistoryStore].latest(papers, by=now) if papers else {}


# The archive: the editions of a list by month.


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveDay:
    """A day with its editions, the last first.

    `best` is the last one with papers, None if there is none; `quiet` then says why.
    """

    day: date
    editions: tuple[EditionSummary, ...]
    best: EditionSummary | None
    quiet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePage:
    """The days of a month, newest first. `earlier` and `later` are the nearest months with papers,
    as `2026-02`."""

    mailing_list: MailingList
    lists: tuple[MailingList, ...]
    month: str
    first: date
    days: tuple[ArchiveDay, ...]
    earlier: str
    later: str


def archive_page(database: Database, list_name: str, month: str, *, now: datetime) -> ArchivePage:
    """Return the editions of a month, `2026-02` (default: the newest with editions).

    Raises NotFound for the list, and InvalidInput for an invalid month.
    """
    with database.reading() as work:
        mailing_list = work[ListStore].get(list_name)
        if not month:
            month = month_of(latest_days(work, mailing_list, TrendingPeriod.DAY, now)[1])
        first, last = days_of_month(month)
        editions = work[EditionStore].between(mailing_list.id, since=first, until=last)
        earlier, later = _adjacent(
            work, mailing_list, TrendingPeriod.MONTH, (first, last), is_named=True
        )
        lists = tuple(work[ListStore].all())
    return ArchivePage(
        mailing_list=mailing_list,
        lists=lists,
        month=month,
        first=first,
        days=days_of(editions),
        earlier=earlier.name if earlier else "",
        later=later.name if later else "",
    )


def month_of(day: date) -> str:
    """Return the month of a day, `2026-02`."""
    return f"{day:%Y-%m}"


def days_of(editions: Iterable[EditionSummary]) -> tuple[ArchiveDay, ...]:
    """Group editions (newest first) by day."""
    days = []
    for day, group in groupby(editions, key=lambda one: one.day):
        of_day = tuple(group)
        best = next((one for one in of_day if one.papers), None)
        quiet = "" if best is not None else quiet_reason_text(of_day[0])
        days.append(ArchiveDay(day=day, editions=of_day, best=best, quiet=quiet))
    return tuple(days)


PAGE = 40
MOST_PAGES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPeriod:
    """A calendar day, week or month: its name in URLs, and its first day."""

    name: str
    first: date


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendingPage:
    """The papers of a period by their highest score.

    `name` is the period's name in URLs, empty for the latest days. `earlier` and `later` are the
    nearest periods with papers. `quiet` are the days without papers, set if the period has none.
    """

    mailing_list: MailingList
    period: TrendingPeriod
    name: str
    first: date
    last: date
    papers: tuple[Placed, ...]
    number: int
    is_last: bool
    earlier: NamedPeriod | None
    later: NamedPeriod | None
    quiet: tuple[ArchiveDay, ...]

    def name_of(self, period: TrendingPeriod) -> str:
        """Return the period of that kind in which this one starts; "" for the latest days."""
        return period_name(period, self.first) if self.name else ""

    @property
    def offset(self) -> int:
        """The number of papers on the previous pages."""
        return (self.number - 1) * PAGE


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


def trending_page(
    database: Database,
    list_name: str,
    period: TrendingPeriod,
    name: str,
    *,
    number: int = 1,
    now: datetime,
) -> TrendingPage:
    """Return page `number` of a period (default: the latest days).

    Raises NotFound for an unknown list, InvalidInput for an invalid period.
    """
    with database.reading() as work:
        mailing_list = work[ListStore].get(list_name)
        first, last = (
            period_days(period, name) if name else latest_days(work, mailing_list, period, now)
        )
        places = work[EditionStore].places(
            mailing_list.id,
            Order.RANKED,
            days=(first, last),
            limit=PAGE + 1,
            offset=(number - 1) * PAGE,
        )
        editions: Sequence[EditionSummary] = ()
        if not places:
            editions = work[EditionStore].between(mailing_list.id, since=first, until=last)
        earlier, later = _adjacent(work, mailing_list, period, (first, last), is_named=bool(name))
    return TrendingPage(
        mailing_list=mailing_list,
        period=period,
        name=period_name(period, first) if name else "",
        first=first,
        last=last,
        papers=tuple(places[:PAGE]),
        number=number,
        is_last=len(places) <= PAGE or number >= MOST_PAGES,
        earlier=earlier,
        later=later,
        quiet=days_of(editions),
    )


def _adjacent(
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


def quiet_reason_text(edition: Edition | EditionSummary | None) -> str:
    """Return why an edition has few or no papers; empty without a reason."""
    if edition is None:
        return marked("The first edition has not been made yet.")
    reason = edition.quiet_reason or edition.empty_reason
    return WORDS[SkipReason(reason)] if reason else ""


WORDS = {
    SkipReason.NO_NEW_PAPERS: marked("No new papers were listed since the last edition."),
    SkipReason.NO_PAPERS_AT_ALL: marked("No papers have been read yet."),
    SkipReason.HOLIDAY: marked("The sources announce nothing today: it is a weekend or a holiday."),
    SkipReason.FEED_STALE: marked("The sources have announced less than they usually do by now."),
    SkipReason.FEED_FAILED: marked("A source could not be read. We keep trying."),
}
"""Why a day has few or no papers, as shown to readers."""
