"""What if: how the days of a list would have looked with other weights.

each day's last cut ─► what was known then ─► both orders ─► what differs, who foresaw more
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from statistics import fmean

from paperround.domain.editions import Candidate
from paperround.domain.lists import MailingList, Window, window_of
from paperround.domain.reordering import Foresight, Reordering, gained_votes, reordering
from paperround.domain.schedule import cut_instants
from paperround.domain.times import local_date
from paperround.jobs.ports import Ranker
from paperround.jobs.progress import Advance, no_progress
from paperround.jobs.rank import BACKGROUND
from paperround.store.unit_of_work import Database

DAYS = 30
"""How many days are looked at: the last month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedDay:
    """One day of the list under both rankers, as known at `as_of`."""

    day: date
    as_of: datetime
    change: Reordering


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The days that had papers, oldest first. `before` and `after` name the rankers, `asked` is how
    many days were looked at."""

    before: str
    after: str
    size: int
    asked: int
    days: tuple[ChangedDay, ...]

    @property
    def overlap(self) -> float:
        """The mean of the days."""
        return fmean(one.change.overlap for one in self.days)

    @property
    def correlation(self) -> float | None:
        """The mean of the days that have one, None when none does."""
        known = [one.change.correlation for one in self.days if one.change.correlation is not None]
        return fmean(known) if known else None

    @property
    def foretold(self) -> tuple[Foresight, ...]:
        """The days of which it is known what came."""
        return tuple(one.change.foresight for one in self.days if one.change.foresight is not None)

    @property
    def foresight(self) -> Foresight | None:
        """The mean of the days of which it is known, None when there is none."""
        known = self.foretold
        if not known:
            return None
        before, after = fmean(one.before for one in known), fmean(one.after for one in known)
        return Foresight(before=before, after=after)


def what_if(
    *,
    database: Database,
    ranker: Ranker,
    tried: Ranker,
    list_name: str,
    day: date | None,
    now: datetime,
    days: int = DAYS,
    advance: Advance = no_progress,
) -> WhatIf:
    """Rank the last `days` days of the list, up to `day` (default: today), with both rankers.

    Each day is ranked as known at its last cut, the last one at its end, or now. What came of a
    day is told by all votes that are known by now. `advance` is called after each day. Raises
    NotFound when there is no such list.
    """
    with database.reading() as work:
        mailing_list = work.lists.get(list_name)
        last = day or local_date(now, mailing_list.zone)
        windows = list(_windows(mailing_list, last, days, now))
        known = work.papers.candidates(mailing_list, Window(windows[0][1].start, now))
    comparison = _Comparison(database, mailing_list, ranker, tried, known)
    found: list[ChangedDay] = []
    for one, window in windows:
        found += comparison.of(one, window)
        advance(1)
    return WhatIf(
        before=ranker.name,
        after=tried.name,
        size=mailing_list.size,
        asked=days,
        days=tuple(found),
    )


def _windows(
    mailing_list: MailingList, last: date, days: int, now: datetime
) -> Iterator[tuple[date, Window]]:
    """What each of the days may know. A day before the list's first cut of it has no edition."""
    for back in range(days - 1, 0, -1):
        day = last - timedelta(days=back)
        instants = [cut.instant for cut in cut_instants(mailing_list, day) if cut.instant <= now]
        if instants:
            yield day, window_of(mailing_list, day, instants[-1])
    yield last, window_of(mailing_list, last, now)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Both rankers at work; `known` are the papers of all days, with all their counts."""

    database: Database
    mailing_list: MailingList
    ranker: Ranker
    tried: Ranker
    known: Sequence[Candidate]

    def of(self, day: date, window: Window) -> Iterator[ChangedDay]:
        """How the day differs; nothing when it has no papers."""
        start, as_of = window.start, window.as_of
        mine = [one for one in self.known if start < one.paper.counts_from <= as_of]
        if not mine:
            return
        with self.database.reading() as work:
            background = work.papers.background(start, limit=BACKGROUND)
        candidates = [_as_known(one, as_of) for one in mine]
        before, after = (
            ranker.rank(
                candidates,
                background=background,
                as_of=as_of,
                submitter_cap=self.mailing_list.submitter_cap,
            )
            for ranker in (self.ranker, self.tried)
        )
        gains = gained_votes(mine, as_of)
        change = reordering(before, after, size=self.mailing_list.size, gains=gains)
        yield ChangedDay(day=day, as_of=as_of, change=change)


def _as_known(candidate: Candidate, as_of: datetime) -> Candidate:
    seen = tuple(one for one in candidate.observations if one.captured_at <= as_of)
    return replace(candidate, observations=seen)
