"""One due instant for each local date, whatever the clocks of the world do."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.times import local_date, midnight_utc, parse_instant, zone_of
from paperround.digests.model import is_digest_day
from paperround.editions.lists import ListId, MailingList
from paperround.editions.schedule import (
    Cut,
    cut_instants,
    due_instant,
    due_instants,
    first_due,
    missed,
    newest_cut,
    next_cut,
    next_due,
)
from paperround.subscribers.model import (
    Frequency,
    Preferences,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
HOURS = range(24)
THESE_YEARS = (date(2026, 1, 1), date(2027, 12, 31))

ODD_ZONES = tuple(
    "Africa/Cairo Africa/Casablanca Africa/El_Aaiun America/Adak America/Asuncion America/Caracas"
    " America/Havana America/Los_Angeles America/New_York America/Nuuk America/Santiago"
    " America/Scoresbysund America/St_Johns Antarctica/Casey Antarctica/Troll Asia/Beirut Asia/Gaza"
    " Asia/Hebron Asia/Jerusalem Asia/Kathmandu Asia/Kolkata Asia/Pyongyang Asia/Tehran"
    " Atlantic/Azores Australia/Adelaide Australia/Eucla Australia/Lord_Howe Etc/GMT+12"
    " Etc/GMT-14 Europe/Berlin Europe/Chisinau Europe/Dublin Europe/Istanbul Europe/London"
    " Pacific/Auckland Pacific/Chatham Pacific/Easter Pacific/Kiritimati Pacific/Norfolk"
    " UTC".split()
)
ODD_YEARS = (
    ("Pacific/Apia", date(2011, 12, 20), date(2012, 1, 10)),
    ("Pacific/Kwajalein", date(1993, 8, 10), date(1993, 9, 1)),
    ("America/Sao_Paulo", date(2017, 1, 1), date(2018, 12, 31)),
    ("Asia/Beirut", date(2023, 3, 1), date(2023, 4, 15)),
    ("Asia/Dhaka", date(2009, 6, 1), date(2009, 7, 1)),
    ("Asia/Pyongyang", date(2018, 4, 20), date(2018, 5, 20)),
    ("America/St_Johns", date(2010, 1, 1), date(2010, 12, 31)),
    ("Antarctica/Casey", date(2010, 1, 1), date(2010, 12, 31)),
)
STRETCHES = (*((zone, *THESE_YEARS) for zone in ODD_ZONES), *ODD_YEARS)
"""Zones with the years in which their clocks do something odd."""


# --- one for each date -------------------------------------------------------------------------


def turns(zone: str, first: date, last: date) -> list[date]:
    """The UTC dates on which the offset of `zone` changes."""
    midnights = [midnight_utc(first) + DAY * n for n in range((last - first).days + 1)]
    offsets = [moment.astimezone(zone_of(zone)).utcoffset() for moment in midnights]
    return [
        midnight.date()
        for midnight, (before, after) in zip(midnights, pairwise(offsets), strict=False)
        if before != after
    ]


def existing(zone: str, first: date, last: date) -> list[date]:
    """The dates that a clock in `zone` shows, from `first` to `last`."""
    quarters = range(-3, 4 * ((last - first).days + 2))
    shown = {local_date(midnight_utc(first) + 6 * HOUR * n, zone) for n in quarters}
    return sorted(day for day in shown if first <= day <= last)


def walk(zone: str, hour: int, first: date, last: date) -> Iterator[datetime]:
    """Due instants as the planner meets them: each from the one before."""
    due = next(due_instants(first, hour=hour, zone=zone))
    while local_date(due, zone) <= last:
        yield due
        before, due = due, next_due(due, hour=hour, zone=zone)
        assert due > before, (zone, hour, before)


def assert_one_for_each_date(zone: str, hour: int, first: date, last: date) -> None:
    days = [local_date(due, zone) for due in walk(zone, hour, first, last)]
    assert days == existing(zone, first, last), (zone, hour)


@pytest.mark.accept("T1", part="due instants")
@pytest.mark.parametrize(("zone", "first", "last"), STRETCHES)
def test_around_every_clock_change_each_date_has_one_due_instant(
    zone: str, first: date, last: date
) -> None:
    for turn in turns(zone, first, last) or [first]:
        for hour in HOURS:
            assert_one_for_each_date(zone, hour, turn - 2 * DAY, turn + 2 * DAY)


@pytest.mark.long
@pytest.mark.accept("T1", part="due instants")
@pytest.mark.parametrize("hour", HOURS)
def test_in_every_zone_each_date_of_two_years_has_one_due_instant(hour: int) -> None:
    for zone in sorted(available_timezones()):
        assert_one_for_each_date(zone, hour, *THESE_YEARS)


# --- clock changes -----------------------------------------------------------------------------


@pytest.mark.accept("T2", part="due instants")
@pytest.mark.parametrize(
    ("zone", "day", "hour", "due"),
    [
        ("Europe/Berlin", "2026-03-29", 2, "2026-03-29T01:00Z"),
        ("America/New_York", "2026-03-08", 2, "2026-03-08T07:00Z"),
        ("Africa/Cairo", "2026-04-24", 0, "2026-04-23T22:00Z"),
        ("Asia/Beirut", "2026-03-29", 0, "2026-03-28T22:00Z"),
        ("America/Santiago", "2026-09-06", 0, "2026-09-06T04:00Z"),
        ("America/Sao_Paulo", "2018-11-04", 0, "2018-11-04T03:00Z"),
        ("Australia/Lord_Howe", "2026-10-04", 2, "2026-10-03T15:30Z"),
        ("Antarctica/Troll", "2026-03-29", 1, "2026-03-29T01:00Z"),
        ("Antarctica/Troll", "2026-03-29", 2, "2026-03-29T01:00Z"),
    ],
)
def test_an_hour_that_is_jumped_over_is_due_at_the_first_valid_instant(
    zone: str, day: str, hour: int, due: str
) -> None:
    assert due_instant(date.fromisoformat(day), hour, zone) == parse_instant(due)


@pytest.mark.accept("T2", part="due instants")
@pytest.mark.parametrize(
    ("zone", "day", "hour", "due"),
    [
        ("Europe/Berlin", "2026-10-25", 2, "2026-10-25T00:00Z"),
        ("America/New_York", "2026-11-01", 1, "2026-11-01T05:00Z"),
        ("Africa/Cairo", "2026-10-29", 23, "2026-10-29T20:00Z"),
        ("America/Sao_Paulo", "2018-02-17", 23, "2018-02-18T01:00Z"),
        ("Antarctica/Troll", "2026-10-25", 1, "2026-10-24T23:00Z"),
        ("Antarctica/Casey", "2010-03-05", 0, "2010-03-04T13:00Z"),
    ],
)
def test_an_hour_that_comes_twice_is_due_the_first_time(
    zone: str, day: str, hour: int, due: str
) -> None:
    assert due_instant(date.fromisoformat(day), hour, zone) == parse_instant(due)
    assert next_due(parse_instant(due), hour=hour, zone=zone) > parse_instant(due) + 20 * HOUR


@pytest.mark.accept("T2", part="due instants")
def test_a_jump_over_the_end_of_a_date_leaves_its_last_minute() -> None:
    # 23:00 on the 28th becomes 00:00 on the 29th, at one o'clock in UTC.
    saturday = due_instant(date(2026, 3, 28), 23, "America/Nuuk")
    sunday = due_instant(date(2026, 3, 29), 0, "America/Nuuk")
    assert saturday == parse_instant("2026-03-29T00:59Z")
    assert sunday == parse_instant("2026-03-29T01:00Z")


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Pacific/Apia", date(2011, 12, 30)), ("Pacific/Kwajalein", date(1993, 8, 21))],
)
def test_a_date_that_does_not_exist_has_no_due_instant(zone: str, day: date) -> None:
    assert [due_instant(day, hour, zone) for hour in HOURS] == [None] * 24
    eve = due_instant(day - DAY, 7, zone)
    assert eve is not None
    assert local_date(next_due(eve, hour=7, zone=zone), zone) == day + DAY


# --- changes of zone and hour ------------------------------------------------------------------

zones = st.sampled_from(ODD_ZONES + tuple(zone for zone, _, _ in ODD_YEARS))
hours = st.sampled_from(HOURS)
starts = st.sampled_from(
    [
        midnight_utc(date(2011, 12, 27)),
        midnight_utc(date(2026, 3, 26)),
        midnight_utc(date(2026, 10, 22)),
        midnight_utc(date(2027, 12, 28)),
    ]
)
QUARTER = 15 * MINUTE
QUARTERS = 7 * 24 * 4


@dataclass(slots=True)
class Reader:
    """Somebody with a ledger, and the planner's part of what happens to them."""

    hour: int
    zone: str
    due_at: datetime
    dates: list[date] = field(default_factory=list)

    def plan(self, now: datetime) -> None:
        while self.due_at <= now:
            day = local_date(self.due_at, self.zone)
            assert not self.dates or day > self.dates[-1], "two digests for one date"
            self.dates.append(day)
            self.due_at = next_due(self.due_at, hour=self.hour, zone=self.zone)

    def change(self, now: datetime, hour: int, zone: str) -> None:
        self.hour, self.zone = hour, zone
        self.due_at = first_due(now, hour=hour, zone=zone, taken=self.dates[-1])


