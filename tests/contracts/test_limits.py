"""Turns, breakers and rates that hold over all processes, on every database."""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from paperround.core.interfaces import Worker
from paperround.core.rates import Rate, Turn, parse_rates
from paperround.db.limits import Limiter, RateStore
from paperround.db.transactions import Database, SqlDatabase
from tests.builders import HOUR, MINUTE, NOW
from tests.fakes import HERE, Neighbours
from tests.races import THREADS, at_once

SECOND = timedelta(seconds=1)
TURN = Turn(interval=3 * SECOND, lease=MINUTE)
HOURLY = parse_rates("1/h, 3/24h")
NEIGHBOURS = Neighbours()
OTHER = replace(HERE, pid=HERE.pid + 1)
"""Another process of this machine."""

_numbers = count(1)

on_one_database = settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
"""Examples share the test's database; each uses a name of its own."""


def hit(database: Database, key: str, rates: Sequence[Rate], now: datetime) -> float | None:
    with database.writing() as work:
        return work[RateStore].hit(key, rates, now=now)


def take(
    database: Database,
    name: str = "arxiv",
    now: datetime = NOW,
    processes: Neighbours = NEIGHBOURS,
) -> datetime | None:
    with database.writing() as work:
        return work[Limiter].take(name, TURN, processes, now=now)


def release(database: Database, taken_at: datetime, now: datetime, name: str = "arxiv") -> None:
    with database.writing() as work:
        work[Limiter].release(name, TURN, taken_at=taken_at, now=now)


# --- rates -------------------------------------------------------------------------------------


def test_counts_hold_over_a_restart_and_a_changed_setting(database: Database) -> None:
    for step in range(4):
        assert hit(database, "k", parse_rates("5/10m"), NOW + step * SECOND) is None
    assert hit(database, "k", parse_rates("2/d"), NOW + 2 * HOUR) is not None


def test_counting_looks_back_as_far_as_it_is_asked(database: Database) -> None:
    for minute in range(10):
        hit(database, "k", (), NOW + minute * MINUTE)
    now = NOW + 9 * MINUTE
    with database.reading() as work:
        counted = [work[RateStore].count("k", minutes * MINUTE, now=now) for minutes in (1, 5, 60)]
        assert work[RateStore].count("other", HOUR, now=now) == 0
    assert counted == [2, 6, 10]


def test_what_is_long_over_can_be_forgotten(database: Database) -> None:
    for minute in range(10):
        hit(database, "k", (), NOW + minute * MINUTE)
    with database.writing() as work:
        assert work[RateStore].forget(before=NOW + 4 * MINUTE) == 4
        assert work[RateStore].count("k", HOUR, now=NOW + 10 * MINUTE) == 6


@pytest.mark.accept("D2", part="short")
def test_many_at_once_never_get_more_than_the_rate(database: Database) -> None:
    rates = parse_rates("5/10m")
    answers = at_once(THREADS, lambda number: hit(database, "k", rates, NOW + number * SECOND))
    assert answers.count(None) == 5


def test_counts_of_one_transaction_know_of_each_other(database: Database) -> None:
    with database.writing() as work:
        work[RateStore].lock(["k", "other"])
        assert work[RateStore].hit("k", HOURLY, now=NOW) is None
        assert work[RateStore].hit("k", HOURLY, now=NOW) == HOUR.total_seconds() + 1
        assert work[RateStore].count("k", HOUR, now=NOW) == 1
        assert work[RateStore].rate_limit_status("k", HOURLY[1], now=NOW).remaining == 2
        assert work[RateStore].count("other", HOUR, now=NOW) == 0
        assert work[RateStore].hit("k", HOURLY, now=NOW + 2 * HOUR) is None
    with database.reading() as work:
        assert work[RateStore].count("k", 3 * HOUR, now=NOW + 2 * HOUR) == 2


def test_what_is_undone_was_not_counted(engine: Engine) -> None:
    database = SqlDatabase(engine)
    with database.writing() as work:
        assert work[RateStore].hit("k", parse_rates("2/h"), now=NOW) is None
        with suppress(ZeroDivisionError), work.part():
            assert work[RateStore].hit("k", parse_rates("2/h"), now=NOW) is None
            assert work[RateStore].hit("k", parse_rates("2/h"), now=NOW) is not None
            raise ZeroDivisionError
        with work.part():
            assert work[RateStore].hit("k", parse_rates("2/h"), now=NOW) is None
        assert work[RateStore].hit("k", parse_rates("2/h"), now=NOW) is not None
    assert hit(database, "k", parse_rates("3/h"), NOW) is None
    assert hit(database, "k", parse_rates("3/h"), NOW) is not None


