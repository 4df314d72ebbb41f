"""How many rows a claim takes: more while the relay is quick, few where rows would wait in line."""

from datetime import UTC, datetime, timedelta

from paperround.delivery.transitions import FEWEST, MOST, ClaimSize

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def sizes(size: ClaimSize, *seconds: float, full: bool = True) -> list[int]:
    """The sizes of claims that are made so many seconds after the start."""
    found = []
    for second in seconds:
        found.append(size.at(START + timedelta(seconds=second)))
        size.got(found[-1] if full else found[-1] - 1)
    return found


def test_claims_grow_while_each_is_used_up_within_a_moment() -> None:
    assert sizes(ClaimSize(), 0, 0.1, 0.3, 0.6, 1.2) == [50, 100, 200, 200, 200]
    assert (FEWEST, MOST) == (50, 200)


def test_a_relay_that_became_slow_gets_few_rows_again() -> None:
    assert sizes(ClaimSize(), 0, 0.1, 0.2, 2, 2.1) == [50, 100, 200, 50, 100]


def test_a_clock_that_went_back_proves_no_speed() -> None:
    assert sizes(ClaimSize(), 0, 0.1, -60) == [50, 100, 50]


def test_claims_that_found_less_than_they_asked_for_do_not_grow() -> None:
    assert sizes(ClaimSize(), 0, 0.1, 0.2, full=False) == [FEWEST] * 3
