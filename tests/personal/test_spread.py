"""A digest is not twelve papers on one thing."""

from collections.abc import Sequence

import numpy as np
import pytest

from paperround.personal.selection import Selection, with_empty_paper

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
    everybody = Selection(with_empty_paper(np.array(costs, dtype=float)), 1, size)
    line = np.arange(len(scores))[None]
    if after is not None:
        everybody.take(line[:, [after]], np.array([[99.0]]))
        scores = [-np.inf if place == after else one for place, one in enumerate(scores)]
    everybody.take(line, np.array([scores], dtype=float))
    return [place for place in everybody.taken[0].tolist() if place >= 0]


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


def test_of_equals_the_first_is_taken_and_never_more_than_there_are() -> None:
    assert spread([1.0, 1.0], APART, 5) == [0, 1]
    assert spread([-np.inf], [[0.0]], 5) == []