def test_a_further_rate_knows_what_its_transaction_has_counted(database: Database) -> None:
    with database.writing() as work:
        assert work[RateStore].hit("k", parse_rates("2/h"), now=NOW) is None
        assert work[RateStore].hit("k", parse_rates("1/24h"), now=NOW) is not None
    with database.reading() as work:
        assert work[RateStore].count("k", HOUR, now=NOW) == 1


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
def test_of_many_who_ask_at_once_one_has_the_turn(database: Database) -> None:
    answers = at_once(THREADS, lambda _: take(database))
    assert answers.count(None) == 1
    assert set(answers) - {None} == {NOW + 3 * SECOND}


@pytest.mark.accept("F03", part="one connection")
def test_a_turn_lasts_until_the_answer_is_there(database: Database) -> None:
    assert take(database) is None
    for seconds in (1, 20, 50):
        now = NOW + seconds * SECOND
        assert take(database, now=now) == now + 3 * SECOND  # look again: it may be over by then
    release(database, NOW, NOW + 55 * SECOND)
    assert take(database, now=NOW + 55 * SECOND) is None


def heirs(*dead: Worker) -> Neighbours:
    """What `OTHER` sees when `dead` are gone."""
    return Neighbours(me=OTHER, dead={one.pid for one in dead})


@pytest.mark.accept("F03", part="killed")
def test_a_turn_of_a_dead_process_is_over_but_its_pause_is_kept(database: Database) -> None:
    assert take(database) is None
    assert take(database, now=NOW + SECOND, processes=heirs()) == NOW + 4 * SECOND
    assert take(database, now=NOW + SECOND, processes=heirs(HERE)) == NOW + 3 * SECOND
    assert take(database, now=NOW + 2 * SECOND) == NOW + 3 * SECOND  # told to everybody
    assert take(database, now=NOW + 3 * SECOND, processes=heirs(HERE)) is None
    release(database, NOW, NOW + 4 * SECOND)  # not dead after all: the turn is another's now
    assert take(database, now=NOW + 9 * SECOND, processes=heirs(HERE)) is not None


@pytest.mark.accept("F03", part="killed")
def test_nobody_is_taken_for_dead_who_had_a_turn_before_or_runs_elsewhere(
    database: Database,
) -> None:
    assert take(database) is None
    release(database, NOW, NOW + SECOND)
    assert take(database, now=NOW + 2 * SECOND, processes=heirs(HERE)) == NOW + 3 * SECOND
    far = Neighbours(me=replace(HERE, host="elsewhere.example"))
    assert take(database, now=NOW + 3 * SECOND, processes=far) is None
    later = NOW + 30 * SECOND
    assert take(database, now=later, processes=heirs(far.me)) == later + 3 * SECOND


def test_a_turn_nobody_can_judge_is_over_with_its_lease(database: Database) -> None:
    assert take(database) is None
    assert take(database, now=NOW + 59 * SECOND) == NOW + MINUTE
    assert take(database, now=NOW + MINUTE) is None
    release(database, NOW, NOW + 61 * SECOND)  # it was only slow: the turn is another's now
    assert take(database, now=NOW + 70 * SECOND) is not None


def test_services_do_not_wait_for_each_other(database: Database) -> None:
    assert take(database, "arxiv") is take(database, "biorxiv") is None


@pytest.mark.accept("F03", part="breaker")
def test_nobody_gets_a_turn_before_an_open_breaker_closes(database: Database) -> None:
    until = NOW + 10 * MINUTE
    with database.writing() as work:
        work[Limiter].trip("arxiv", until=until, now=NOW)
    assert take(database, now=NOW + MINUTE) == until
    assert take(database, now=until) is None


def test_a_turn_from_a_clock_that_was_far_ahead_keeps_nobody_waiting(database: Database) -> None:
    ahead = NOW + timedelta(days=400)
    assert take(database, now=ahead) is None
    release(database, ahead, ahead)
    assert take(database, now=NOW) is None
    assert take(database, now=NOW) is not None


def test_clocks_that_are_a_little_apart_keep_the_pause(database: Database) -> None:
    assert take(database, now=NOW + MINUTE) is None
    assert take(database, now=NOW) is not None


def test_a_breaker_says_until_when_it_is_open(database: Database) -> None:
    until = NOW + 10 * MINUTE
    with database.writing() as work:
        assert work[Limiter].open_until("arxiv", now=NOW) is None
        work[Limiter].trip("arxiv", until=until, now=NOW)
    with database.reading() as work:
        assert work[Limiter].open_until("arxiv", now=NOW) == until
        assert work[Limiter].open_until("arxiv", now=until) is None
        assert work[Limiter].open_until("biorxiv", now=NOW) is None


