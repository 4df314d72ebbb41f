"""Housekeeping: one reminder, in time; who never confirmed is forgotten; once an hour is enough."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from paperround.bounces.store import ReturnStore
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, SqlDatabase
from paperround.delivery.rate_state import Pacing, parse_domain_pace
from paperround.delivery.store.erasure import Erasure
from paperround.delivery.store.rates import PaceStore
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.editions.model import DeliveryId
from paperround.feeds.model import FeedHealth, NewFeed
from paperround.feeds.store.feeds import FeedStore
from paperround.ops.cleanup import KEPT_NAMES, KEPT_SLOTS, CleanupReport, clean_up
from paperround.ops.retention import KEEP
from paperround.papers.model import Reject
from paperround.signup.confirm import confirm
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.model import Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import NOW, address, returned_event
from tests.races import THREADS, at_once
from tests.sample_database import IDENTITY
from tests.self_service.readers import (
    DAYS,
    HOURS,
    LIMITS,
    from_net,
    link,
    post,
    request,
    second_list,
    signup_context,
    subscribe,
)

MINUTE = timedelta(minutes=1)
DOMAINS = Pacing(domains=parse_domain_pace("20/s"))


def house(database: Database, after: timedelta) -> CleanupReport:
    return clean_up(database=database, identity=IDENTITY, now=NOW + after)


@pytest.fixture
def asked(database: SqlDatabase) -> SqlDatabase:
    """Somebody signed up at NOW, and got the mail that asks them to confirm."""
    subscribe(signup_context(database), request(), now=NOW)
    assert len(post(database)) == 1
    return database


@pytest.mark.accept("F28", part="reminder")
@pytest.mark.parametrize(
    ("after", "reminded"),
    [
        (24 * HOURS - MINUTE, 0),
        (24 * HOURS + MINUTE, 1),
        (47 * HOURS, 1),
        (48 * HOURS + MINUTE, 0),
        (5 * DAYS, 0),
    ],
)
def test_a_reminder_comes_after_a_day_while_the_link_still_works(
    asked: SqlDatabase, after: timedelta, reminded: int
) -> None:
    assert house(asked, after).reminded == reminded
    mails = post(asked, now=NOW + after)
    assert [mail.kind for mail in mails] == [SystemMailKind.REMINDER] * reminded


def test_each_of_two_wishes_is_reminded_of_by_itself(database: SqlDatabase, engine: Engine) -> None:
    here, names = signup_context(database), ("trending", second_list(engine))
    for name, hours in zip(names, (0, 20), strict=True):
        asked = request(wish=Preferences(hour=hours), list_name=name)
        subscribe(here, asked, now=NOW + hours * HOURS)
    post(database, now=NOW + 20 * HOURS)
    for hours, hour in ((25, 0), (50, 20)):
        now = NOW + hours * HOURS
        assert house(database, hours * HOURS).reminded == 1
        (reminder,) = post(database, now=now)
        assert (confirmed := confirm(here, link(reminder), now=now))
        assert confirmed.hour == hour


def test_a_reminder_asks_for_what_was_asked_last(asked: SqlDatabase) -> None:
    subscribe(signup_context(asked), request(wish=Preferences(hour=5)), now=NOW + MINUTE)
    post(asked, now=NOW + MINUTE)
    house(asked, 25 * HOURS)
    (reminder,) = post(asked, now=NOW + 25 * HOURS)
    assert (confirmed := confirm(signup_context(asked), link(reminder), now=NOW + 25 * HOURS))
    assert confirmed.preferences == Preferences(hour=5)


@pytest.mark.postgres
@pytest.mark.accept("S1", part="reminder")
def test_who_was_mailed_today_is_not_reminded_today(database: SqlDatabase) -> None:
    here = signup_context(database, LIMITS)
    for hours in (0, 20):
        subscribe(here, request(by=from_net(hours)), now=NOW + hours * HOURS)
        assert len(post(database, now=NOW + hours * HOURS)) == 1
    assert [house(database, hours * HOURS).reminded for hours in (25, 40, 45)] == [0, 0, 1]


def test_who_confirmed_is_not_reminded(database: SqlDatabase) -> None:
    subscribe(signup_context(database), request(), now=NOW)
    (mail,) = post(database)
    confirm(signup_context(database), link(mail), now=NOW + HOURS)
    assert house(database, 30 * HOURS).reminded == 0


@pytest.mark.accept("F28", part="forgotten")
def test_who_never_confirmed_is_forgotten_after_a_week(asked: SqlDatabase) -> None:
    assert house(asked, 7 * DAYS - MINUTE).forgotten == 0
    assert house(asked, 7 * DAYS + HOURS).forgotten == 1
    assert house(asked, 7 * DAYS + 2 * HOURS).forgotten == 0


def test_the_house_is_kept_once_an_hour(asked: SqlDatabase) -> None:
    assert house(asked, 23 * HOURS + MINUTE).reminded == 0
    assert house(asked, 24 * HOURS) == CleanupReport()
    subscribe(signup_context(asked), request("bob"), now=NOW + MINUTE)
    assert house(asked, 25 * HOURS).reminded == 2
    assert house(asked, 25 * HOURS + 59 * MINUTE) == CleanupReport()


@pytest.mark.postgres
def test_many_processes_keep_it_once(asked: SqlDatabase) -> None:
    found = at_once(THREADS, lambda _: house(asked, 30 * HOURS))
    done = Counter(one.reminded for one in found if not isinstance(one, str))
    assert done == {1: 1, 0: THREADS - 1}
    assert len(post(asked, now=NOW + 30 * HOURS)) == 1


def test_marks_that_count_no_more_are_dropped(database: SqlDatabase) -> None:
    with database.writing() as work:
        for kind in ("house", "alert", "other"):
            work[SlotStore].take(kind, "old", now=NOW)
        work[SlotStore].beat("alert/old", now=NOW)
        work[SlotStore].beat("scheduler", now=NOW + KEPT_SLOTS)
    house(database, KEPT_SLOTS + DAYS)
    with database.reading() as work:
        kept = [work[SlotStore].taken_at(kind, "old") for kind in ("house", "alert", "other")]
        assert kept == [None, None, NOW]
        assert work[SlotStore].last_beat("alert/old") is None
        assert work[SlotStore].last_beat("scheduler") == NOW + KEPT_SLOTS


@pytest.mark.accept("F08", part="history is forgotten")
def test_names_of_papers_are_kept_for_weeks_and_runs_for_a_year(database: SqlDatabase) -> None:
    with database.writing() as work:
        feed = work[FeedStore].create(NewFeed(name="cs", kind="arxiv"), now=NOW).id
        for age in (KEEP.runs + MINUTE, KEPT_NAMES + MINUTE, KEPT_NAMES - MINUTE):
            run = work[FeedStore].start_run(feed, source="cs", now=NOW - age)
            reject = Reject(reason="no-title", detail=str(age), position=1)
            work[FeedStore].keep_rejects(run, [reject], now=NOW - age)
            work[FeedStore].finish_run(
                run,
                state="done",
                counts={"new": 1, "requests": 1},
                names={"new": ["arxiv:1"]},
                health=FeedHealth.FRESH,
                error=None,
                now=NOW - age,
            )
    house(database, timedelta())
    with database.reading() as work:
        young, old = work[FeedStore].runs(feed, before=None, limit=9)
        rejects = work[FeedStore].rejects(feed, before=None, limit=9)
    assert (young.names, old.names) == ({"new": ["arxiv:1"]}, {})
    assert young.counts == old.counts == {"new": 1, "requests": 1}
    assert old.health is FeedHealth.FRESH
    assert [reject.run for reject in rejects] == [young.id, old.id]


@pytest.mark.accept("F36", part="quarantine")
def test_mails_that_came_back_are_kept_for_a_month_and_events_for_three(
    database: SqlDatabase,
) -> None:
    event = returned_event(happened_at=NOW)
    with database.writing() as work:
        work[ReturnStore].begin(event, now=NOW)
        work[ReturnStore].keep(event, b"a mail", why="not-understood", person=None, now=NOW)
    kept = []
    for days in (30, 31, 90, 91):
        clean_up(database=database, identity=IDENTITY, now=NOW + timedelta(days=days))
        with database.reading() as work:
            kept.append(
                (
                    len(work[ReturnStore].waiting(limit=9)),
                    len(work[ReturnStore].events(None, limit=9)),
                )
            )
    assert kept == [(1, 1), (0, 1), (0, 1), (0, 0)]


def test_proofs_of_work_and_paces_of_domains_are_forgotten(database: SqlDatabase) -> None:
    with database.writing() as work:
        work[SlotStore].take("pow", "a solution", now=NOW)
        gate = work[PaceStore].open(DOMAINS, first=False, now=NOW)
        gate.admit([(DeliveryId(1), "one.example")])
        gate.close()
    house(database, timedelta(hours=1))
    with database.writing() as work:
        assert not work[SlotStore].take("pow", "a solution", now=NOW), "it could be used twice"
    house(database, 3 * DAYS)
    with database.writing() as work:
        assert work[SlotStore].take("pow", "a solution", now=NOW)
        assert work[PaceStore].forget(before=NOW + 9 * DAYS) == 0


@pytest.mark.accept("P2", part="housekeeping", mutant="housekeeping-leaves-orphans")
def test_what_was_written_of_somebody_erased_is_removed_counted_and_logged(
    asked: SqlDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    with asked.writing() as work:
        person = work[SubscriberStore].find(address())
        assert person is not None
        work[Erasure].erase(person.id, now=NOW)
        late = [Interest(InterestKind.TOPIC, "graphs"), Interest(InterestKind.TOPIC, "folding")]
        work[SubscriberStore].set_interests(person.id, late, now=NOW)
    assert house(asked, HOURS).orphans == 2
    assert "removed 2 rows of people who were erased or are gone" in caplog.text
    with asked.reading() as work:
        assert work[SubscriberStore].interests_of_all([person.id]) == {}
    caplog.clear()
    assert house(asked, 2 * HOURS) == CleanupReport()
    assert caplog.text == ""
