"""Count the papers that were new when a digest was planned, and those of them that it holds.

    papers that a feed first brought since the digest before ─► in the reader's fields ─► counts

Readers who know how many papers a digest left out need not check the listings. That only holds if
the number is right, so there is none while a feed is unreachable.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache

from paperround.core.reasons import read_reason
from paperround.core.times import end_of_day
from paperround.db.transactions import Transaction
from paperround.digests.model import covered_days
from paperround.editions.lists import MailingList, Window
from paperround.editions.model import Edition, NewPapers, SkipReason, TrendingPeriod
from paperround.editions.periods import Days
from paperround.editions.store.candidates import CandidateStore
from paperround.editions.store.editions import EditionStore
from paperround.papers.model import PaperId
from paperround.personal.keyword_index import with_parents
from paperround.subscribers.model import Frequency, Subscription

_OUT_OF_REACH = frozenset({SkipReason.FEED_STALE.value, SkipReason.FEED_FAILED.value})
_LISTED_BEFORE = timedelta(days=1)
"""How long before we first saw a paper it may have been listed: a feed may give only the day. An
older one comes from an archive that was read today."""
_LATE = timedelta(hours=2)
"""How much the time of freezing may vary between editions, because they wait for feeds."""
_MOST_FIELDS = 500
"""Sets of fields whose papers are cached."""
_MONDAY = 0
_DAY, _WEEKEND, _WEEK = timedelta(days=1), timedelta(days=3), timedelta(days=7)


class NewPaperCounter:
    """The papers that were new in one window, with the counts of readers who share fields."""

    def __init__(self, categories: Mapping[PaperId, tuple[str, ...]]) -> None:
        self._all = frozenset(categories)
        self._in: dict[str, set[PaperId]] = defaultdict(set)
        for paper, names in categories.items():
            for name in with_parents(names):
                self._in[name].add(paper)
        self._of_fields: dict[tuple[str, ...], frozenset[PaperId]] = {}

    def count(self, fields: tuple[str, ...], papers: Collection[PaperId]) -> NewPapers | None:
        """Return the counts of a digest of `papers`, None if nothing was new in these `fields`.
        Without fields, the whole list counts."""
        new = self._new_in(fields) if fields else self._all
        if not new:
            return None
        return _counts(len(new), len(new.intersection(papers)), in_fields=bool(fields))

    def _new_in(self, fields: tuple[str, ...]) -> frozenset[PaperId]:
        if fields not in self._of_fields:
            if len(self._of_fields) >= _MOST_FIELDS:
                self._of_fields.clear()
            empty: Iterable[PaperId] = ()
            found = (self._in.get(one.casefold(), empty) for one in fields)
            self._of_fields[fields] = frozenset().union(*found)
        return self._of_fields[fields]


@lru_cache(maxsize=4096)
def _counts(new: int, here: int, *, in_fields: bool) -> NewPapers:
    """Return equal counts as one object, so that they are serialized once."""
    return NewPapers(new=new, here=here, in_fields=in_fields)


NewSpan = timedelta | Days
"""How long before its edition, or on which days, a paper is new in a digest."""


def new_span(subscription: Subscription, period: TrendingPeriod, day: date) -> NewSpan:
    """Return since when papers are new in the digest of `day`: since the reader's last digest day,
    or on the days of the month that the digest covers."""
    if period is TrendingPeriod.MONTH:
        return covered_days(period, day)
    if period is TrendingPeriod.WEEK:
        return _WEEK
    is_weekdays = subscription.preferences.frequency is Frequency.WEEKDAYS
    return _WEEKEND if is_weekdays and day.weekday() == _MONDAY else _DAY


def load_counter(
    work: Transaction, edition: Edition, mailing_list: MailingList, span: NewSpan
) -> NewPaperCounter | None:
    """Return the counter of a span; None while one of the edition's feeds is unreachable."""
    if not _is_complete(edition):
        return None
    if isinstance(span, timedelta):
        window = Window(_since(work, edition, span), edition.as_of)
    else:
        first, last = span
        end = min(edition.as_of, end_of_day(last, mailing_list.zone))
        window = Window(end_of_day(first - _DAY, mailing_list.zone), end)
    listed_after = window.start - _LISTED_BEFORE
    return NewPaperCounter(
        work[CandidateStore].new_papers(mailing_list, window, listed_after=listed_after)
    )


def _since(work: Transaction, edition: Edition, length: timedelta) -> datetime:
    """Return when the edition of `length` ago was ranked, so that the digests of several days count
    each paper once although editions wait for feeds; without one, the instant of `length` ago."""
    expected = edition.as_of - length
    before = work[EditionStore].newest(edition.list_id, by=edition.cut_at - length)
    is_near = before is not None and abs(before.as_of - expected) <= _LATE
    return before.as_of if before is not None and is_near else expected


def _is_complete(edition: Edition) -> bool:
    """Return whether every feed could be read for the edition."""
    has_trouble = any("trouble" in read_reason(line).params for line in edition.sources)
    return edition.quiet_reason not in _OUT_OF_REACH and not has_trouble
