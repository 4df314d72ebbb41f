"""Which counts papers are learned from, and with which others each is compared."""

from datetime import UTC, date, datetime, timedelta

import pytest

from paperround.papers.model import FeedId, Paper, PaperId, Vote
from paperround.ranking.learn import LEAST_OF_A_DAY, cohorts_of, first_unsettled_day
from paperround.ranking.models import TrainingBatch
from tests.builders import paper

DAY = date(2026, 3, 2)
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
HF, LAB = FeedId(1), FeedId(2)
LATER = MIDNIGHT + timedelta(days=30)


def vote(
    value: int, hours: float = 48, *, feed: FeedId | None = HF, listed_on: date | None = DAY
) -> Vote:
    at = MIDNIGHT + timedelta(hours=hours)
    return Vote(feed=feed, listed_on=listed_on, captured_at=at, value=value)


def listed(number: int, **changes: object) -> Paper:
    given = {"id": PaperId(number), "listed_on": DAY, "counts_from": MIDNIGHT}
    return paper(number, **(given | changes))


def day_of(*votes: Vote, count: int = LEAST_OF_A_DAY) -> list[tuple[Paper, list[Vote]]]:
    """Papers that all have the same votes."""
    return [(listed(number), list(votes)) for number in range(1, count + 1)]


def learned(
    *counted: tuple[Paper, list[Vote]], as_of: datetime = LATER
) -> list[tuple[date, FeedId | None, list[int]]]:
    cohorts: tuple[TrainingBatch, ...] = cohorts_of(counted, as_of)
    return [(one.day, one.feed, [each.votes for each in one.settled]) for one in cohorts]


@pytest.mark.accept("F10", part="settled")
def test_of_all_counts_the_one_nearest_to_two_days_of_age_is_taken() -> None:
    counts = [vote(2, 8), vote(5, 20), vote(9, 50), vote(11, 90), vote(40, 500)]
    assert learned(*day_of(*counts)) == [(DAY, HF, [9] * 5)]


def test_of_two_as_near_the_earlier_is_taken() -> None:
    assert learned(*day_of(vote(9, 50), vote(7, 46))) == [(DAY, HF, [7] * 5)]


def test_a_count_of_the_first_hours_is_none() -> None:
    assert learned(*day_of(vote(3, 5))) == []
    assert learned(*day_of(vote(3, 6))) == [(DAY, HF, [3] * 5)]


def test_nothing_from_after_the_moment_is_known() -> None:
    counts = day_of(vote(5, 20), vote(9, 60))
    assert learned(*counts, as_of=MIDNIGHT + timedelta(hours=59)) == [(DAY, HF, [5] * 5)]


@pytest.mark.slow
def test_a_day_that_is_not_over_for_a_day_has_not_settled() -> None:
    counts = day_of(vote(5, 20))
    assert learned(*counts, as_of=MIDNIGHT + timedelta(hours=47)) == []
    assert len(learned(*counts, as_of=MIDNIGHT + timedelta(hours=48))) == 1
    assert first_unsettled_day(MIDNIGHT + timedelta(hours=48)) == MIDNIGHT + timedelta(days=1)


@pytest.mark.accept("F10", part="sources")
def test_papers_of_two_feeds_are_never_compared() -> None:
    many = [(listed(n), [vote(100 * n)]) for n in range(1, 6)]
    few = [(listed(n), [vote(n, feed=LAB)]) for n in range(6, 11)]
    assert learned(*few, *many) == [
        (DAY, HF, [100, 200, 300, 400, 500]),
        (DAY, LAB, [6, 7, 8, 9, 10]),
    ]


def test_a_paper_belongs_to_the_day_on_which_its_feed_listed_it() -> None:
    earlier = DAY - timedelta(days=3)
    waiting = listed(9, listed_on=earlier, counts_from=MIDNIGHT - timedelta(days=3))
    assert learned(*day_of(vote(4)), (waiting, [vote(7)])) == [(DAY, HF, [4] * 5 + [7])]


def test_a_feed_that_names_no_day_or_is_gone_leaves_the_day_of_the_paper() -> None:
    nameless = vote(4, feed=None, listed_on=None)
    assert learned(*day_of(nameless)) == [(DAY, None, [4] * 5)]
    undated = listed(1, listed_on=None, counts_from=MIDNIGHT + timedelta(hours=9))
    assert learned(*[(undated, [nameless])] * 5) == [(DAY, None, [4] * 5)]


def test_a_count_of_the_morning_is_not_compared_with_those_of_later() -> None:
    assert learned(*day_of(vote(9)), (listed(6), [vote(1, 23)])) == [(DAY, HF, [9] * 5)]
    assert learned(*day_of(vote(9)), (listed(6), [vote(1, 24)])) == [(DAY, HF, [9] * 5 + [1])]


def test_a_day_of_few_papers_says_nothing() -> None:
    assert learned(*day_of(vote(9), count=LEAST_OF_A_DAY - 1)) == []


def test_days_come_oldest_first_and_a_count_below_none_is_none() -> None:
    second = DAY + timedelta(days=1)
    late = [(listed(n), [vote(-2, 80, listed_on=second)]) for n in range(10, 10 + LEAST_OF_A_DAY)]
    found = learned(*late, *day_of(vote(9)))
    assert [(day, votes) for day, _, votes in found] == [(DAY, [9] * 5), (second, [0] * 5)]
