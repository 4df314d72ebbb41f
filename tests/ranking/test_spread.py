"""A digest is not twelve papers on one thing."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.ranking.picks import with_nobody
from paperround.ranking.spread import SHORTLIST, Taking

APART = [[3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0]]
TWINS = [[3.0, 2.7, 0.0], [2.7, 3.0, 0.0], [0.0, 0.0, 3.0]]


def spread(
    scores: Sequence[float],
    costs: Sequence[Sequence[float]],
    size: int,
    *,
    after: int | None = None,
) -> list[int]:
    """The papers one reader takes, in order; those behind the one they took before, if any."""
    everybody = Taking(with_nobody(np.array(costs, dtype=float)), 1, size)
    line = np.arange(len(scores))[None]
    if after is not None:
        everybody.take(line[:, [after]], np.array([[99.0]]))
        scores = [-np.inf if place == after else one for place, one in enumerate(scores)]
    everybody.take(line, np.array([scores], dtype=float))
    return [place for place in everybody.taken[0].tolist() if place >= 0]


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
    assert spread([5.0, 4.0, 3.0], TWINS, 3, after=1) == [1, 2, 0]


def test_papers_behind_a_shortlist_are_not_looked_at() -> None:
    scores, alike = [9.0, 8.0, 7.0, 6.0, 5.5, 5.4, 5.3], [[3.0] * 7 for _ in range(7)]
    alike[0][5] = alike[0][6] = 0.0
    assert SHORTLIST * 2 == 6
    assert spread(scores, alike, 2) == [0, 5]
    alike[0][5] = 3.0
    assert spread(scores, alike, 2) == [0, 1]


def test_of_equals_the_first_is_taken_and_never_more_than_there_are() -> None:
    assert spread([1.0, 1.0], APART, 5) == [0, 1]
    assert spread([-np.inf], [[0.0]], 5) == []


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
