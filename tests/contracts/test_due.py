"""When each subscription is next due, on every database."""

from datetime import timedelta

from paperround.db.transactions import Database
from paperround.editions.model import DigestKind
from paperround.subscribers.model import (
    Consent,
    DueSubscription,
    SubscriberState,
    SubscriptionId,
)
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    imported,
    new_delivery,
    plan,
    seed_edition,
    seed_list,
    seed_subscribers,
)

START = SubscriptionId(0)


def test_people_are_due_from_their_instant_on(database: Database) -> None:
    default = seed_list(database)
    alice, bob, _ = seed_subscribers(database, default, ("alice", "bob", "carol"))
    with database.writing() as work:
        work[SubscriberStore].schedule({alice.id: NOW, bob.id: NOW + HOUR})
        due = work[SubscriberStore].due(default.id, now=NOW, limit=9, after=START)
    assert due == [DueSubscription(subscription=alice, due_at=NOW)]


def test_who_is_due_since_they_agreed_is_due_at_once(database: Database) -> None:
    default = seed_list(database)
    alice, bob = seed_subscribers(database, default, ("alice", "bob"))
    agreed = Consent(at=NOW, source="form")
    with database.writing() as work:
        for one, clock in ((alice, NOW), (bob, NOW + MINUTE)):
            work[SubscriberStore].activate(one.id, preferences=None, consent=agreed, now=NOW)
            work[SubscriberStore].schedule({one.id: clock})
        due = work[SubscriberStore].due(default.id, now=NOW + HOUR, limit=9, after=START)
    assert [(one.subscription.id, one.at_once) for one in due] == [
        (alice.id, True),
        (bob.id, False),
    ]


def test_pages_of_due_people_follow_each_other(database: Database) -> None:
    default = seed_list(database)
    people = seed_subscribers(database, default, ("a", "b", "c"))
    with database.writing() as work:
        work[SubscriberStore].schedule({one.id: NOW for one in people})
        first = work[SubscriberStore].due(default.id, now=NOW, limit=2, after=START)
        last = first[-1].subscription.id
        rest = work[SubscriberStore].due(default.id, now=NOW, limit=2, after=last)
    assert [one.subscription for one in first + rest] == people


def test_nobody_who_is_not_active_is_due_or_waits_for_a_clock(database: Database) -> None:
    default = seed_list(database)
    alice, bob = seed_subscribers(database, default, ("alice", "bob"))
    with database.writing() as work:
        work[SubscriberStore].schedule({alice.id: NOW})
        for person in (alice, bob):
            work[SubscriberStore].set_state(
                person.subscriber_id, SubscriberState.UNSUBSCRIBED, now=NOW
            )
        work[SubscriberStore].put(imported("carol", SubscriberState.PENDING), default.id, now=NOW)
        assert work[SubscriberStore].due(default.id, now=NOW, limit=9, after=START) == []
        assert work[SubscriberStore].unscheduled(limit=9) == []


def test_a_due_instant_can_be_taken_away(database: Database) -> None:
    (alice,) = seed_subscribers(database, seed_list(database), ("alice",))
    with database.writing() as work:
        work[SubscriberStore].schedule({alice.id: NOW})
        work[SubscriberStore].schedule({alice.id: None})
        work[SubscriberStore].schedule({})
        assert work[SubscriberStore].unscheduled(limit=9) == [alice]


def test_a_clock_is_started_once_and_only_for_who_is_active(database: Database) -> None:
    default = seed_list(database)
    alice, bob, carol = seed_subscribers(database, default, ("alice", "bob", "carol"))
    with database.writing() as work:
        work[SubscriberStore].schedule({alice.id: NOW + HOUR})
        work[SubscriberStore].leave(bob.id, now=NOW)
        work[SubscriberStore].start_clocks({one.id: NOW for one in (alice, bob, carol)})
        work[SubscriberStore].start_clocks({})
        due = work[SubscriberStore].due(default.id, now=NOW + HOUR, limit=9, after=START)
    assert [(one.subscription.id, one.due_at) for one in due] == [
        (alice.id, NOW + HOUR),
        (carol.id, NOW),
    ]


def test_the_last_date_is_the_latest_one_a_digest_has_a_row_for(database: Database) -> None:
    default = seed_list(database)
    alice, bob = seed_subscribers(database, default, ("alice", "bob"))
    edition = seed_edition(database, default, ())
    tomorrow, later = DAY + timedelta(days=1), DAY + timedelta(days=7)
    rows = [new_delivery(alice), new_delivery(alice, day=tomorrow)]
    rows.append(new_delivery(alice, day=later, kind=DigestKind.ROUNDUP_WEEK))
    plan(database, edition, rows)
    with database.reading() as work:
        assert work[SubscriberStore].last_dates([alice.id, bob.id]) == {alice.id: tomorrow}
        assert work[SubscriberStore].last_dates([]) == {}
