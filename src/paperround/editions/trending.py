"""Read the trending papers of a day, week or month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from paperround.db.transactions import Database
from paperround.editions.archive import ArchiveDay, group_by_day
from paperround.editions.lists import MailingList
from paperround.editions.model import EditionSummary, ListedBy, Order, Placed, TrendingPeriod
from paperround.editions.periods import (
    Days,
    NamedPeriod,
    adjacent_periods,
    latest_days,
    period_days,
    period_name,
)
from paperround.editions.store.candidates import CandidateStore
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.history import HistoryStore
from paperround.editions.store.lists import ListStore
from paperround.papers.model import Paper, PaperId
from paperround.papers.store.papers import PaperStore


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyPaper:
    """A paper as frozen in an edition, and as it is today."""

    place: Placed
    paper: Paper


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
        mailing_list = work[ListStore].get_public(list_name)
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
        mailing_list = work[ListStore].get_public(list_name)
        days = latest_days(work, mailing_list, period, now)
        places = work[EditionStore].places(
            mailing_list.id, Order.RANKED, days=days, limit=limit, offset=offset
        )
        papers = work[PaperStore].load([one.paper.paper_id for one in places]) if places else {}
    return mailing_list, [DailyPaper(place=one, paper=papers[one.paper.paper_id]) for one in places]


Counts = Mapping[str, int]
"""A paper's latest count by signal, without signals never counted."""


def counts_of(
    database: Database, papers: Sequence[PaperId], *, now: datetime
) -> Mapping[PaperId, Counts]:
    """Return the latest counts of these papers, without papers never counted."""
    with database.reading() as work:
        return work[HistoryStore].latest(papers, by=now) if papers else {}


PAGE = 40

MOST_PAGES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendingPage:
    """The papers of a period by their highest score.

    `name` is the period's name in URLs, empty for the latest days. `earlier` and `later` are the
    nearest periods with papers. `quiet` are the days without papers, set if the period has none.
    """

    mailing_list: MailingList
    lists: tuple[MailingList, ...]
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


def trending_page(
    database: Database,
    list_name: str,
    period: TrendingPeriod,
    name: str,
    *,
    number: int = 1,
    now: datetime,
    opened: bool = False,
) -> TrendingPage:
    """Return page `number` of a period (default: the latest days).

    Raises NotFound for an unknown list, and for a private one that is not `opened`, InvalidInput
    for an invalid period.
    """
    with database.reading() as work:
        mailing_list = work[ListStore].get_public(list_name, opened=opened)
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
        earlier, later = adjacent_periods(
            work, mailing_list, period, (first, last), is_named=bool(name)
        )
        lists = tuple(work[ListStore].public())
    return TrendingPage(
        mailing_list=mailing_list,
        lists=lists,
        period=period,
        name=period_name(period, first) if name else "",
        first=first,
        last=last,
        papers=tuple(places[:PAGE]),
        number=number,
        is_last=len(places) <= PAGE or number >= MOST_PAGES,
        earlier=earlier,
        later=later,
        quiet=group_by_day(editions),
    )
