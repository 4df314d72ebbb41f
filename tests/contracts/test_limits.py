"""Turns, breakers and rates that hold over all processes, on every database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paperround.domain.limits import Rate, parse_rates
from paperround.jobs.ports import Database
from tests.builders import HOUR, MINUTE, NOW
from tests.contracts.test_races import THREADS, at_once

SECOND = timedelta(seconds=1)
INTERVAL = 3.0
HOURLY = parse_rates("1/h, 3/24h")

_numbers = count(1)

on_one_database = settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
"""Examples share the test's database; each uses a name of its own."""


def hit(database: Database, key: str, rates: Sequence[Rate], now: datetime) -> float | None:
    with database.writing() as work:
        return work.rates.hit(key, rates, now=now)


def reserve(database: Database, name: str, now: datetime = NOW) -> datetime:
    with database.writing() as work:
        return work.limiter.reserve(name, interval_seconds=INTERVAL, now=now)


# --- rates -------------------------------------------------------------------------------------


def test_the_first_is_counted_and_the_next_told_how_long_to_wait(database: Database) -> None:
    assert hit(database, "k", parse_rates("1/h"), NOW) is None
    wait = hit(database, "k", parse_rates("1/h"), NOW + 10 * MINUTE)
    assert wait is not None
    assert 50 * 60 <= wait <= 50 * 60 + 1


def test_several_rates_on_one_key_share_what_was_counted(database: Database) -> None:
    for hour in (0, 2, 4):
        assert hit(database, "k", HOURLY, NOW + hour * HOUR) is None
    wait = hit(database, "k", HOURLY, NOW + 6 * HOUR)
    assert wait is not None
    assert 18 * 3600 <= wait <= 18 * 3600 + 1


def test_what_is_refused_is_not_counted(database: Database) -> None:
    assert hit(database, "k", HOURLY, NOW) is None
    for minute in range(1, 59, 10):
        assert hit(database, "k", HOURLY, NOW + minute * MINUTE) is not None
    with database.reading() as work:
        assert work.rates.count("k", HOUR, now=NOW + HOUR) == 1


def test_keys_do_not_know_each_other(database: Database) -> None:
    assert hit(database, "k", HOURLY, NOW) is None
    assert hit(database, "other", HOURLY, NOW) is None


def test_counts_hold_over_a_restart_and_a_changed_setting(database: Database) -> None:
    for step in range(4):
        assert hit(database, "k", parse_rates("5/10m"), NOW + step * SECOND) is None
    assert hit(database, "k", parse_rates("2/d"), NOW + 2 * HOUR) is not None


def test_counting_looks_back_as_far_as_it_is_asked(database: Database) -> None:
    for minute in range(10):
        hit(database, "k", (), NOW + minute * MINUTE)
    now = NOW + 9 * MINUTE
    with database.reading() as work:
        counted = [work.rates.count("k", minutes * MINUTE, now=now) for minutes in (1, 5, 60)]
        assert work.rates.count("other", HOUR, now=now) == 0
    assert counted == [2, 6, 10]


def test_what_is_long_over_can_be_forgotten(database: Database) -> None:
    for minute in range(10):
        hit(database, "k", (), NOW + minute * MINUTE)
    with database.writing() as work:
        assert work.rates.forget(before=NOW + 4 * MINUTE) == 4
        assert work.rates.count("k", HOUR, now=NOW + 10 * MINUTE) == 6


@pytest.mark.accept("D2", part="short")
def test_many_at_once_never_get_more_than_the_rate(database: Database) -> None:
    rates = parse_rates("5/10m")
    answers = at_once(THREADS, lambda number: hit(database, "k", rates, NOW + number * SECOND))
    assert answers.count(None) == 5


Rates = st.lists(
    st.builds(Rate, st.integers(1, 4), st.integers(1, 30).map(lambda s: s * SECOND)),
    min_size=1,
    max_size=3,
)
Steps = st.lists(st.tuples(st.integers(0, 20_000), st.booleans()), min_size=1, max_size=20)


