"""How often one visitor may ask for what costs."""

from datetime import datetime, timedelta

import pytest

from paperround.access.rate_limiter import InMemoryRateLimiter
from paperround.core.errors import RateLimited
from paperround.core.rates import VisitLimits, parse_rates
from tests.builders import MINUTE, NOW
from tests.races import THREADS, at_once

SECOND = timedelta(seconds=1)


def visitor_limiter(ip: str = "2/m", net: str = "off", most_keys: int = 100) -> InMemoryRateLimiter:
    limits = VisitLimits(ip=parse_rates(ip), net=parse_rates(net))
    return InMemoryRateLimiter(limits, most_keys=most_keys)


def wait(
    one: InMemoryRateLimiter, client: str | None, now: datetime = NOW, *, cost: int = 1
) -> float | None:
    """The seconds a visitor is told to wait; None for one who is let in."""
    try:
        one.check_rate_limit(client, now=now, cost=cost)
    except RateLimited as error:
        return error.retry_after
    return None


@pytest.mark.accept("F16", part="limits")
def test_one_visit_too_many_is_told_when_there_is_room_again() -> None:
    one = visitor_limiter()
    assert [wait(one, "192.0.2.1", NOW + second * SECOND) for second in (0, 10, 30)] == [
        None,
        None,
        30,
    ]
    assert wait(one, "192.0.2.1", NOW + MINUTE - SECOND) == 1
    assert wait(one, "192.0.2.1", NOW + MINUTE) is None, "those that were refused do not count"
    assert wait(one, "192.0.2.1", NOW + MINUTE) == 10


def test_others_are_not_held_up() -> None:
    one = visitor_limiter("1/m")
    assert wait(one, "192.0.2.1") is wait(one, "192.0.2.2") is wait(one, None) is None
    assert wait(one, "192.0.2.1") == wait(one, None) == wait(one, "no address") == 60


def test_a_network_has_a_limit_of_its_own() -> None:
    one = visitor_limiter("off", "2/m")
    assert [wait(one, f"192.0.2.{number}") for number in range(3)] == [None, None, 60]
    assert wait(one, "192.0.3.1") is None
    assert [wait(one, f"2001:db8:1:2{n:02x}::1") for n in range(3)] == [None, None, 60]


def test_several_rates_all_hold() -> None:
    one = visitor_limiter("1/s, 2/m")
    assert wait(one, "192.0.2.1") is None
    assert wait(one, "192.0.2.1") == 1
    assert wait(one, "192.0.2.1", NOW + SECOND) is None
    assert wait(one, "192.0.2.1", NOW + 2 * SECOND) == 58


def test_who_has_no_limit_is_not_remembered() -> None:
    one = visitor_limiter("off")
    assert {wait(one, "192.0.2.1") for _ in range(50)} == {None}
    assert not one._seen


def test_memory_is_bounded_whoever_comes() -> None:
    one = visitor_limiter(most_keys=10)
    for number in range(200):
        wait(one, f"192.0.2.{number}")
        wait(one, "198.51.100.1", NOW)
    assert len(one._seen) == 10
    assert wait(one, "192.0.2.199", NOW) is None
    assert max(map(len, one._seen.values())) == 2


def test_many_at_once_never_get_more_than_the_rate() -> None:
    one = visitor_limiter("5/m")
    answers = at_once(THREADS, lambda _: wait(one, "192.0.2.1"))
    assert answers.count(None) == 5


@pytest.mark.accept("S16", part="cost", mutant="visits-count-one-whatever-they-cost")
def test_what_costs_more_counts_as_several_visits() -> None:
    one = visitor_limiter("10/m")
    assert [wait(one, "192.0.2.1", NOW + n * SECOND, cost=4) for n in range(3)] == [None, None, 58]
    assert [wait(one, "192.0.2.1", NOW + n * SECOND) for n in (3, 4, 5)] == [None, None, 55]
    assert wait(one, "192.0.2.1", NOW + MINUTE, cost=5) == 1, "four have come back, and not five"
    assert wait(one, "192.0.2.1", NOW + MINUTE, cost=4) is None


def test_what_costs_more_than_a_rate_ever_allows_takes_all_of_it() -> None:
    one = visitor_limiter("3/m")
    assert [wait(one, "192.0.2.1", cost=10) for _ in range(2)] == [None, 60]
    assert wait(one, "192.0.2.1", NOW + MINUTE, cost=10) is None
