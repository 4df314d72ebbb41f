"""What mails that come back add up to, day after day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.bounces.model import Did
from paperround.bounces.policy import (
    LONGEST_PAUSE,
    NO_BOUNCES,
    PAUSE,
    POINTS_TO_PAUSE,
    PROBE_PERIOD,
    BounceScore,
    apply_evidence,
    remaining_points,
)
from paperround.delivery.model import Evidence

DAY = date(2026, 3, 2)


def day(number: int) -> date:
    return DAY + timedelta(days=number)


def over(
    *days: int, start: BounceScore = NO_BOUNCES, of: Evidence = Evidence.PASSING
) -> BounceScore:
    """The standing after a mail came back on each of these days."""
    standing = start
    for number in days:
        standing, _ = apply_evidence(standing, of, mail=f"delivery/{number}", today=day(number))
    return standing


@pytest.mark.accept("F36", part="score")
def test_a_sure_word_stops_and_a_complaint_is_one() -> None:
    assert apply_evidence(NO_BOUNCES, Evidence.GONE, mail="a", today=DAY)[1] is Did.STOPPED
    assert apply_evidence(NO_BOUNCES, Evidence.COMPLAINT, mail="a", today=DAY)[1] is Did.COMPLAINED


@pytest.mark.accept("F36", part="score")
def test_a_likely_word_needs_a_second_mail_on_another_day() -> None:
    once, effect = apply_evidence(NO_BOUNCES, Evidence.LIKELY_GONE, mail="a", today=DAY)
    assert effect is Did.NOTED
    for mail, when, expected in [
        ("b", DAY, Did.NOTED),
        ("a", day(1), Did.NOTED),
        ("b", day(1), Did.STOPPED),
        ("b", day(30), Did.STOPPED),
        ("b", day(31), Did.NOTED),
        ("b", day(-1), Did.STOPPED),
    ]:
        assert apply_evidence(once, Evidence.LIKELY_GONE, mail=mail, today=when)[1] is expected


def test_in_a_surge_a_sure_word_needs_a_second_day_too() -> None:
    once, effect = apply_evidence(NO_BOUNCES, Evidence.GONE, mail="a", today=DAY, surge=True)
    assert effect is Did.NOTED
    assert apply_evidence(once, Evidence.GONE, mail="b", today=day(1), surge=True)[1] is Did.STOPPED


@pytest.mark.parametrize("evidence", [Evidence.NONE, Evidence.AUTO_REPLY])
def test_an_absence_is_held_against_nobody(evidence: Evidence) -> None:
    assert apply_evidence(NO_BOUNCES, evidence, mail="a", today=DAY) == (NO_BOUNCES, Did.NOTED)


@pytest.mark.accept("F36", part="score")
def test_a_full_mailbox_counts_once_a_day_and_never_stops() -> None:
    assert over(0, 0, 0).points == 1
    full = over(0, 1, 2, 3)
    assert (full.points, full.resting_until) == (4, None)
    rested, effect = apply_evidence(full, Evidence.PASSING, mail="e", today=day(4))
    assert effect is Did.PAUSED
    assert rested.resting_until == day(4) + PAUSE


@given(st.lists(st.integers(0, 3), max_size=40))
def test_no_day_counts_twice_in_whatever_order_it_is_told(days: list[int]) -> None:
    standing = over(*days)
    assert standing.points <= len(set(days))
    assert standing.resting_until is None


@pytest.mark.accept("F36", part="score")
def test_points_are_halved_for_every_week_without_another() -> None:
    four = over(0, 1, 2, 3)
    assert [remaining_points(four, day(3 + n)) for n in (0, 7, 8, 15, 22)] == [4, 4, 2, 1, 0]
    assert over(11, start=four).points == 3


def test_a_weekly_reader_reaches_the_limit_too() -> None:
    assert over(0, 7, 14, 21, 28).resting_until is not None


def test_what_was_sent_before_a_rest_does_not_prolong_it() -> None:
    resting = over(0, 1, 2, 3, 4)
    assert apply_evidence(resting, Evidence.PASSING, mail="z", today=day(6)) == (
        resting,
        Did.NOTED,
    )


@pytest.mark.accept("F36", part="score")
def test_a_probe_that_comes_back_rests_mail_for_longer_each_time() -> None:
    standing = over(0, 1, 2, 3, 4)
    lengths = []
    for _ in range(4):
        assert standing.resting_until is not None
        probe = standing.resting_until + timedelta(days=1)
        standing, effect = apply_evidence(standing, Evidence.PASSING, mail=str(probe), today=probe)
        assert effect is Did.PAUSED
        assert standing.resting_until is not None
        lengths.append((standing.resting_until - probe).days)
    assert lengths == [14, 28, 28, 28]


@pytest.mark.accept("F36", part="score")
def test_a_probe_may_come_back_for_fourteen_days() -> None:
    resting = over(0, 1, 2, 3, 4)
    assert resting.resting_until is not None
    for days, expected in ((14, Did.PAUSED), (15, Did.NOTED)):
        told = resting.resting_until + timedelta(days=days)
        assert apply_evidence(resting, Evidence.PASSING, mail="z", today=told)[1] is expected


def test_a_reader_whose_probe_arrived_stands_as_on_the_first_day() -> None:
    resting = over(0, 1, 2, 3, 4)
    assert resting.resting_until is not None
    later = resting.resting_until + PROBE_PERIOD + timedelta(days=1)
    after, effect = apply_evidence(resting, Evidence.PASSING, mail="z", today=later)
    assert effect is Did.NOTED
    assert (after.points, after.rests, after.resting_until) == (1, 0, None)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([Evidence.PASSING, Evidence.NONE, Evidence.AUTO_REPLY]),
            st.integers(0, 400),
        ),
        max_size=60,
    )
)
def test_soft_words_never_stop_anybody_in_whatever_order_they_come(
    events: list[tuple[Evidence, int]],
) -> None:
    standing = NO_BOUNCES
    for number, (evidence, when) in enumerate(events):
        standing, effect = apply_evidence(standing, evidence, mail=str(number), today=day(when))
        assert effect in {Did.NOTED, Did.NOTED, Did.PAUSED}
        assert 0 <= standing.points < POINTS_TO_PAUSE
        if standing.resting_until is not None:
            assert standing.resting_until <= day(400) + LONGEST_PAUSE
