"""The model of what a large installation takes: it grows with what is asked of it, and its low end
is what was measured."""

from dataclasses import fields
from itertools import pairwise

import pytest

from benchmarks.fleet import MEASURED
from benchmarks.on_postgres import mailing_costs
from benchmarks.scale_model import COSTS, SUBSCRIBERS, Need, Wish, as_table, need, seconds_on
from tests.databases import PostgresServer, postgres

__all__ = ["postgres"]

WITHIN = 4
"""Machines differ, and one that is busy counts more CPU time for the same work."""

SIZES = (1, 99, 1_000, *SUBSCRIBERS, 50_000_000)


def numbers(one: Need) -> list[float]:
    return [getattr(one, field.name) for field in fields(one)]


def test_more_subscribers_never_take_less_of_anything() -> None:
    for fewer, more in pairwise(map(need, SIZES)):
        pairs = zip(numbers(fewer), numbers(more), strict=True)
        assert all(less <= greater for less, greater in pairs), (fewer, more)


@pytest.mark.parametrize(
    "harder",
    [Wish(seconds=600), Wish(at_once=1), Wish(round_trip=0.2), Wish(relay_rate=14), Wish(busy=0.3)],
)
def test_a_harder_wish_never_takes_less_of_anything(harder: Wish) -> None:
    pairs = zip(numbers(need(1_000_000)), numbers(need(1_000_000, harder)), strict=True)
    assert all(usual <= hard for usual, hard in pairs)
    assert numbers(need(1_000_000)) != numbers(need(1_000_000, harder))


def test_what_one_planning_process_cannot_do_is_said() -> None:
    many = need(50_000_000)
    assert not many.is_possible
    assert "too slow" in as_table([many])


def test_the_low_end_is_the_day_that_was_measured_with_four_processes() -> None:
    said = seconds_on(MEASURED.readers, MEASURED.cores)
    assert MEASURED.seconds / 2 <= said <= MEASURED.seconds * 2


def test_the_low_end_is_what_a_thousand_digests_cost_here(postgres: PostgresServer) -> None:
    planned, sent = mailing_costs(postgres, 1_000)
    assert 1 / WITHIN <= sum(planned) / (COSTS.plan + COSTS.plan_on_server) <= WITHIN
    assert 1 / WITHIN <= sum(sent) / (COSTS.send + COSTS.send_on_server) <= WITHIN