@pytest.mark.slow
@pytest.mark.accept("T3", part="due instants")
@given(
    start=starts,
    hour=hours,
    zone=zones,
    changes=st.dictionaries(
        st.integers(0, QUARTERS), st.tuples(st.integers(0, 14), hours, zones), max_size=12
    ),
)
def test_whatever_readers_change_no_date_comes_twice_and_none_ends_without_its_digest(
    start: datetime, hour: int, zone: str, changes: dict[int, tuple[int, int, str]]
) -> None:
    reader = Reader(hour, zone, start, [local_date(start, zone) - DAY])
    reader.change(start, hour, zone)
    for number in range(QUARTERS):
        now = start + number * QUARTER
        today = local_date(now, reader.zone)
        reader.plan(now)
        if number in changes:
            minute, hour, zone = changes[number]
            reader.plan(now + minute * MINUTE)
            reader.change(now + minute * MINUTE, hour, zone)
        elif local_date(now + QUARTER, reader.zone) > today:
            reader.plan(now + QUARTER - MINUTE)
            assert reader.dates[-1] >= today, "a date ended without its digest"


@pytest.mark.accept("T3", part="due instants")
@given(
    start=starts, minutes=st.integers(0, 7 * 1440), hour=hours, zone=zones, ahead=st.integers(-4, 2)
)
def test_a_change_costs_a_day_at_most_or_the_rest_of_a_date_that_was_served(
    start: datetime, minutes: int, hour: int, zone: str, ahead: int
) -> None:
    now = start + minutes * MINUTE
    taken = local_date(now, zone) + ahead * DAY
    due = first_due(now, hour=hour, zone=zone, taken=taken)
    assert due >= now
    assert local_date(due, zone) > taken
    after_taken = next(due_instants(taken + DAY, hour=hour, zone=zone))
    assert due <= max(now + DAY, after_taken)


