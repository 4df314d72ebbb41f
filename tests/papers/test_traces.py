"""How a count went: a line, and words for whoever cannot see it."""

from datetime import timedelta

import pytest

from paperround.papers.model import Observation
from paperround.papers.traces import MOST_POINTS, latest_of, sample_evenly, vote_trace
from tests.builders import HOUR, NOW, observation


def counted(*values: int, every: timedelta = HOUR, scale: str = "hf") -> list[Observation]:
    """Votes, one count after the other, the last one now."""
    begin = NOW - every * (len(values) - 1)
    return [
        Observation(signal="upvotes", captured_at=begin + every * n, value=value, scale=scale)
        for n, value in enumerate(values)
    ]


def test_a_line_goes_from_the_first_count_to_the_last() -> None:
    trace = vote_trace(counted(0, 5, 10), "upvotes")
    assert trace is not None
    assert trace.points == "3,45 120,24 237,3"
    assert (trace.first.value, trace.last.value, trace.is_line) == (0, 10, True)


def test_counts_that_fall_and_counts_of_nothing_are_drawn_too() -> None:
    fallen, nothing = vote_trace(counted(8, 4), "upvotes"), vote_trace(counted(0, 0), "upvotes")
    assert fallen is not None
    assert nothing is not None
    assert fallen.points == "3,3 237,24"
    assert nothing.points == "3,45 237,45"


def test_one_count_is_no_line() -> None:
    trace = vote_trace(counted(4), "upvotes")
    assert trace is not None
    assert not trace.is_line
    assert trace.gained is None


def test_what_nobody_counted_has_no_trace() -> None:
    assert vote_trace(counted(4), "comments") is None


@pytest.mark.parametrize(
    ("values", "gained"), [((1, 2, 9), None), ((1, *[2] * 24, 9), 7), ((9, *[9] * 24, 4), -5)]
)
def test_a_day_s_gain_is_known_once_a_day_was_seen(
    values: tuple[int, ...], gained: int | None
) -> None:
    trace = vote_trace(counted(*values), "upvotes")
    assert trace is not None
    assert trace.gained == gained


def test_of_two_feeds_the_one_that_counted_last_is_followed() -> None:
    """Ten votes are many in one place and few in another: no line mixes them."""
    older = counted(100, 200, 300, scale="elsewhere")[:-1]
    trace = vote_trace([*older, *counted(1, 2, 3)], "upvotes")
    assert trace is not None
    assert {one.scale for one in trace.counts} == {"hf"}


def test_a_long_line_keeps_its_ends() -> None:
    counts = counted(*range(1000))
    shown = sample_evenly(counts, MOST_POINTS)
    assert len(shown) == MOST_POINTS
    assert (shown[0], shown[-1]) == (counts[0], counts[-1])
    assert sample_evenly(counts[:3], MOST_POINTS) == counts[:3]


def test_of_each_signal_the_newest_count_is_told() -> None:
    old, new = observation(1, at=NOW - HOUR, signal="comments"), observation(2, signal="comments")
    assert latest_of([new, old, observation(7)]) == {"comments": new, "upvotes": observation(7)}
