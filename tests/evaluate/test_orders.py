"""Measures of orders, on orders small enough to count by hand."""

import pytest

from paperround.evaluate.report import rank_correlation, top_overlap
from tools.evaluate.pick import area_under_curve, average_precision


def test_equal_and_turned_orders_correlate_fully() -> None:
    assert rank_correlation([1, 2, 3], [10, 20, 90]) == pytest.approx(1)
    assert rank_correlation([3, 2, 1], [10, 20, 90]) == pytest.approx(-1)


def test_equal_values_share_their_rank_and_one_value_alone_tells_nothing() -> None:
    assert rank_correlation([1, 1, 2], [1, 2, 3]) == pytest.approx(0.8660, abs=1e-4)
    assert rank_correlation([7, 7, 7], [1, 2, 3]) == 0


def test_the_overlap_counts_the_highest_whatever_their_order() -> None:
    assert top_overlap([9, 8, 1, 0], [8, 9, 0, 1], size=2) == 1
    assert top_overlap([9, 8, 1, 0], [9, 0, 8, 1], size=2) == 0.5


def test_precision_is_averaged_over_the_picked() -> None:
    assert average_precision([4, 3, 2, 1], [True, False, True, False]) == pytest.approx(5 / 6)
    with pytest.raises(ValueError, match="nothing was picked"):
        average_precision([1.0], [False])


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    assert area_under_curve([4, 3, 2, 1], [True, False, True, False]) == 0.75
    assert area_under_curve([1, 1], [True, False]) == 0.5
    with pytest.raises(ValueError, match="others"):
        area_under_curve([1.0], [True])
