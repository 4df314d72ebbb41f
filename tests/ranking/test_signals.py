import math
from datetime import timedelta

import pytest

from paperround.papers.model import Observation, Paper
from paperround.ranking import signals
from paperround.ranking.signals import Growth, VoteHistory, vote_history
from paperround.ranking.weights import DEFAULTS
from tests.ranking.ranked_papers import DAY, NOW, TODAY, listed, paper, seen


def known(*observations: Observation, days_ago: int = 0) -> VoteHistory:
    found = vote_history(paper(**listed(days_ago)), observations, NOW, DEFAULTS)
    assert found is not None
    return found


def grown(*observations: Observation, days_ago: int = 0) -> Growth:
    growth = known(*observations, days_ago=days_ago).growth
    assert growth is not None
    return growth


def test_votes_that_are_not_known_are_not_zero() -> None:
    assert vote_history(paper(), [seen(3, signal="comments")], NOW, DEFAULTS) is None
    assert known(seen(0)).votes == 0


def test_the_newest_count_counts_even_when_it_fell() -> None:
    assert known(seen(9, hours_ago=3), seen(7, hours_ago=1)).votes == 7


def test_a_count_from_after_the_cut_off_is_not_read() -> None:
    assert known(seen(5, hours_ago=1), seen(50, hours_ago=-1)).votes == 5


def test_two_counts_of_one_instant_are_one_reading() -> None:
    assert known(seen(5), seen(8), seen(6)).votes == 8
    assert grown(seen(5), seen(8), days_ago=3).since is None


def test_half_of_the_votes_are_in_after_the_settling_hours() -> None:
    assert known(seen(10)).share == 0.5


def test_the_first_hours_do_not_explode_into_a_rate() -> None:
    early = paper(counts_from=TODAY)
    found = vote_history(early, [seen(2, hours_ago=7.9)], NOW, DEFAULTS)
    assert found is not None
    assert found.share == pytest.approx(6 / 14)


def share_of(late: Paper) -> float:
    found = vote_history(late, [seen(4)], NOW, DEFAULTS)
    assert found is not None
    return found.share


def test_half_of_the_hours_before_the_listing_do_not_count() -> None:
    assert share_of(paper(counts_from=TODAY + timedelta(hours=2))) == pytest.approx(7 / 15)


def test_the_hour_says_nothing_where_it_is_not_that_of_the_listing() -> None:
    four = TODAY + timedelta(hours=4)
    assert share_of(paper(counts_from=four, listed_on=None)) == 0.5
    assert share_of(paper(counts_from=four - DAY, listed_on=TODAY.date())) == 0.5


def test_growth_is_measured_between_snapshots() -> None:
    growth = grown(seen(42, hours_ago=24), seen(82), days_ago=3)
    assert (growth.gained, growth.hours, growth.since) == (40, 24, NOW - DAY)


def test_growth_looks_back_one_day_and_no_further() -> None:
    growth = grown(seen(1, hours_ago=60), seen(5, hours_ago=20), seen(9), days_ago=4)
    assert (growth.gained, growth.hours) == (4, 20)


def test_growth_takes_the_last_reading_when_the_day_holds_none() -> None:
    growth = grown(seen(1, hours_ago=80), seen(3, hours_ago=50), seen(9), days_ago=4)
    assert (growth.gained, growth.hours) == (6, 50)


@pytest.mark.accept("F10", part="one snapshot", mutant="one-snapshot-grows-by-nothing")
def test_a_single_snapshot_grows_from_the_listing() -> None:
    assert grown(seen(16)) == Growth(gained=16, hours=8, since=None)


def test_a_single_snapshot_without_a_listing_day_has_no_growth() -> None:
    unlisted = paper(listed_on=None)
    found = vote_history(unlisted, [seen(300)], NOW, DEFAULTS)
    assert found is not None
    assert found.growth is None


@pytest.mark.accept("F10", part="falling counts", mutant="a-falling-count-is-a-trend")
def test_falling_counts_are_no_trend() -> None:
    growth = grown(seen(9, hours_ago=24), seen(4), days_ago=3)
    assert growth.gained == -5
    assert signals.daily_growth(growth, 6) == 0


def test_thin_counts_are_shrunk_towards_the_mean_of_the_day() -> None:
    day = [known(seen(1)), known(seen(39))]
    mean = signals.mean_votes(day)
    assert mean == 40
    low, high = (signals.expected_votes(one, mean, 0.05) for one in day)
    assert 2 < low < mean < high < 78


def test_a_listing_in_the_future_earns_nothing() -> None:
    ahead = paper(listed_on=(NOW + 3 * DAY).date(), counts_from=TODAY - DAY)
    assert signals.first_day(ahead, NOW) == TODAY - DAY
    assert signals.halved(-5, 24) == 1


def test_a_very_old_age_is_no_error() -> None:
    assert signals.halved(1e9, 24) == 0
    assert math.isfinite(known(seen(3), days_ago=9000).share)