@pytest.mark.accept("T3", part="due instants")
def test_moving_west_waits_until_the_served_date_is_over() -> None:
    # Served on Saturday morning in Auckland, while it is still Friday in Los Angeles.
    friday_noon = parse_instant("2026-01-30T20:00Z")
    due = first_due(friday_noon, hour=7, zone="America/Los_Angeles", taken=date(2026, 1, 31))
    assert due == parse_instant("2026-02-01T15:00Z")


@pytest.mark.accept("T3", part="due instants")
def test_an_earlier_hour_does_not_lose_today() -> None:
    now = parse_instant("2026-01-30T05:30Z")
    yesterday, today = date(2026, 1, 29), date(2026, 1, 30)
    assert first_due(now, hour=4, zone="UTC", taken=yesterday) == now
    assert first_due(now, hour=4, zone="UTC", taken=today) == parse_instant("2026-01-31T04:00Z")


def test_somebody_new_waits_for_the_hour_to_come() -> None:
    now = parse_instant("2026-01-30T07:00Z")
    assert first_due(now, hour=7, zone="UTC") == now
    assert first_due(now, hour=8, zone="UTC") == parse_instant("2026-01-30T08:00Z")
    assert first_due(now, hour=6, zone="UTC") == parse_instant("2026-01-31T06:00Z")


def test_the_next_date_is_counted_in_the_zone_of_now() -> None:
    due_in_auckland = parse_instant("2026-01-30T18:00Z")
    due = next_due(due_in_auckland, hour=7, zone="America/Los_Angeles")
    assert due == parse_instant("2026-01-31T15:00Z")


# --- a service that stood still ----------------------------------------------------------------


@pytest.mark.accept("T4", part="which digests are too late")
@pytest.mark.parametrize(
    ("late", "too_late"),
    [(MINUTE, False), (HOUR, False), (19 * HOUR, False), (21 * HOUR, True), (3 * DAY, True)],
)
def test_a_digest_is_sent_late_within_its_life_only(late: timedelta, too_late: bool) -> None:
    due = parse_instant("2026-01-30T06:00Z")
    assert missed(due, due + late) is too_late


