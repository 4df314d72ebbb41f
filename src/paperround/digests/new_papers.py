"""Count the papers that were new when a digest was planned, and those of them that it holds.

    papers that a feed first brought since the digest before ─► in the reader's fields ─► counts

A reader who is told how much they did not have to read can stop reading the listings. A wrong
number would break that promise, so there is none while a feed is out of reach.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from paperround.core.reasons import read_reason
from paperround.core.times import end_of_day
from paperround.db.transactions import Transaction
from paperround.digests.model import covered_days
from paperround.editions.lists import MailingList, Window
from paperround.editions.model import Edition, NewPapers, SkipReason, TrendingPeriod
from paperround.editions.store.candidates import CandidateStore
from paperround.papers.model import PaperId
from paperround.personal.keyword_index import with_parents
from paperround.subscribers.model import Frequency, Subscription

_OUT_OF_REACH = frozenset({SkipReason.FEED_STALE.value, SkipReason.FEED_FAILED.value})
_LISTED_BEFORE = timedelta(days=1)
"""How long before it was first seen a paper may be listed: a feed may give the day alone. An older
one comes from an archive that was read today."""
_MONDAY, _WEEKEND, _WEEK = 0, timedelta(days=3), timedelta(days=7)


class NewPaperCounter:
    """The papers that were new in one window, with the counts of readers who share fields."""

    def __init__(self, categories: Mapping[PaperId, tuple[str, ...]]) -> None:
        self._all = frozenset(categories)
        self._in: dict[str, set[PaperId]] = defaultdict(set)
        for paper, names in categories.items():
            for name in with_parents(names):
                self._in[name].add(paper)
        self._of_fields: dict[tuple[str, ...], frozenset[PaperId]] = {(): self._all}
        self._counts: dict[tuple[object, ...], NewPapers | None] = {}

    def count(self, fields: tuple[str, ...], papers: tuple[PaperId, ...]) -> NewPapers | None:
        """Return the counts of a digest of `papers`, None if nothing was new in these `fields`.
        Without fields, the whole list counts."""
        key = (fields, papers)
        if key not in self._counts:
            new = self._new_in(fields)
            counts = NewPapers(
                new=len(new), here=len(new.intersection(papers)), in_fields=bool(fields)
            )
            self._counts[key] = counts if new else None
        return self._counts[key]

    def _new_in(self, fields: tuple[str, ...]) -> frozenset[PaperId]:
        if fields not in self._of_fields:
            empty: Iterable[PaperId] = ()
            found = (self._in.get(one.casefold(), empty) for one in fields)
            self._of_fields[fields] = frozenset().union(*found)
        return self._of_fields[fields]


def new_window(
    edition: Edition,
    mailing_list: MailingList,
    subscription: Subscription,
    period: TrendingPeriod,
    day: date,
) -> Window:
    """Return when a paper must have been first seen to be new in the digest of `day`: since the
    reader's last digest day, or in the days that the digest covers."""
    if period is TrendingPeriod.MONTH:
        first, last = covered_days(period, day)
        zone = mailing_list.zone
        end = min(edition.as_of, end_of_day(last, zone))
        return Window(end_of_day(first - timedelta(days=1), zone), end)
    length = _WEEK if period is TrendingPeriod.WEEK else timedelta(days=1)
    is_weekdays = subscription.preferences.frequency is Frequency.WEEKDAYS
    if is_weekdays and day.weekday() == _MONDAY:
        length = _WEEKEND
    return Window(edition.as_of - length, edition.as_of)


def load_counter(
    work: Transaction, edition: Edition, mailing_list: MailingList, window: Window
) -> NewPaperCounter | None:
    """Return the counter of a window; None while one of the edition's feeds is out of reach."""
    if not _is_complete(edition):
        return None
    listed_after = window.start - _LISTED_BEFORE
    return NewPaperCounter(
        work[CandidateStore].new_papers(mailing_list, window, listed_after=listed_after)
    )


def _is_complete(edition: Edition) -> bool:
    """Return whether every feed could be read for the edition."""
    has_trouble = any("trouble" in read_reason(line).params for line in edition.sources)
    return edition.quiet_reason not in _OUT_OF_REACH and not has_trouble
