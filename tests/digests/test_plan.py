"""Everybody's hour: which edition they get, what is missed, and what is never sent twice."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.delivery.status import DeliveryQuery
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.status import StatusStore
from paperround.digests.plan import (
    LONGEST_WAIT,
    Welcome,
    plan_due,
)
from paperround.digests.resend import missed
from paperround.editions.lists import ListId, MailingList
from paperround.editions.model import DeliveryState, DigestKind, Edition
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import Frequency, Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.digests.planning import (
    DAY,
    HOUR,
    HOURS,
    MINUTE,
    SEVEN,
    at,
    cut,
    days,
    history,
    plan,
    welcome,
)
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe


def edition_of(database: SqlDatabase, name: str, day: date) -> Edition:
    with database.reading() as work:
        trending = work[ListStore].get("trending")
        people = work[SubscriberStore].export(trending.id)
        (person,) = (one for one, _ in people if one.address.startswith(name))
        slip = work[Ledger].find(trending.id, person.id, DigestKind.DIGEST, day)
        assert slip is not None
        return work[EditionStore].get(slip.edition_id)


@pytest.fixture
def reader(database: SqlDatabase) -> SqlDatabase:
    """Papers, and one reader in UTC whose clock has started."""
    fill(database, [record(n) for n in range(1, 31)])
    subscribe(database, "ada")
    plan(database, NOW + MINUTE)
    return database


def test_midnight_is_an_hour_that_a_reader_can_choose() -> None:
    of_list = MailingList(id=ListId(1), name="bio", title="Bio")
    assert HOURS.hour_of(Preferences(hour=0), of_list) == 0
    assert HOURS.hour_of(Preferences(), of_list) == HOURS.hour
    assert HOURS.hour_of(Preferences(), replace(of_list, default_hour=0)) == 0


def test_nobody_is_planned_before_their_hour(reader: SqlDatabase) -> None:
    cut(reader, at(6))
    assert plan(reader, SEVEN - MINUTE).planned == 0
    assert plan(reader, SEVEN).planned == 1


def test_a_sign_of_life_is_left_after_every_page_of_people(
    database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database, [record(n) for n in range(1, 31)])
    subscribe(database, "ada", "bob", "cleo", "dora", "eve")
    plan(database, NOW + MINUTE)
    cut(database, at(6))
    monkeypatch.setattr("paperround.digests.plan.PAGE", 2)
    planned: list[int] = []

    def alive() -> None:
        planned.append(sum(len(history(database, one)) for one in ("ada", "bob", "cleo", "dora")))

    plan_due(database=database, identity=IDENTITY, hours=HOURS, now=SEVEN, alive=alive)
    assert planned == [2, 4, 4]


@pytest.mark.slow
@pytest.mark.accept("T9", part="one list, three zones")
def test_each_reader_gets_the_newest_cut_before_their_own_hour(database: SqlDatabase) -> None:
    fill(database, [record(n) for n in range(1, 31)])
    zones = {"kiri": "Pacific/Auckland", "bert": "Europe/Berlin", "lana": "America/Los_Angeles"}
    for name, zone in zones.items():
        subscribe(database, name, wish=Preferences(timezone=zone))
    plan(database, at(0, day=30) + 19 * HOUR)  # after Auckland's seven, which is 18:00 UTC
    for hour in range(24 * 2):
        now = at(0) + hour * HOUR
        if now.hour % 6 == 0:
            fill(database, [record(100 + hour)], now - MINUTE)
            cut(database, now)
        plan(database, now)
    found = {name: edition_of(database, name, date(2026, 2, 1)) for name in zones}
    assert found["kiri"].cut_at == datetime(2026, 1, 31, 18, tzinfo=UTC)
    assert found["bert"].cut_at == datetime(2026, 2, 1, 6, tzinfo=UTC)
    assert found["lana"].cut_at == datetime(2026, 2, 1, 12, tzinfo=UTC)
    assert [day for day, _, _ in days(database, "kiri")] == [date(2026, 2, 1), date(2026, 2, 2)]


@pytest.mark.postgres
def test_the_edition_of_today_does_not_count_what_was_missed_on_other_days(
    reader: SqlDatabase,
) -> None:
    newest = cut(reader, at(6) + 3 * DAY)
    plan(reader, SEVEN + 3 * DAY)
    with reader.reading() as work:
        [tally] = work[StatusStore].editions_among([newest.id])
        of_it = work[StatusStore].deliveries(
            DeliveryQuery(edition_id=newest.id), before=None, limit=9
        )
    assert tally.by_state == {DeliveryState.QUEUED: 1}
    assert [one.state for one in of_it] == [DeliveryState.QUEUED]
    assert len(history(reader)) == 4


@pytest.mark.accept("T4")
@pytest.mark.parametrize(
    ("stopped", "found"),
    [
        (MINUTE, [("queued", "")]),
        (HOUR, [("queued", "")]),
        (19 * HOUR, [("queued", "")]),
        (21 * HOUR, [("expired", "missed")]),
        (3 * DAY, [("expired", "missed")] * 3 + [("queued", "")]),
    ],
)
def test_what_was_missed_is_sent_late_or_given_up(
    reader: SqlDatabase, stopped: timedelta, found: list[tuple[str, str]]
) -> None:
    cut(reader, at(6))
    if stopped > DAY:
        cut(reader, at(6) + 3 * DAY)
    report = plan(reader, SEVEN + stopped)
    rows = days(reader)
    assert [(state, reason) for _, state, reason in rows] == found
    assert sum(report.missed.values()) == found.count(("expired", "missed"))
    assert len({day for day, _, _ in rows}) == len(rows)


def test_a_late_digest_lives_twenty_hours_from_its_own_hour(reader: SqlDatabase) -> None:
    cut(reader, at(6))
    plan(reader, SEVEN + 19 * HOUR)
    assert history(reader)[0].due_at == SEVEN


def test_a_digest_waits_a_while_for_an_edition_that_is_late(reader: SqlDatabase) -> None:
    cut(reader, at(0))
    assert plan(reader, SEVEN + HOUR).waiting == 1
    cut(reader, at(6), late=2 * HOUR)
    plan(reader, SEVEN + HOUR + MINUTE)
    assert edition_of(reader, "ada", SEVEN.date()).cut_at == at(6)


def test_after_that_it_takes_the_edition_there_is(reader: SqlDatabase) -> None:
    cut(reader, at(0))
    plan(reader, SEVEN + LONGEST_WAIT)
    assert edition_of(reader, "ada", SEVEN.date()).cut_at == at(0)


def test_without_any_edition_people_are_late_and_not_forgotten(reader: SqlDatabase) -> None:
    assert plan(reader, SEVEN + LONGEST_WAIT).late == 1
    cut(reader, at(6), late=3 * HOUR)
    assert plan(reader, SEVEN + 3 * HOUR).planned == 1


@pytest.mark.accept("F19", part="weekdays")
def test_a_day_that_is_not_theirs_is_recorded_with_the_reason(database: SqlDatabase) -> None:
    fill(database, [record(n) for n in range(1, 31)])
    wish = Preferences(frequency=Frequency.WEEKLY, weekday="sun")
    subscribe(database, "ada", wish=wish)
    plan(database, NOW + MINUTE)
    cut(database, at(6))
    cut(database, at(6) + DAY)
    assert dict(plan(database, SEVEN).skipped) == {"not-their-day": 1}
    assert plan(database, SEVEN + DAY).planned == 1


@pytest.mark.accept("F48", part="a restored installation never re-sends")
def test_what_was_due_before_a_restore_is_never_sent(reader: SqlDatabase) -> None:
    cut(reader, at(6))
    with reader.writing() as work:
        work[ListStore].hold_after_restore(now=SEVEN + HOUR)
    assert dict(plan(reader, SEVEN + HOUR).skipped) == {"restored": 1}


@pytest.mark.accept("F48", part="a restored installation never re-sends")
def test_what_was_due_before_a_restore_is_sent_if_you_know_that_it_did_not_leave(
    reader: SqlDatabase,
) -> None:
    cut(reader, at(6))
    with reader.writing() as work:
        work[ListStore].hold_after_restore(now=SEVEN + HOUR)
    plan(reader, SEVEN + HOUR)
    seen = partial(missed, reader, "trending", day=SEVEN.date(), now=SEVEN + HOUR)
    assert (seen().unknown, seen().sendable) == (1, 0)
    assert seen(include_unknown=True).sendable == 1


@pytest.mark.accept("F13", part="topics")
def test_a_topic_is_looked_for_in_the_abstract_too(database: SqlDatabase) -> None:
    papers = [record(n) for n in range(1, 31)]
    papers.append(record(40, abstract="A long story. It ends with zebrafish in a tank."))
    fill(database, papers)
    subscribe(database, "ada", wish=Preferences(topics=("zebrafish",), size=1))
    plan(database, NOW + MINUTE)
    edition = cut(database, at(6))
    plan(database, SEVEN)
    with database.reading() as work:
        person = next(iter(work[SubscriberStore].export(edition.list_id)))[0]
        slip = work[Ledger].find(edition.list_id, person.id, DigestKind.DIGEST, SEVEN.date())
    assert slip is not None
    (position,) = slip.positions
    assert edition.papers[position - 1].title == "Paper 40"
    assert "zebrafish" in slip.reasons[position]


# --- newcomers ---------------------------------------------------------------------------------


@pytest.mark.accept("F28", part="the newest edition at once")
def test_a_newcomer_gets_the_newest_edition_at_once_and_no_other_that_day(
    database: SqlDatabase,
) -> None:
    fill(database, [record(n) for n in range(1, 31)])
    cut(database, at(0))
    cut(database, at(6))
    subscribe(database, "ada")
    assert welcome(database, at(6, minute=30)) is Welcome.DUE
    assert plan(database, at(6, minute=30)).planned == 1
    assert plan(database, SEVEN).planned == 0
    cut(database, at(6) + DAY)
    assert plan(database, SEVEN + DAY).planned == 1
    assert [day for day, _, _ in days(database)] == [SEVEN.date(), (SEVEN + DAY).date()]


def test_a_newcomer_to_a_weekly_digest_need_not_wait_a_week(database: SqlDatabase) -> None:
    fill(database, [record(n) for n in range(1, 31)], NOW - HOUR)
    cut(database, at(6, day=30))
    wish = Preferences(frequency=Frequency.WEEKLY, weekday="mon")
    subscribe(database, "ada", wish=wish)
    assert welcome(database, NOW) is Welcome.DUE
    assert plan(database, NOW).planned == 1


def test_a_newcomer_before_the_first_edition_gets_it_once_it_is_there(
    database: SqlDatabase,
) -> None:
    subscribe(database, "ada")
    assert welcome(database, at(6, minute=30)) is Welcome.FIRST_PAPERS
    assert plan(database, at(6, minute=31)).waiting == 1
    fill(database, [record(1)])
    cut(database, at(6), late=32 * MINUTE)
    assert plan(database, at(6, minute=32)).planned == 1
    assert plan(database, SEVEN).planned == 0


# --- nobody is stuck ---------------------------------------------------------------------------


@pytest.mark.accept("F48", part="after a restore")
def test_after_a_restore_the_next_edition_frees_those_who_waited_for_it(
    reader: SqlDatabase,
) -> None:
    cut(reader, at(6))
    with reader.writing() as work:
        work[ListStore].hold_after_restore(now=at(6, minute=30))
    assert plan(reader, SEVEN + 2 * HOUR).late == 1
    fill(reader, [record(n) for n in range(50, 60)], at(8))
    cut(reader, at(12))
    assert plan(reader, at(12)).planned == 1


@pytest.mark.accept("F48", part="after a restore")
def test_a_digest_that_waited_too_long_for_that_is_missed_and_the_clock_goes_on(
    reader: SqlDatabase,
) -> None:
    cut(reader, at(6))
    with reader.writing() as work:
        work[ListStore].hold_after_restore(now=at(6, minute=30))
    assert sum(plan(reader, SEVEN + 21 * HOUR).missed.values()) == 1
    assert plan(reader, SEVEN + 22 * HOUR).waiting == 0


def test_whoever_was_away_over_a_cut_gets_the_edition_of_now(reader: SqlDatabase) -> None:
    cut(reader, at(18, day=30))
    fill(reader, [record(n) for n in range(50, 60)], at(12))
    cut(reader, at(12))
    plan(reader, at(12, minute=30))
    assert edition_of(reader, "ada", SEVEN.date()).cut_at == at(12)


@pytest.mark.accept("F20", part="weekly readers")
def test_nobody_misses_a_digest_they_did_not_want(database: SqlDatabase) -> None:
    fill(database, [record(n) for n in range(1, 31)])
    subscribe(database, "ada", wish=Preferences(frequency=Frequency.WEEKLY, weekday="mon"))
    plan(database, NOW + MINUTE)
    cut(database, at(6))
    report = plan(database, SEVEN + 21 * HOUR)
    assert (report.missed, dict(report.skipped)) == ({}, {"not-their-day": 1})


def test_a_zone_this_machine_does_not_know_keeps_nobody_from_their_mail(
    database: SqlDatabase,
) -> None:
    fill(database, [record(n) for n in range(1, 31)])
    subscribe(database, "mars", wish=Preferences(timezone="Mars/Olympus_Mons"))
    subscribe(database, "ada")
    plan(database, NOW + MINUTE)
    cut(database, at(6))
    assert plan(database, SEVEN).planned == 2