@on_one_database
@given(rates=Rates, steps=Steps)
def test_no_stretch_of_a_period_ever_holds_more_than_its_count(
    database: Database, rates: list[Rate], steps: list[tuple[int, bool]]
) -> None:
    """The model is the list of instants that were let through."""
    key, now, passed = f"k{next(_numbers)}", NOW, list[datetime]()
    for milliseconds, patient in steps:
        now += timedelta(milliseconds=milliseconds)
        wait = hit(database, key, rates, now)
        if wait is not None:
            assert any(_held(passed, rate, now, slack=SECOND) >= rate.count for rate in rates)
            if not patient:
                continue
            now += timedelta(seconds=wait)
            assert hit(database, key, rates, now) is None
        passed.append(now)
        assert all(_held(passed, rate, now) <= rate.count for rate in rates)


def _held(
    passed: list[datetime], rate: Rate, now: datetime, *, slack: timedelta = timedelta()
) -> int:
    """How many of `passed` lie in the stretch of the rate's period that ends `now`."""
    return sum(moment >= now - rate.period - slack for moment in passed)


def test_a_clock_behind_the_others_lets_nothing_more_through(database: Database) -> None:
    rates = parse_rates("2/m")
    for seconds in (0, 30):
        assert hit(database, "k", rates, NOW + seconds * SECOND) is None
    assert hit(database, "k", rates, NOW - 5 * SECOND) is not None


# --- turns and breakers ------------------------------------------------------------------------


@pytest.mark.accept("F03", part="limiter")
def test_turns_of_many_processes_are_an_interval_apart(database: Database) -> None:
    def take_turns(_: int) -> list[datetime]:
        return [reserve(database, "arxiv") for _ in range(5)]

    taken = at_once(THREADS, take_turns)
    turns = sorted(turn for some in taken if not isinstance(some, str) for turn in some)
    assert turns == [NOW + number * timedelta(seconds=INTERVAL) for number in range(5 * THREADS)]


def test_services_do_not_wait_for_each_other(database: Database) -> None:
    assert reserve(database, "arxiv") == reserve(database, "biorxiv") == NOW


@pytest.mark.accept("F03", part="limiter")
def test_nobody_gets_a_turn_before_an_open_breaker_closes(database: Database) -> None:
    until = NOW + 10 * MINUTE
    with database.writing() as work:
        work.limiter.trip("arxiv", until=until, now=NOW)
    assert reserve(database, "arxiv", NOW + MINUTE) == until
    assert reserve(database, "arxiv", NOW + MINUTE) == until + timedelta(seconds=INTERVAL)


def test_a_breaker_says_until_when_it_is_open(database: Database) -> None:
    until = NOW + 10 * MINUTE
    with database.writing() as work:
        assert work.limiter.open_until("arxiv", now=NOW) is None
        work.limiter.trip("arxiv", until=until, now=NOW)
    with database.reading() as work:
        assert work.limiter.open_until("arxiv", now=NOW) == until
        assert work.limiter.open_until("arxiv", now=until) is None
        assert work.limiter.open_until("biorxiv", now=NOW) is None


def test_a_second_trip_never_closes_a_breaker_earlier(database: Database) -> None:
    with database.writing() as work:
        work.limiter.trip("arxiv", until=NOW + HOUR, now=NOW)
        work.limiter.trip("arxiv", until=NOW + MINUTE, now=NOW)
        assert work.limiter.open_until("arxiv", now=NOW) == NOW + HOUR


@on_one_database
@given(steps=st.lists(st.tuples(st.integers(-2_000, 9_000), st.integers(0, 60)), min_size=1))
def test_turns_keep_their_distance_whatever_the_clocks_say(
    database: Database, steps: list[tuple[int, int]]
) -> None:
    """Each step: how far the caller's clock is from the last one's, and a trip in seconds or 0."""
    name, now, turns = f"s{next(_numbers)}", NOW, list[datetime]()
    for milliseconds, trip in steps:
        now += timedelta(milliseconds=milliseconds)
        closed = now + trip * SECOND
        with database.writing() as work:
            if trip:
                work.limiter.trip(name, until=closed, now=now)
            turns.append(work.limiter.reserve(name, interval_seconds=INTERVAL, now=now))
        assert turns[-1] >= closed
    assert all(b - a >= timedelta(seconds=INTERVAL) for a, b in pairwise(turns))
