"""A tick: everything that is due, whatever fails; and who hears when digests do not get out."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from paperround.core.errors import FetchFailed
from paperround.db.schema import tables as db
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, SqlDatabase
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.editions.model import Ranking
from paperround.editions.store.lists import ListStore
from paperround.ops.tick import (
    SCHEDULER,
    TickReport,
    plan_digests,
    poll_round,
    publish_round,
    returns_round,
    tick,
)
from paperround.subscribers.model import Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.fakes import NewestFirst
from tests.ops.ticking import (
    DAY,
    HOUR,
    KEEPER,
    MINUTE,
    DeadMan,
    Quiet,
    Switched,
    editions,
    send,
    tick_context,
)
from tests.races import at_once
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

SEVEN = datetime(2026, 1, 31, 7, tzinfo=UTC)
"""When the readers' first digest is due."""


class Broken(NewestFirst):
    """A ranker that has a bug."""

    def rank(self, *_: Any, **__: Any) -> Ranking:
        raise ZeroDivisionError("no votes at all")


def broken_ping(_: datetime) -> None:
    """Breaks in a way nobody thought of."""
    raise TypeError("a header that is no header")


@pytest.fixture
def ready(database: SqlDatabase) -> SqlDatabase:
    """Papers and two readers whose clocks have started."""
    fill(database, [record(n) for n in range(1, 31)], NOW - HOUR)
    subscribe(database, "ada", "bo")
    tick(tick_context(database), now=NOW + MINUTE)
    return database


def totals(database: Database, now: datetime) -> LedgerTotals:
    with database.reading() as work:
        return work[Ledger].totals(now=now)


def subjects(report: TickReport) -> list[str]:
    return [alert.subject for alert in report.alerts]


def minutes(start: datetime, count: int, *, step: int = 5) -> list[datetime]:
    return [start + n * MINUTE for n in range(0, count, step)]


# --- what it does ------------------------------------------------------------------------------


def test_a_tick_freezes_plans_wakes_the_sender_and_leaves_a_sign_of_life(
    ready: SqlDatabase,
) -> None:
    woken: list[str] = []
    quiet = Quiet()
    one = tick_context(ready, ping=quiet.ping, wake=lambda: woken.append("woken"))
    report = tick(one, now=SEVEN)
    assert (len(report.editions), report.plans["trending"].planned) == (1, 2)
    assert (report.failed, report.alerts) == ({}, [])
    assert (woken, quiet.heard) == (["woken"], [SEVEN])
    with ready.reading() as work:
        assert work[SlotStore].last_beat(SCHEDULER) == SEVEN


def test_a_tick_with_nothing_due_wakes_nobody(ready: SqlDatabase) -> None:
    woken: list[str] = []
    one = tick_context(ready, wake=lambda: woken.append("woken"))
    assert tick(one, now=NOW + HOUR).editions == []
    assert woken == []


@pytest.mark.postgres
@pytest.mark.accept("T6", part="ticks at once")
def test_ticks_that_overlap_make_one_edition_and_one_mail_a_person(ready: SqlDatabase) -> None:
    found = at_once(4, lambda _: tick(tick_context(ready), now=SEVEN))
    reports = [one for one in found if not isinstance(one, str)]
    assert [one.failed for one in reports] == [{}] * 4
    assert [one.cut_at for one in editions(ready)][-1] == SEVEN - HOUR
    assert totals(ready, SEVEN) == LedgerTotals(queued=2)
    assert sorted(send(ready, now=SEVEN)) == ["ada@example.org", "bo@example.org"]


# --- what fails --------------------------------------------------------------------------------


def test_a_step_that_fails_keeps_no_other_from_its_work(ready: SqlDatabase) -> None:
    publish_round(tick_context(ready), now=SEVEN - HOUR)
    quiet = Quiet()
    report = tick(tick_context(ready, ranker=Broken(), ping=quiet.ping), now=SEVEN + 5 * HOUR)
    assert report.failed == {"cuts": "ZeroDivisionError: no votes at all"}
    assert report.plans["trending"].planned == 2
    assert "A step of the schedule fails: cuts" in subjects(report)
    assert quiet.heard == []


def test_a_list_that_cannot_be_frozen_keeps_no_other_from_its_edition(
    ready: SqlDatabase, engine: Engine
) -> None:
    with engine.begin() as connection:
        row = dict(connection.execute(select(db.lists)).mappings().one())
        del row["id"]
        connection.execute(insert(db.lists).values({**row, "name": "a list", "zone": "Mars"}))
    report = tick(tick_context(ready), now=SEVEN)
    assert "Mars" in report.failed["cuts"]
    assert [edition.list_name for edition in report.editions] == ["trending"]
    assert totals(ready, SEVEN) == LedgerTotals(queued=2)


