"""A digest is not twelve papers on one thing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.ranking.spread import spread

APART = [[3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0]]
TWINS = [[3.0, 2.7, 0.0], [2.7, 3.0, 0.0], [0.0, 0.0, 3.0]]

hundredths = st.integers(0, 300).map(lambda number: number / 100)


@pytest.mark.accept("F15", part="spread")
def test_the_twin_of_a_better_paper_waits_behind_another() -> None:
    assert spread([5.0, 4.9, 3.0], APART, 3) == [0, 1, 2]
    assert spread([5.0, 4.9, 3.0], TWINS, 3) == [0, 2, 1]


@pytest.mark.accept("F15", part="spread")
def test_what_is_far_better_stays_ahead_however_alike() -> None:
    assert spread([9.0, 8.0, 1.0], TWINS, 2) == [0, 1]


@pytest.mark.accept("F15", part="spread")
def test_a_paper_like_one_that_was_taken_before_waits_too() -> None:
    assert spread([5.0, 4.0, 3.0], APART, 3, beside=[2.5, 0.0, 0.0]) == [1, 2, 0]


def test_of_equals_the_first_is_taken_and_never_more_than_there_are() -> None:
    assert spread([1.0, 1.0], APART, 5) == [0, 1]
    assert spread([], APART, 5) == []


@given(st.data())
def test_what_is_taken_is_worth_less_and_less(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 8))
    rows = st.lists(hundredths, min_size=count, max_size=count)
    scores, costs = data.draw(rows), data.draw(st.lists(rows, min_size=count, max_size=count))
    taken = spread(scores, costs, count)
    worth = [
        scores[place] - max((costs[other][place] for other in taken[:turn]), default=0)
        for turn, place in enumerate(taken)
    ]
    assert sorted(taken) == list(range(count))
    assert worth == sorted(worth, reverse=True)
