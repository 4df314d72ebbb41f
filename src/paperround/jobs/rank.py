"""Rank: what a list would hold at a moment, with every position explained."""

from dataclasses import dataclass
from datetime import date, datetime

from paperround.domain.editions import Ranking
from paperround.domain.lists import MailingList, Window, window_of
from paperround.domain.times import local_date
from paperround.jobs.ports import Ranker
from paperround.store.unit_of_work import Database

BACKGROUND = 5000
"""Earlier papers that a topic's burst is measured against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRanking:
    """A ranking and what it is of."""

    mailing_list: MailingList
    day: date
    window: Window
    ranking: Ranking
    papers_known: int


def rank_list(
    *, database: Database, ranker: Ranker, list_name: str, day: date | None, now: datetime
) -> ListRanking:
    """Rank the candidates of `list_name` as known at the end of `day` (default: today), or `now`.

    Raises NotFound when there is no such list.
    """
    with database.reading() as work:
        mailing_list = work.lists.get(list_name)
        day = day or local_date(now, mailing_list.zone)
        window = window_of(mailing_list, day, now)
        candidates = work.papers.candidates(mailing_list, window)
        background = work.papers.background(window.start, limit=BACKGROUND)
        known = work.papers.count()
    ranking = ranker.rank(
        candidates,
        background=background,
        as_of=window.as_of,
        submitter_cap=mailing_list.submitter_cap,
    )
    return ListRanking(
        mailing_list=mailing_list, day=day, window=window, ranking=ranking, papers_known=known
    )
