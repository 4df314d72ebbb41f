"""The papers of a day, a week or a month, as programs ask for them. Nothing is changed here."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from paperround.domain.editions import ListedBy, Order, Placed
from paperround.domain.errors import InvalidInput, invalid
from paperround.domain.lists import MailingList
from paperround.domain.papers import Paper, PaperId
from paperround.domain.times import local_date, parse_date, week_name
from paperround.store.unit_of_work import Database, UnitOfWork

Days = tuple[date, date]
"""The first and the last day of a stretch, both in it."""


class Period(StrEnum):
    """How far back `trending` looks."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


_LENGTHS = {Period.DAY: 1, Period.WEEK: 7, Period.MONTH: 30}


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyPaper:
    """A paper as it stood in an edition, and as it is known today."""

    place: Placed
    paper: Paper


def days_of_week(text: str) -> Days:
    """Monday to Sunday of an ISO week, `2026-W09`. Raises InvalidInput."""
    first = _first_day(f"{text}-1")
    if first is None or week_name(first) != text:
        raise invalid("week", "%(given)s is not a week: write it like 2026-W09", given=text)
    return first, first + timedelta(days=6)


def days_of_month(text: str) -> Days:
    """The days of a month, `2026-02`. Raises InvalidInput."""
    first = _first_day(f"{text}-01")
    if first is None or f"{first:%Y-%m}" != text:
        raise invalid("month", "%(given)s is not a month: write it like 2026-02", given=text)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _first_day(text: str) -> date | None:
    with suppress(InvalidInput):
        return parse_date(text)
    return None


def days_of_date(text: str) -> Days:
    """One day, `2026-02-28`. Raises InvalidInput."""
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
    """The papers that a list may hold and that were listed on these days, each once. A paper that
    no source lists was listed when it was first read. Raises NotFound."""
    with database.reading() as work:
        mailing_list = work.lists.get(list_name)
        ids = work.papers.listed(mailing_list, order, days=days, by=now, limit=limit, offset=offset)
        papers = work.papers.load(ids) if ids else {}
        return [papers[one] for one in ids]


def trending_now(
    database: Database,
    list_name: str,
    period: Period,
    *,
    now: datetime,
    limit: int,
    offset: int = 0,
) -> tuple[MailingList, list[DailyPaper]]:
    """The list, and the papers with the highest scores they had in its editions of the period that
    ends with its newest one, best first. Raises NotFound."""
    with database.reading() as work:
        mailing_list = work.lists.get(list_name)
        days = last_days(work, mailing_list, period, now)
        places = work.editions.places(
            mailing_list.id, Order.RANKED, days=days, limit=limit, offset=offset
        )
        return mailing_list, _with_papers(work, places)


def last_days(work: UnitOfWork, mailing_list: MailingList, period: Period, now: datetime) -> Days:
    """The period that ends with the newest edition of the list."""
    newest = work.editions.recent(mailing_list.id, limit=1)
    last = newest[0].day if newest else local_date(now, mailing_list.zone)
    return last - timedelta(days=_LENGTHS[period] - 1), last


Counts = Mapping[str, int]
"""What was counted last of a paper, by signal; signals that nobody counted are left out."""


def counts_of(
    database: Database, papers: Sequence[PaperId], *, now: datetime
) -> Mapping[PaperId, Counts]:
    """What was counted last of these papers; those of which nothing was are left out."""
    with database.reading() as work:
        return work.history.latest(papers, by=now) if papers else {}


def _with_papers(work: UnitOfWork, places: Sequence[Placed]) -> list[DailyPaper]:
    ids = [one.paper.paper_id for one in places]
    papers = work.papers.load(ids) if ids else {}
    return [DailyPaper(place=one, paper=papers[one.paper.paper_id]) for one in places]
