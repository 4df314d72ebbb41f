"""Intervals of figures, held against what is known of them."""

import numpy as np
import pytest

from paperround.evaluate.report import ahead_of, figure, mean_of


def test_the_interval_of_a_mean_is_that_of_the_normal_law_for_many_groups() -> None:
    groups = np.random.default_rng(7).normal(5.0, 2.0, size=400)
    found = mean_of(groups)
    assert found.value == groups.mean()
    half = 1.645 * groups.std() / 20  # 20 is the root of 400
    assert found.high - found.value == pytest.approx(half, rel=0.15)
    assert found.value - found.low == pytest.approx(half, rel=0.15)


def test_the_same_groups_give_the_same_interval() -> None:
    groups = np.arange(30.0)
    assert mean_of(groups) == mean_of(groups)
    assert mean_of(groups, seed=2) != mean_of(groups)


def test_what_makes_a_group_hard_for_both_is_no_difference() -> None:
    hard = np.random.default_rng(7).normal(size=200)
    found = ahead_of(hard + 0.1, hard)
    assert (found.low, found.value, found.high) == pytest.approx((0.1, 0.1, 0.1))


def test_a_ratio_is_resampled_as_a_whole() -> None:
    above, below = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])
    found = figure(lambda places: float(above[places].sum() / below[places].sum()), 3)
    assert (found.low, found.value, found.high) == pytest.approx((0.5, 0.5, 0.5))


def test_nothing_and_unequal_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing to resample"):
        mean_of(np.array([]))
    with pytest.raises(ValueError, match="equal groups"):
        ahead_of(np.zeros(3), np.zeros(2))
