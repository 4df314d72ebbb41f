"""A month under other weights, each day as it was known then."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import fmean

import pytest

from paperround.domain.editions import Candidate, Ranking
from paperround.domain.observations import Count
from paperround.domain.papers import Record
from paperround.domain.times import midnight_utc
from paperround.jobs.ports import Ranker
from paperround.jobs.progress import Advance, no_progress
from paperround.jobs.rank import rank_list
from paperround.jobs.what_if import WhatIf, what_if
from paperround.ranking.trending import TrendingRanker
from paperround.ranking.weights import parse_weights
from paperround.store.unit_of_work import SqlDatabase
from tests.jobs.conftest import NOW, fill, record

pytestmark = pytest.mark.accept("F17", part="other weights")

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
TODAY = NOW.date()
PER_DAY = 16
LIVE = TrendingRanker()
OLD_IS_FINE = TrendingRanker(weights=parse_weights("recency=0"))


def listed(day: date, number: int, votes: Sequence[tuple[int, float]]) -> Record:
    """A paper of `day` with votes at so many hours of it."""
    start = midnight_utc(day)
    counts = tuple(
        Count(signal="upvotes", value=value, captured_at=start + hours * HOUR)
        for value, hours in votes
    )
    return record(number, listed_on=day, counts=counts)


def archive(database: SqlDatabase, days: int, *, later: bool = True) -> None:
    """Sixteen papers a day up to today. At noon the first of a day have most votes; where it is
    `later`, the last have won most by the evening after, but for yesterday and today."""
    records = []
    for back in range(days):
        for n in range(PER_DAY):
            after = [(20 + n * n, 42.0)] if later and back >= 2 else []
            number = back * PER_DAY + n + 1
            records.append(listed(TODAY - back * DAY, number, [(20 - n, 12.0), *after]))
    fill(database, records, NOW)


def tried(
    database: SqlDatabase,
    ranker: Ranker = OLD_IS_FINE,
    *,
    day: date | None = None,
    days: int = 30,
    advance: Advance = no_progress,
) -> WhatIf:
    return what_if(
        database=database,
        ranker=LIVE,
        tried=ranker,
        list_name="trending",
        day=day,
        now=NOW,
        days=days,
        advance=advance,
    )


def test_the_same_weights_change_nothing(database: SqlDatabase) -> None:
    archive(database, 10)
    found = tried(database, LIVE)
    assert (found.overlap, found.correlation) == (1.0, 1.0)
    assert all(not one.change.came and not one.change.went for one in found.days)
    foresight = found.foresight
    assert foresight is not None
    assert foresight.before == foresight.after


def test_each_day_with_papers_is_known_as_at_its_last_cut(database: SqlDatabase) -> None:
    archive(database, 3)
    found = tried(database)
    assert found.asked == 30
    assert [one.day for one in found.days] == [TODAY - 2 * DAY, TODAY - DAY, TODAY]
    evenings = [midnight_utc(TODAY - back * DAY) + 18 * HOUR for back in (2, 1)]
    assert [one.as_of for one in found.days] == [*evenings, NOW]
    assert [one.change.papers for one in found.days] == [16, 32, 48]


def test_what_is_compared_is_what_rank_shows_of_the_day(database: SqlDatabase) -> None:
    archive(database, 10)
    (last,) = tried(database, days=1).days
    mine, theirs = (
        [
            item.paper.id
            for item in rank_list(
                database=database, ranker=ranker, list_name="trending", day=None, now=NOW
            ).ranking.items
        ]
        for ranker in (LIVE, OLD_IS_FINE)
    )
    came, went = last.change.came, last.change.went
    assert came
    assert [one.paper.id for one in came] == [one for one in theirs[:12] if one not in mine[:12]]
    assert [one.paper.id for one in went] == [one for one in mine[:12] if one not in theirs[:12]]
    assert all(mine[one.before - 1] == theirs[one.after - 1] == one.paper.id for one in came)


@dataclass
class Noting:
    """A ranker that notes how far its input goes beyond what it may know."""

    name: str = "noting"
    beyond: list[timedelta] = field(default_factory=list)

    def rank(
        self,
        candidates: Sequence[Candidate],
        *,
        background: Sequence[str],
        as_of: datetime,
        submitter_cap: int,
    ) -> Ranking:
        for one in candidates:
            known = [one.paper.counts_from, *(seen.captured_at for seen in one.observations)]
            self.beyond.append(max(known) - as_of)
        return LIVE.rank(
            candidates, background=background, as_of=as_of, submitter_cap=submitter_cap
        )


def test_no_ranker_is_handed_what_came_later(database: SqlDatabase) -> None:
    archive(database, 10)
    noting = Noting()
    tried(database, noting)
    assert max(noting.beyond) <= timedelta()


def test_an_order_that_puts_first_what_is_voted_for_later_foresaw_more(
    database: SqlDatabase,
) -> None:
    archive(database, 8, later=False)
    day = TODAY - 5 * DAY
    morning, next_evening = midnight_utc(day) + 8 * HOUR, midnight_utc(day) + 42 * HOUR
    told = [
        record(
            5 * PER_DAY + n + 1,
            listed_on=day,
            counts=(
                Count(signal="comments", value=9 * (n >= 4), captured_at=morning),
                Count(signal="upvotes", value=20 + n * n, captured_at=next_evening),
            ),
            fingerprint="told",
        )
        for n in range(PER_DAY)
    ]
    fill(database, told, NOW)
    found = tried(database, TrendingRanker(weights=parse_weights("comments=5")))
    (known,) = found.foretold
    assert [one.day for one in found.days if one.change.foresight] == [day]
    assert known.after == 1.0 > known.before


def test_what_came_is_not_told_where_nobody_counted_later(database: SqlDatabase) -> None:
    archive(database, 8, later=False)
    found = tried(database)
    assert (found.foresight, found.foretold) == (None, ())


def test_the_mean_is_over_the_days_of_which_it_is_known(database: SqlDatabase) -> None:
    archive(database, 8)
    found = tried(database)
    known = [one.change.foresight for one in found.days if one.change.foresight]
    assert 0 < len(known) < len(found.days)
    assert found.foresight is not None
    assert found.foresight.before == pytest.approx(fmean(one.before for one in known))
    assert found.foresight.after == pytest.approx(fmean(one.after for one in known))


def test_a_day_of_the_past_is_the_last_of_its_month(database: SqlDatabase) -> None:
    archive(database, 10)
    found = tried(database, day=TODAY - 4 * DAY, days=3)
    assert [one.day for one in found.days] == [TODAY - back * DAY for back in (6, 5, 4)]
    assert found.days[-1].as_of == midnight_utc(TODAY - 3 * DAY)
    assert found.days[-1].change.foresight is not None


def test_each_day_is_reported_and_an_empty_month_is_no_error(database: SqlDatabase) -> None:
    done: list[int] = []
    found = tried(database, advance=done.append)
    assert (found.days, found.correlation, found.foresight) == ((), None, None)
    assert sum(done) == 30
