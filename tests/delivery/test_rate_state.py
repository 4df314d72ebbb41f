"""Rates, buckets, rests and the warm-up, by their numbers alone."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import InvalidInput
from paperround.core.rates import parse_rates
from paperround.delivery.model import ErrorScope, Outcome, Phase, Reply
from paperround.delivery.rate_state import (
    HORIZON,
    LONGEST_REST,
    LOOK_AGAIN,
    TOLERANCE,
    Bucket,
    RateState,
    WarmUp,
    is_taken,
    parse_connections,
    parse_domain_pace,
    parse_pace,
    reserved,
)
from paperround.delivery.replies import verdict
from paperround.editions.model import DeliveryId, DeliveryState
from tests.builders import NOW

GOOD = Outcome(id=DeliveryId(1), phase=Phase.DOT, reply=Reply(250, "2.0.0", "ok"))
REFUSED = Outcome(id=DeliveryId(1), phase=Phase.MAIL, reply=Reply(550, "5.7.1", "no"))
SECOND = timedelta(seconds=1)


# --- how it is written -------------------------------------------------------------------------


def test_a_domain_may_have_rates_of_its_own_and_so_may_all_below_one() -> None:
    pace = parse_domain_pace("20/s, gmail.com=5/s, gmail.com=2000/24h, *.example.org=off")
    assert pace.of("anything.else").rates == parse_rates("20/s")
    assert pace.of("gmail.com").rates == parse_rates("5/s, 2000/24h")
    assert pace.of("mail.example.org").rates == ()
    assert pace.of("example.org").rates == parse_rates("20/s")


def test_the_longest_name_above_a_domain_counts() -> None:
    pace = parse_domain_pace("*.org=1/s, *.example.org=2/s")
    assert pace.of("a.example.org").rates == parse_rates("2/s")
    assert pace.of("b.org").rates == parse_rates("1/s")


@pytest.mark.parametrize("text", ["20", "gmail=5/s", "=5/s", "a.example=off, a.example=5/s", ""])
def test_what_is_no_rate_of_a_domain_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_domain_pace(text)


def test_a_quota_is_kept_for_a_week_at_most() -> None:
    with pytest.raises(InvalidInput, match="at most 7d"):
        parse_pace("100000/30d")


def test_connections_are_a_number_or_off_and_of_a_range_the_larger_counts() -> None:
    assert parse_connections("2-5") == 5
    assert parse_connections("3") == 3
    assert parse_connections("off") is None
    for text in ("5-2", "0", "many"):
        with pytest.raises(InvalidInput):
            parse_connections(text)


# --- buckets -----------------------------------------------------------------------------------


@pytest.mark.accept("R9", part="tokens")
@given(
    rate=st.integers(1, 500),
    seconds=st.integers(1, 60),
    late=st.lists(st.floats(0, 0.2), min_size=30, max_size=200),
)
def test_no_period_of_a_rate_holds_more_than_it_allows(
    rate: int, seconds: int, late: list[float]
) -> None:
    spacing = parse_pace(f"{rate}/{seconds}s").spacing
    bucket, moments, now = Bucket(state=RateState(), spacing=spacing), [], NOW
    for delay in late:
        now = (bucket.wait(now) or now) + timedelta(seconds=delay)
        bucket.count_sent(now)
        moments.append((now - NOW).total_seconds())
    for first, last in zip(moments, moments[rate:], strict=False):
        assert last - first >= seconds


@pytest.mark.accept("R9", part="tokens")
def test_claims_that_come_a_little_late_cost_no_token() -> None:
    bucket = Bucket(state=RateState(), spacing=parse_pace("14/s").spacing)
    now = NOW
    for _ in range(140):
        bucket.count_sent(now)
        now = (bucket.wait(now) or now) + TOLERANCE / 2
    assert now - NOW <= 10 * SECOND * 1.06


def test_a_bucket_without_a_rate_or_a_cap_holds_nothing_back() -> None:
    bucket = Bucket(state=RateState())
    for _ in range(1000):
        assert bucket.wait(NOW) is None
        bucket.count_sent(NOW)
    assert bucket.state == RateState()


def test_a_domain_at_its_cap_is_looked_at_again_soon() -> None:
    bucket = Bucket(state=RateState(), in_flight=1, most=2)
    assert bucket.wait(NOW) is None
    bucket.count_sent(NOW)
    assert bucket.wait(NOW) == NOW + LOOK_AGAIN


def test_messages_that_are_put_off_line_up_one_behind_the_other_for_a_minute_at_most() -> None:
    state = RateState(free_at=NOW + 2 * SECOND)
    bucket = Bucket(state=state, spacing=parse_pace("10/s").spacing)
    times = []
    for _ in range(1000):
        wait = bucket.wait(NOW)
        assert wait is not None
        times.append(bucket.defer(wait, NOW))
    assert times[0] == NOW + 2 * SECOND - TOLERANCE
    assert all(b - a >= SECOND / 10 for a, b in pairwise(times[:500]))
    assert times[-1] == NOW + HORIZON


def test_a_quota_that_is_used_up_holds_messages_back() -> None:
    bucket = Bucket(state=RateState(), room=1)
    assert bucket.wait(NOW) is None
    bucket.count_sent(NOW)
    assert bucket.wait(NOW) == NOW + HORIZON


def test_a_twentieth_of_a_quota_is_kept_for_what_goes_first() -> None:
    assert [reserved(one) for one in parse_rates("100/h, 6/24h")] == [5, 1]


def test_a_bucket_that_is_held_gives_no_token_before() -> None:
    held = RateState(free_at=NOW).hold_until(NOW + SECOND)
    assert Bucket(state=held).wait(NOW) == NOW + SECOND - TOLERANCE
    assert held.hold_until(NOW) == held


# --- rests -------------------------------------------------------------------------------------


@pytest.mark.accept("R14", part="rest")
def test_a_relay_rests_after_ten_refusals_in_a_row_an_hour_at_most() -> None:
    state = RateState()
    for said in [REFUSED] * 9 + [GOOD] + [REFUSED] * 9:
        state = state.after_outcome(said, now=NOW)
    assert not state.is_paused(NOW)
    state, rests = state.after_outcome(REFUSED, now=NOW), []
    for _ in range(6):
        assert state.rests_until is not None
        rests.append(state.rest)
        state = state.after_outcome(REFUSED, now=state.rests_until)
    assert rests == [timedelta(minutes=n) for n in (5, 10, 20, 40, 60, 60)]
    assert rests[-1] == LONGEST_REST
    assert state.after_outcome(GOOD, now=NOW) == RateState()


def test_a_rest_that_a_wrong_clock_set_is_over() -> None:
    assert not RateState(rests_until=NOW + timedelta(hours=2)).is_paused(NOW)


@pytest.mark.parametrize(
    ("phase", "reply", "taken", "refused", "reason"),
    [
        (Phase.RCPT, Reply(450, "4.2.0", ""), False, 0, ""),
        (Phase.RCPT, Reply(421, "4.3.2", ""), False, 0, ""),
        (Phase.CONNECT, None, False, 0, "no-session: timeout"),
        (Phase.RCPT, Reply(550, "5.1.1", ""), True, 0, ""),
        (Phase.RCPT, Reply(550, "5.7.26", ""), False, 1, ""),
        (Phase.DOT, Reply(554, "5.6.0", ""), False, 1, ""),
        (Phase.DOT, Reply(250, "2.0.0", ""), True, 0, ""),
    ],
)
def test_what_an_outcome_says_of_the_relay(
    phase: Phase, reply: Reply | None, taken: bool, refused: int, reason: str
) -> None:
    outcome = Outcome(id=DeliveryId(1), phase=phase, reply=reply, error="" if reply else "timeout")
    assert is_taken(outcome) is taken
    state = RateState().after_outcome(outcome, now=NOW)
    assert (state.refused, state.reason) == (refused, reason)
    assert state.is_troubled is bool(refused or reason)
    assert verdict(outcome).state in DeliveryState
    assert verdict(outcome).blame in (
        ErrorScope(),
        *(ErrorScope(**{name: True}) for name in ErrorScope.__slots__),
    )


# --- a new domain ------------------------------------------------------------------------------


def test_a_new_domain_begins_with_two_hundred_and_is_free_after_six_weeks() -> None:
    warm_up = WarmUp(start=NOW.date(), zone="UTC")

    def allowance(days: int) -> int | None:
        today = warm_up.today(NOW + timedelta(days=days))
        return None if today is None else today.allowance

    days = [allowance(n) for n in range(43)]
    assert (days[0], days[41], days[42]) == (200, 200_000, None)
    numbers = [one for one in days if one is not None]
    assert all(1.17 < after / before < 1.2 for before, after in pairwise(numbers))
    assert allowance(-3) == 200


def test_a_day_of_the_plan_begins_at_midnight_of_the_zone() -> None:
    today = WarmUp(start=date(2026, 1, 29), zone="Europe/Berlin").today(NOW)
    assert today is not None
    assert today.since <= NOW < today.since + timedelta(days=1)
    assert today.since.hour == 23