@pytest.mark.accept("F46", part="alerts")
def test_a_tick_outlives_the_loss_of_its_database(ready: SqlDatabase) -> None:
    switched, quiet = Switched(ready, is_down=True), Quiet()
    one = tick_context(switched, ping=quiet.ping)
    report = tick(one, now=SEVEN)
    assert set(report.failed) == {
        *(
            "poll",
            "clock",
            "cuts",
            "plan",
            "relay",
            "house",
            "figures",
            "retention",
            "troubles",
            "alerts",
        )
    }
    assert (report.alerts, quiet.heard) == ([], [])
    switched.is_down = False
    report = tick(one, now=SEVEN + MINUTE)
    assert (report.failed, report.plans["trending"].planned) == ({}, 2)
    assert quiet.heard == [SEVEN + MINUTE]


def test_a_tick_outlives_a_database_that_goes_while_it_runs(ready: SqlDatabase) -> None:
    switched, quiet = Switched(ready), Quiet()

    def power_cut() -> None:
        switched.is_down = True

    report = tick(tick_context(switched, ping=quiet.ping, wake=power_cut), now=SEVEN)
    assert (len(report.editions), report.plans["trending"].planned) == (1, 2)
    assert set(report.failed) == {"relay", "house", "figures", "retention", "troubles", "alerts"}
    assert quiet.heard == []


def test_a_tick_outlives_its_ping(ready: SqlDatabase) -> None:
    report = tick(tick_context(ready, ping=broken_ping), now=SEVEN)
    assert report.plans["trending"].planned == 2
    assert report.failed == {"ping": "TypeError: a header that is no header"}


@pytest.mark.accept("F46", part="alerts")
def test_a_poll_that_fails_as_a_whole_is_told_though_digests_go_out(ready: SqlDatabase) -> None:
    switched, quiet = Switched(ready), Quiet()
    one = tick_context(ready, ping=quiet.ping)
    broken = replace(one, feed_context=replace(one.feed_context, database=switched))
    switched.is_down = True
    assert subjects(poll_round(broken, now=SEVEN)) == ["A step of the schedule fails: poll"]
    assert subjects(publish_round(broken, now=SEVEN)) == []
    assert quiet.heard == [SEVEN]


@pytest.mark.parametrize("to", [KEEPER, "nobody@example.org", None])
def test_an_alert_reaches_whoever_is_to_hear_of_it(ready: SqlDatabase, to: str | None) -> None:
    with ready.writing() as work:
        digest = IDENTITY.keys.digest("suppression", "nobody@example.org")
        work[SubscriberStore].suppress(digest, IDENTITY.keys.current.id, reason="asked", now=NOW)
    report = tick(tick_context(ready, ranker=Broken(), alerts_to=to), now=SEVEN)
    assert subjects(report) == ["A step of the schedule fails: cuts"]
    assert list(report.failed) == ["cuts"]
    assert send(ready, now=SEVEN) == ([to] if to else [])


# --- a missed day ------------------------------------------------------------------------------


def first_alert(database: SqlDatabase, now: list[datetime]) -> tuple[datetime, list[str]]:
    """When the operator was first told something, and what, of a process that never sends."""
    one = tick_context(database)
    told = ((moment, subjects(tick(one, now=moment))) for moment in now)
    return next((moment, said) for moment, said in told if said)


@pytest.mark.accept("O2", part="mails do not leave")
def test_within_half_an_hour_the_operator_hears_that_mails_do_not_leave(
    ready: SqlDatabase,
) -> None:
    when, said = first_alert(ready, minutes(SEVEN - HOUR, 180))
    assert when <= SEVEN + 30 * MINUTE
    assert said == ["Digests of trending are late"]
    with ready.reading() as work:
        assert work[NoticeLedger].find(f"alert|late/trending/{SEVEN:%Y-%m-%d}") is not None


@pytest.mark.accept("O2", part="people are not planned")
def test_within_half_an_hour_the_operator_hears_that_there_are_no_papers(
    database: SqlDatabase,
) -> None:
    subscribe(database, "ada", "bo")
    tick(tick_context(database), now=NOW + MINUTE)
    when, said = first_alert(database, minutes(SEVEN - HOUR, 180))
    assert when <= SEVEN + 30 * MINUTE
    assert said == ["2 readers of trending got no email: there are no papers"]


@pytest.mark.accept("O2", part="a step fails")
def test_at_once_the_operator_hears_that_editions_cannot_be_made(ready: SqlDatabase) -> None:
    one = tick_context(ready, ranker=Broken())
    assert subjects(tick(one, now=SEVEN)) == ["A step of the schedule fails: cuts"]