def test_a_second_trip_never_closes_a_breaker_earlier(database: Database) -> None:
    with database.writing() as work:
        work[Limiter].trip("arxiv", until=NOW + HOUR, now=NOW)
        work[Limiter].trip("arxiv", until=NOW + MINUTE, now=NOW)
        assert work[Limiter].open_until("arxiv", now=NOW) == NOW + HOUR


Moves = st.lists(
    st.tuples(
        st.integers(-2_000, 9_000),  # milliseconds from one caller's clock to the next one's
        st.sampled_from(["take", "take", "take", "release", "trip", "die"]),
        st.integers(0, 90),  # whose turn is released, or for how many seconds the breaker opens
    ),
    min_size=1,
    max_size=40,
)


@pytest.mark.accept("F03", part="limiter")
@on_one_database
@given(moves=Moves)
def test_turns_keep_their_rules_whoever_asks_in_whatever_order(
    database: Database, moves: list[tuple[int, str, int]]
) -> None:
    """The model: each turn as [taken at, over at or None], and when the breaker closes. Each turn
    is taken by a process of its own; of one that dies nothing is left but its pause."""
    name, now = f"s{next(_numbers)}", NOW
    turns, closes = list[tuple[datetime, datetime | None]](), NOW - HOUR
    dead = set[int]()
    for milliseconds, move, number in moves:
        now += timedelta(milliseconds=milliseconds)
        if move == "trip":
            closes = max(closes, now + number * SECOND)
            with database.writing() as work:
                work[Limiter].trip(name, until=closes, now=now)
        elif move == "release":
            if turns:
                index = number % len(turns)
                release(database, turns[index][0], now, name)
                turns[index] = (turns[index][0], turns[index][1] or now)
        elif move == "die":
            if turns and turns[-1][1] is None:
                dead.add(len(turns))
                turns[-1] = (turns[-1][0], turns[-1][0])
        elif (look_at := take(database, name, now, numbered(len(turns) + 1, dead))) is None:
            assert now >= closes
            for taken_at, released_at in turns[-1:]:
                assert now >= taken_at + TURN.interval
                assert now >= min(released_at or TURN.ends(taken_at), TURN.ends(taken_at))
            turns.append((now, None))
        else:
            assert look_at > now
            assert look_at - now <= max(closes - now, TURN.interval)


def numbered(pid: int, dead: set[int]) -> Neighbours:
    return Neighbours(me=replace(HERE, pid=pid), dead=dead)


PROCESS = """
import sys, time
from datetime import UTC, datetime, timedelta
from paperround.core.rates import Turn
from paperround.core.processes import SystemProcesses
from paperround.db import engine
from paperround.db.limits import Limiter
from paperround.db.transactions import SqlDatabase

url, wanted, milliseconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
database = SqlDatabase(engine.create(url))
turn = Turn(interval=timedelta(milliseconds=milliseconds), lease=timedelta(seconds=30))

def now():
    # one clock for all processes, which nobody sets
    return datetime(2026, 1, 28, tzinfo=UTC) + timedelta(seconds=time.monotonic())

def held(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass

while wanted:
    at = now()
    with database.writing() as work:
        look_at = work[Limiter].take("arxiv", turn, SystemProcesses(), now=at)
    if look_at is not None:
        held(max(0.0, min((look_at - now()).total_seconds(), 0.02)))
        continue
    began = now()
    held(0.003 * (wanted % 3))
    ended = now()
    with database.writing() as work:
        work[Limiter].release("arxiv", turn, taken_at=at, now=now())
    print(at.isoformat(), began.isoformat(), ended.isoformat(), flush=True)
    wanted -= 1
"""


def turns_of_processes(url: str, *, processes: int, each: int, milliseconds: int) -> None:
    """Real processes that share nothing but the database."""
    command = [sys.executable, "-c", PROCESS, url, str(each), str(milliseconds)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    outputs = [one.communicate(timeout=300)[0] for one in running]
    assert all(one.returncode == 0 for one in running)
    lines = sorted(line.split() for output in outputs for line in output.splitlines())
    turns = [[datetime.fromisoformat(text) for text in line] for line in lines]
    assert len(turns) == processes * each
    for (taken_at, _, ended), (next_at, began, _) in pairwise(turns):
        assert next_at - taken_at >= timedelta(milliseconds=milliseconds)
        assert began >= ended  # never two answers at once


@pytest.mark.slow
@pytest.mark.accept("F03", part="two processes")
def test_two_processes_never_ask_at_once_nor_too_soon(database_url: str) -> None:
    turns_of_processes(database_url, processes=2, each=6, milliseconds=50)


@pytest.mark.long
@pytest.mark.accept("F03", part="many processes")
def test_many_processes_never_ask_at_once_nor_too_soon(database_url: str) -> None:
    turns_of_processes(database_url, processes=6, each=100, milliseconds=20)
