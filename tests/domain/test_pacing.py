"""Rates, slots, rests and the warm-up, by their numbers alone."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.domain.deliveries import Blame, DeliveryId, DeliveryState, Outcome, Phase, Reply
from paperround.domain.errors import InvalidInput
from paperround.domain.flows import (
    FIRST_REST,
    LONGEST_REST,
    LONGEST_REST_OF_RELAY,
    MOST_PUT_OFF,
    Answer,
    Flow,
    answer_of,
    domain_after,
    relay_after,
)
from paperround.domain.limits import parse_rates
from paperround.domain.pacing import (
    AHEAD,
    HORIZON,
    Pacing,
    Road,
    Share,
    Waiting,
    parse_connections,
    parse_domain_pace,
    parse_pace,
    room_of,
    share,
)
from paperround.domain.replies import verdict
from paperround.domain.warm_up import WarmUp, allowance
from tests.builders import NOW

GOOD = Answer(domain="a.example", accepted=True)
PUT_OFF = Answer(domain="a.example", put_off=True, reason="not-now: 450 4.2.0")
REFUSED = Answer(domain="a.example", refuses_us=True, reason="policy-refusal: 550 5.7.1")


def mails(*domains: str) -> list[Waiting]:
    return [Waiting(id=DeliveryId(n), domain=one) for n, one in enumerate(domains, start=1)]


def shared(
    waiting: list[Waiting],
    pacing: Pacing,
    *,
    relay: Flow | None = None,
    roads: dict[str, Road] | None = None,
    first: bool = False,
    room: int | None = None,
) -> Share:
    known = {one.domain: Road(flow=Flow()) for one in waiting} | (roads or {})
    return share(
        waiting,
        pacing=pacing,
        relay=relay or Flow(),
        room=room,
        roads=known,
        first=first,
        now=NOW,
    )


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


# --- slots -------------------------------------------------------------------------------------


@pytest.mark.accept("R9", part="slots")
@given(count=st.integers(1, 200), rate=st.integers(1, 50), seconds=st.integers(1, 60))
def test_slots_are_never_closer_than_the_rate_allows(count: int, rate: int, seconds: int) -> None:
    pacing = Pacing(relay=parse_pace(f"{rate}/{seconds}s"))
    found = shared(mails(*["a.example"] * count), pacing)
    moments = sorted(found.leaves.values())
    assert all(
        (after - before).total_seconds() >= seconds / rate for before, after in pairwise(moments)
    )
    assert all(moment <= NOW + AHEAD for moment in moments[:-1])
    assert found.full or len(moments) == count


@pytest.mark.accept("R9", part="slots")
@given(st.lists(st.sampled_from(["a.example", "b.example", "c.example"]), max_size=60))
def test_each_domain_has_slots_of_its_own_and_nobody_is_forgotten(domains: list[str]) -> None:
    found = shared(mails(*domains), Pacing(domains=parse_domain_pace("10/s")))
    assert found.leaves.keys() | found.later.keys() == {one.id for one in mails(*domains)}
    assert not found.leaves.keys() & found.later.keys()
    for name in set(domains):
        own = [found.leaves[one.id] for one in mails(*domains) if one.id in found.leaves]
        assert len(own) == len(found.leaves)
        times = sorted(
            found.leaves[one.id]
            for one in mails(*domains)
            if one.domain == name and one.id in found.leaves
        )
        assert all((b - a).total_seconds() >= 0.1 for a, b in pairwise(times))


def test_a_domain_without_a_free_connection_is_passed_over() -> None:
    roads = {"slow.example": Road(flow=Flow(), under_way=2)}
    pacing = Pacing(connections=2)
    found = shared(mails("slow.example", "fast.example"), pacing, roads=roads)
    assert list(found.leaves) == [2]
    assert NOW < found.later[DeliveryId(1)] <= NOW + HORIZON


def test_mails_that_are_put_off_line_up_one_behind_the_other() -> None:
    full = {"a.example": Road(flow=Flow(free_at=NOW + 2 * AHEAD))}
    pacing = Pacing(domains=parse_domain_pace("10/s"))
    found = shared(mails(*["a.example"] * 4), pacing, roads=full)
    times = list(found.later.values())
    assert times[0] == NOW + 2 * AHEAD
    assert all((b - a).total_seconds() >= 0.1 for a, b in pairwise(times))


def test_what_goes_first_finds_a_slot_where_digests_find_none() -> None:
    relay = Flow(free_at=NOW + AHEAD * 1.05)
    pacing = Pacing(relay=parse_pace("14/s"))
    assert shared(mails("a.example"), pacing, relay=relay).full
    assert shared(mails("a.example"), pacing, relay=relay, first=True).leaves


def test_a_twentieth_of_a_quota_is_kept_for_what_goes_first() -> None:
    (hourly,) = parse_rates("100/h")
    assert room_of([(hourly, 90)], first=False) == 5
    assert room_of([(hourly, 90)], first=True) == 10
    assert room_of([(hourly, 99)], first=False) == 0
    assert room_of([], first=False) is None


# --- rests -------------------------------------------------------------------------------------


def after(flow: Flow, *answers: Answer) -> Flow:
    for answer in answers:
        flow = domain_after(flow, answer, now=NOW)
    return flow


@pytest.mark.accept("R8", part="a domain that greylists")
def test_a_domain_rests_after_five_in_a_row_and_longer_each_time() -> None:
    assert not after(Flow(), *[PUT_OFF] * (MOST_PUT_OFF - 1)).rests(NOW)
    assert not after(Flow(), *[PUT_OFF] * 4, GOOD, *[PUT_OFF] * 4).rests(NOW)
    flow, rests = after(Flow(), *[PUT_OFF] * MOST_PUT_OFF), []
    for _ in range(6):
        assert flow.rests_until is not None
        rests.append(flow.rest)
        flow = domain_after(flow, PUT_OFF, now=flow.rests_until)
    assert rests == [FIRST_REST * n for n in (1, 2, 4, 8, 15, 15)]
    assert rests[-1] == LONGEST_REST
    assert not after(flow, GOOD).is_probing


def test_while_a_domain_is_tried_again_one_mail_is_under_way() -> None:
    flow = replace(after(Flow(), *[PUT_OFF] * MOST_PUT_OFF), rests_until=NOW)
    pacing = Pacing(connections=5)
    roads = {"a.example": Road(flow=flow)}
    assert list(shared(mails(*["a.example"] * 3), pacing, roads=roads).leaves) == [1]
    roads = {"a.example": Road(flow=after(flow, GOOD))}
    assert list(shared(mails(*["a.example"] * 3), pacing, roads=roads).leaves) == [1, 2, 3]


@pytest.mark.accept("R14", part="rest")
def test_a_relay_rests_after_ten_refusals_in_a_row_an_hour_at_most() -> None:
    flow = Flow()
    for _ in range(9):
        flow = relay_after(flow, REFUSED, now=NOW)
    assert not flow.rests(NOW)
    flow = relay_after(flow, REFUSED, now=NOW)
    assert flow.rests(NOW)
    for _ in range(9):
        assert flow.rests_until is not None
        flow = relay_after(flow, REFUSED, now=flow.rests_until)
    assert flow.rest == LONGEST_REST_OF_RELAY
    assert relay_after(flow, GOOD, now=NOW) == Flow()


def test_a_rest_that_a_wrong_clock_set_is_over() -> None:
    assert not Flow(rests_until=NOW + timedelta(hours=2)).rests(NOW)


@pytest.mark.parametrize(
    ("phase", "reply", "expected"),
    [
        (Phase.RCPT, Reply(450, "4.2.0", ""), (False, True, False, False)),
        (Phase.RCPT, Reply(421, "4.3.2", ""), (False, True, True, False)),
        (Phase.CONNECT, None, (False, False, False, False)),
        (Phase.RCPT, Reply(550, "5.1.1", ""), (True, False, False, False)),
        (Phase.RCPT, Reply(550, "5.7.26", ""), (False, False, False, True)),
        (Phase.DOT, Reply(250, "2.0.0", ""), (True, False, False, False)),
    ],
)
def test_what_an_outcome_says_of_a_domain(
    phase: Phase, reply: Reply | None, expected: tuple[bool, ...]
) -> None:
    outcome = Outcome(id=DeliveryId(1), phase=phase, reply=reply, error="" if reply else "timeout")
    found = answer_of(outcome, verdict(outcome), "a.example")
    said = (found.accepted, found.put_off, found.told_to_rest, found.refuses_us)
    assert said == expected
    assert verdict(outcome).state in DeliveryState
    assert verdict(outcome).blame in (Blame(), *(Blame(**{name: True}) for name in Blame.__slots__))


# --- a new domain ------------------------------------------------------------------------------


def test_a_new_domain_begins_with_two_hundred_and_is_free_after_six_weeks() -> None:
    start = date(2026, 12, 1)
    days = [allowance(start, start + timedelta(days=n)) for n in range(43)]
    assert (days[0], days[41], days[42]) == (200, 200_000, None)
    numbers = [one for one in days if one is not None]
    assert all(1.17 < after / before < 1.2 for before, after in pairwise(numbers))
    assert allowance(start, start - timedelta(days=3)) == 200


def test_a_day_of_the_plan_begins_at_midnight_of_the_zone() -> None:
    today = WarmUp(start=date(2026, 1, 29), zone="Europe/Berlin").today(NOW)
    assert today is not None
    assert today.since <= NOW < today.since + timedelta(days=1)
    assert today.since.hour == 23
