"""Read the archive: the editions of a list by month."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby

from paperround.core.languages import marked
from paperround.db.transactions import Database, Transaction
from paperround.editions.lists import MailingList
from paperround.editions.model import (
    Edition,
    EditionId,
    EditionSummary,
    SkipReason,
    TrendingPeriod,
)
from paperround.editions.periods import (
    adjacent_periods,
    days_of_month,
    latest_days,
    month_of,
)
from paperround.editions.sections import order_for_all
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore

TITLES = 3
"""The number of titles that the archive shows per day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveDay:
    """A day with its editions, the last first.

    `last_filled` is the last one with papers, None if there is none; `quiet` then says why.
    `titles` are of the first papers of its digest.
    """

    day: date
    editions: tuple[EditionSummary, ...]
    last_filled: EditionSummary | None
    quiet: str
    titles: tuple[str, ...] = ()


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


def archive_page(
    database: Database, list_name: str, month: str, *, now: datetime, opened: bool = False
) -> ArchivePage:
    """Return the editions of a month, `2026-02` (default: the newest with editions).

    Raises NotFound for the list, also for a private one not `opened`, and InvalidInput for an
    invalid month.
    """
    with database.reading() as work:
        mailing_list = work[ListStore].get_public(list_name, opened=opened)
        if not month:
            month = month_of(latest_days(work, mailing_list, TrendingPeriod.DAY, now)[1])
        first, last = days_of_month(month)
        editions = work[EditionStore].between(mailing_list.id, since=first, until=last)
        earlier, later = adjacent_periods(
            work, mailing_list, TrendingPeriod.MONTH, (first, last), is_named=True
        )
        lists = tuple(work[ListStore].public())
        days = tuple(_with_titles(work, mailing_list, group_by_day(editions)))
    return ArchivePage(
        mailing_list=mailing_list,
        lists=lists,
        month=month,
        first=first,
        days=days,
        earlier=earlier.name if earlier else "",
        later=later.name if later else "",
    )


def group_by_day(editions: Iterable[EditionSummary]) -> tuple[ArchiveDay, ...]:
    """Group editions (newest first) by day."""
    days = []
    for day, group in groupby(editions, key=lambda one: one.day):
        of_day = tuple(group)
        last_filled = next((one for one in of_day if one.paper_count), None)
        quiet = "" if last_filled is not None else quiet_reason_text(of_day[0])
        days.append(ArchiveDay(day=day, editions=of_day, last_filled=last_filled, quiet=quiet))
    return tuple(days)


def _with_titles(
    work: Transaction, mailing_list: MailingList, days: Sequence[ArchiveDay]
) -> Iterator[ArchiveDay]:
    filled = [one.last_filled for one in days if one.last_filled is not None]
    titles = first_titles(work, mailing_list, filled)
    for one in days:
        shown = titles.get(one.last_filled.id, ()) if one.last_filled else ()
        yield replace(one, titles=shown)


def first_titles(
    work: Transaction, mailing_list: MailingList, editions: Sequence[EditionSummary]
) -> Mapping[EditionId, tuple[str, ...]]:
    """Return the first titles of the digest of each edition, in its order; the first is the subject
    of the email."""
    papers = work[EditionStore].first_papers([one.id for one in editions], mailing_list.size)
    titles = {}
    for one in editions:
        facts = papers.get(one.id, ())
        order = order_for_all(facts, one.as_of)[:TITLES]
        titles[one.id] = tuple(facts[at].title for at in order)
    return titles


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
