"""A digest is not twelve papers on one thing."""

import pytest

from paperround.ranking.spread import spread

APART = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
TWINS = [[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]]


@pytest.mark.accept("F15", part="spread")
def test_the_twin_of_a_better_paper_waits_behind_another() -> None:
    scores = {0: 5.0, 1: 4.9, 2: 3.0}
    assert spread(scores, APART, 3) == [0, 1, 2]
    assert spread(scores, TWINS, 3) == [0, 2, 1]


@pytest.mark.accept("F15", part="spread")
def test_what_is_far_better_stays_ahead_however_alike() -> None:
    assert spread({0: 9.0, 1: 8.0, 2: 1.0}, TWINS, 2) == [0, 1]


def test_only_places_with_a_score_are_taken_and_of_equals_the_first() -> None:
    assert spread({2: 1.0, 0: 1.0}, APART, 5) == [2, 0]
    assert spread({}, APART, 5) == []