# --- the calendar ------------------------------------------------------------------------------


def weekly(weekday: str) -> Subscription:
    return Subscription(
        id=SubscriptionId(1),
        subscriber_id=SubscriberId(1),
        list_id=ListId(1),
        state=SubscriberState.ACTIVE,
        preferences=Preferences(frequency=Frequency.WEEKLY, weekday=weekday),
    )


@pytest.mark.accept("T8", part="due instants")
@pytest.mark.parametrize("weekday", ["sat", "sun", "mon"])
def test_a_weekly_digest_comes_every_seven_days_over_years(weekday: str) -> None:
    zone = "America/Santiago"
    days = [local_date(due, zone) for due in walk(zone, 0, date(2026, 1, 1), date(2028, 12, 31))]
    theirs = [day for day in days if is_digest_day(weekly(weekday), day)]
    assert {later - day for day, later in pairwise(theirs)} == {7 * DAY}
    assert {f"{day:%a}".lower() for day in theirs} == {weekday}


# --- cuts --------------------------------------------------------------------------------------


def with_cuts(*cuts: str, zone: str = "UTC") -> MailingList:
    return MailingList(id=ListId(1), name="trending", title="Trending", zone=zone, cuts=cuts)


FOUR = ("00:00", "06:00", "12:00", "18:00")


@pytest.mark.accept("T9", part="which cut")
@pytest.mark.parametrize(
    ("zone", "cut_day", "name"),
    [
        ("Pacific/Auckland", date(2025, 12, 16), "3"),
        ("Europe/Berlin", date(2025, 12, 17), "1"),
        ("America/Los_Angeles", date(2025, 12, 17), "2"),
    ],
)
def test_each_reader_gets_the_newest_cut_before_seven_in_the_morning(
    zone: str, cut_day: date, name: str
) -> None:
    due = due_instant(date(2025, 12, 17), 7, zone)
    assert due is not None
    cut = newest_cut(with_cuts(*FOUR), due)
    assert (cut.day, cut.name) == (cut_day, name)
    assert due - 6 * HOUR < cut.instant <= due


def test_cuts_are_local_times_named_in_order() -> None:
    cuts = cut_instants(with_cuts("06:30", "18:00", zone="Europe/Berlin"), date(2026, 7, 1))
    assert [(cut.name, cut.instant) for cut in cuts] == [
        ("0", parse_instant("2026-07-01T04:30Z")),
        ("1", parse_instant("2026-07-01T16:00Z")),
    ]


def test_before_the_first_cut_of_a_day_the_newest_is_of_yesterday() -> None:
    mailing_list, morning = with_cuts("18:00"), parse_instant("2026-01-01T09:00Z")
    assert newest_cut(mailing_list, morning) == Cut(
        day=date(2025, 12, 31), name="0", instant=parse_instant("2025-12-31T18:00Z")
    )
    assert next_cut(mailing_list, morning).day == date(2026, 1, 1)


def test_cuts_pass_over_a_date_that_does_not_exist() -> None:
    mailing_list = with_cuts("18:00", zone="Pacific/Apia")
    assert cut_instants(mailing_list, date(2011, 12, 30)) == ()
    before, after = parse_instant("2011-12-30T06:00Z"), parse_instant("2011-12-30T12:00Z")
    assert next_cut(mailing_list, before).day == date(2011, 12, 31)
    assert newest_cut(mailing_list, after).day == date(2011, 12, 29)


def test_of_two_cuts_that_a_clock_change_puts_together_the_later_counts() -> None:
    mailing_list = with_cuts("02:00", "03:00", zone="Europe/Berlin")
    assert newest_cut(mailing_list, parse_instant("2026-03-29T01:00Z")).name == "1"


@pytest.mark.parametrize("zone", ["Africa/Cairo", "America/Nuuk", "Australia/Lord_Howe"])
def test_every_cut_is_newest_until_the_next_one(zone: str) -> None:
    mailing_list = with_cuts(*FOUR, zone=zone)
    for n in range(200):
        moment = midnight_utc(date(2026, 3, 20)) + n * 7 * HOUR
        coming = next_cut(mailing_list, moment)
        assert newest_cut(mailing_list, moment).instant <= moment < coming.instant
        assert newest_cut(mailing_list, coming.instant) == coming