@pytest.mark.accept("T4", part="alert")
def test_after_three_days_of_silence_every_missed_day_is_told_once(ready: SqlDatabase) -> None:
    back = SEVEN + 3 * DAY
    said = subjects(tick(tick_context(ready), now=back))
    assert said == [f"2 digests of 2026-0{day} were missed" for day in ("1-31", "2-01", "2-02")]
    assert send(ready, now=back).count("ada@example.org") == 1
    assert subjects(tick(tick_context(ready), now=back + MINUTE)) == []


@pytest.mark.accept("T4", part="alert")
def test_digests_that_a_process_gave_up_and_died_are_told_by_the_next(ready: SqlDatabase) -> None:
    back = SEVEN + 21 * HOUR
    plan_digests(tick_context(ready), now=back)
    assert subjects(tick(tick_context(ready), now=back + MINUTE)) == [
        f"2 digests of {SEVEN:%Y-%m-%d} were missed"
    ]


@pytest.mark.slow
@pytest.mark.accept("O2", part="dead-man")
def test_the_dead_man_switch_raises_the_alarm_when_the_scheduler_was_killed(
    ready: SqlDatabase,
) -> None:
    service = DeadMan(NOW)
    one = tick_context(ready, ping=service.switch().ping)
    for service.present in minutes(SEVEN - 2 * HOUR, 100):
        tick(one, now=service.present)
        assert not service.alarms()
    killed = service.heard[-1]
    assert killed < SEVEN
    service.present = SEVEN + 30 * MINUTE
    assert service.alarms()


@pytest.mark.slow
@pytest.mark.accept("O2", part="dead-man hears of late mail")
def test_the_dead_man_switch_raises_the_alarm_while_mails_do_not_leave(
    ready: SqlDatabase,
) -> None:
    service = DeadMan(NOW)
    one = tick_context(ready, ping=service.switch().ping)
    for service.present in minutes(SEVEN - HOUR, 200):
        tick(one, now=service.present)
    assert max(service.heard) < SEVEN + 30 * MINUTE
    assert service.alarms()
    send(ready, now=service.present)
    tick(one, now=service.present)
    assert not service.alarms()


@pytest.mark.slow
def test_a_trouble_that_comes_back_the_same_day_is_told_again(ready: SqlDatabase) -> None:
    evening = Preferences(hour=19)
    subscribe(ready, "eve", wish=evening)
    told: list[datetime] = []
    for now in minutes(SEVEN, 15 * 60, step=15):
        said = subjects(tick(tick_context(ready), now=now))
        told += [now] * said.count("Digests of trending are late")
        if SEVEN + HOUR <= now < SEVEN + 11 * HOUR:
            send(ready, now=now)
    assert told == [SEVEN + 30 * MINUTE, SEVEN + 12 * HOUR + 30 * MINUTE]
    assert send(ready, now=SEVEN + 15 * HOUR).count(KEEPER) == 1


def test_a_paused_list_is_not_late(ready: SqlDatabase) -> None:
    tick(tick_context(ready), now=SEVEN)
    with ready.writing() as work:
        work[ListStore].pause(work[ListStore].get("trending").id, now=SEVEN)
    quiet = Quiet()
    assert tick(tick_context(ready, ping=quiet.ping), now=SEVEN + 2 * HOUR).alerts == []
    assert quiet.heard


@pytest.mark.accept("F36", part="mailbox")
def test_the_mailbox_is_looked_into_once_every_five_minutes_by_whoever_ticks(
    ready: SqlDatabase,
) -> None:
    looked: list[int] = []

    def empty() -> Counter[str]:
        looked.append(len(looked))
        return Counter(noted=1)

    each = [returns_round(tick_context(ready), empty, now=SEVEN + n * MINUTE) for n in range(11)]
    assert looked == [0, 1, 2]
    assert [one is not None for one in each] == [n % 5 == 0 for n in range(11)]


@pytest.mark.accept("F36", part="mailbox")
def test_a_mailbox_that_cannot_be_read_is_told_to_the_operator(ready: SqlDatabase) -> None:
    def empty() -> Counter[str]:
        raise FetchFailed("mail.example:993 rejects the user or the password")

    returns_round(tick_context(ready, alerts_to=KEEPER), empty, now=SEVEN)
    with ready.reading() as work:
        payloads = [row.payload for row in work.connection.execute(select(db.notices))]
    (told,) = payloads
    assert told["subject"] == "A step of the schedule fails: returns"
    assert "rejects the user" in told["lines"]
