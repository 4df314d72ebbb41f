"""Subscribers, subscriptions and suppressions, on every database."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import select, update

from paperround.db.schema import tables as db
from paperround.db.transactions import Database
from paperround.editions.lists import MailingList
from paperround.subscribers.model import (
    Consent,
    Frequency,
    Preferences,
    Subscriber,
    SubscriberState,
    SubscriptionId,
)
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import HOUR, NOW, address, imported, seed_list, seed_subscribers

ACTIVE, PENDING = SubscriberState.ACTIVE, SubscriberState.PENDING
LEFT, SUPPRESSED = SubscriberState.UNSUBSCRIBED, SubscriberState.SUPPRESSED


def _put(database: Database, default: MailingList, state: SubscriberState) -> str:
    with database.writing() as work:
        return work[SubscriberStore].put(imported("alice", state), default.id, now=NOW)


def _alice(database: Database) -> Subscriber:
    with database.reading() as work:
        found = work[SubscriberStore].find(address("alice"))
    assert found is not None
    return found


def _state_on(database: Database, default: MailingList) -> SubscriberState:
    with database.reading() as work:
        found = work[SubscriberStore].subscription(_alice(database).id, default.id)
    assert found is not None
    return found.state


def test_an_imported_person_comes_back_with_consent_and_choices(database: Database) -> None:
    default = seed_list(database)
    wish = Preferences(
        timezone="Asia/Tokyo",
        hour=6,
        frequency=Frequency.WEEKLY,
        weekday="fri",
        size=5,
        floor=0.25,
        language="de",
        paused_until=date(2026, 4, 1),
        topics=("graphs", "sparse models"),
    )
    offered = imported("Alice", preferences=wish)
    with database.writing() as work:
        assert work[SubscriberStore].put(offered, default.id, now=NOW) == "new"
        person = work[SubscriberStore].find(address("ALICE"))
        assert person is not None
        subscription = work[SubscriberStore].subscription(person.id, default.id)
    assert subscription is not None
    assert (person.consent, person.address) == (offered.consent, "Alice@mail.example")
    assert subscription.preferences == wish


def _columns(database: Database) -> tuple[str, str | None]:
    """What the release before reads of how often mail comes."""
    c = db.subscriptions.c
    with database.reading() as work:
        return tuple(work.connection.execute(select(c.frequency, c.weekday)).one())


@pytest.mark.accept("F23", mutant="a-monthly-reader-stops-the-release-before")
@pytest.mark.accept("D10", mutant="a-monthly-reader-stops-the-release-before")
def test_a_monthly_reader_is_a_weekly_one_to_the_release_before(database: Database) -> None:
    default = seed_list(database)
    offered = imported("alice", preferences=Preferences(frequency=Frequency.MONTHLY))
    with database.writing() as work:
        assert work[SubscriberStore].put(offered, default.id, now=NOW) == "new"
        assert work[SubscriberStore].put(offered, default.id, now=NOW) == "unchanged"
    assert _frequencies(database, default) == [Frequency.MONTHLY] * 2
    assert _columns(database) == ("weekly", None)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"frequency": "daily"}, Frequency.DAILY),
        ({"frequency": "weekly", "weekday": "mon"}, Frequency.WEEKLY),
    ],
)
def test_what_the_release_before_changes_of_a_monthly_reader_counts(
    database: Database, changed: dict[str, str], found: Frequency
) -> None:
    default = seed_list(database)
    offered = imported("alice", preferences=Preferences(frequency=Frequency.MONTHLY))
    with database.writing() as work:
        work[SubscriberStore].put(offered, default.id, now=NOW)
        work.connection.execute(update(db.subscriptions).values(changed))
    assert _frequencies(database, default) == [found] * 2


def _frequencies(database: Database, default: MailingList) -> list[Frequency]:
    """How often mail comes, as planning and as an export read it."""
    with database.reading() as work:
        person = work[SubscriberStore].find(address("alice"))
        assert person is not None
        subscription = work[SubscriberStore].subscription(person.id, default.id)
        assert subscription is not None
        ((_, exported),) = work[SubscriberStore].export(default.id)
    return [subscription.preferences.frequency, exported.frequency]


def test_the_same_row_twice_changes_nothing(database: Database) -> None:
    default = seed_list(database)
    assert [_put(database, default, ACTIVE) for _ in range(3)] == ["new", "unchanged", "unchanged"]


def test_other_choices_are_a_change(database: Database) -> None:
    default = seed_list(database)
    _put(database, default, ACTIVE)
    with database.writing() as work:
        later = imported("alice", preferences=Preferences(hour=9))
        assert work[SubscriberStore].put(later, default.id, now=NOW) == "changed"


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [
        (LEFT, ACTIVE, LEFT),
        (LEFT, PENDING, LEFT),
        (SUPPRESSED, ACTIVE, SUPPRESSED),
        (ACTIVE, LEFT, LEFT),
        (ACTIVE, SUPPRESSED, SUPPRESSED),
        (ACTIVE, PENDING, ACTIVE),
        (PENDING, ACTIVE, ACTIVE),
    ],
)
def test_an_import_may_add_and_stop_people_but_never_brings_one_back(
    database: Database, first: SubscriberState, second: SubscriberState, result: SubscriberState
) -> None:
    default = seed_list(database)
    _put(database, default, first)
    _put(database, default, second)
    assert _state_on(database, default) is result


@pytest.mark.parametrize("state", [LEFT, SUPPRESSED])
def test_an_import_does_not_bring_back_somebody_who_stopped_everything(
    database: Database, state: SubscriberState
) -> None:
    default = seed_list(database)
    _put(database, default, ACTIVE)
    with database.writing() as work:
        work[SubscriberStore].set_state(_alice(database).id, state, now=NOW)
    assert _put(database, default, ACTIVE) == "unchanged"
    assert _state_on(database, default) is state


def test_an_import_that_makes_somebody_active_keeps_how_they_agreed(database: Database) -> None:
    default = seed_list(database)
    agreed = Consent(at=NOW - HOUR, source="letter")
    with database.writing() as work:
        work[SubscriberStore].put(imported("alice", PENDING), default.id, now=NOW)
        offered = replace(imported("alice", ACTIVE), consent=agreed)
        assert work[SubscriberStore].put(offered, default.id, now=NOW) == "changed"
    assert _alice(database).consent == agreed


@pytest.mark.parametrize(("due_at", "kept"), [(NOW, NOW), (NOW + HOUR, None)])
def test_an_imported_change_of_hour_sets_the_clock_anew_but_owes_what_is_due(
    database: Database, due_at: datetime, kept: datetime | None
) -> None:
    default = seed_list(database)
    (alice,) = seed_subscribers(database, default, ("alice",))
    with database.writing() as work:
        work[SubscriberStore].schedule({alice.id: due_at})
        later = imported("alice", preferences=Preferences(hour=9))
        work[SubscriberStore].put(later, default.id, now=NOW)
        everybody = work[SubscriberStore].due(
            default.id, now=NOW + HOUR, limit=1, after=SubscriptionId(0)
        )
    assert [one.due_at for one in everybody] == ([kept] if kept else [])


def test_pages_hold_active_subscriptions_by_id(database: Database) -> None:
    default = seed_list(database)
    a, b, c, d = seed_subscribers(database, default, ("a", "b", "c", "d"))
    with database.writing() as work:
        work[SubscriberStore].set_state(b.subscriber_id, LEFT, now=NOW)
        work[SubscriberStore].put(imported("e", PENDING), default.id, now=NOW)
        first = work[SubscriberStore].subscriptions_after(default.id, SubscriptionId(0), limit=2)
        rest = work[SubscriberStore].subscriptions_after(default.id, first[-1].id, limit=9)
    assert (first, rest) == ([a, c], [d])


def test_an_export_holds_everybody_with_their_state_on_the_list(database: Database) -> None:
    default = seed_list(database)
    _put(database, default, ACTIVE)
    with database.writing() as work:
        work[SubscriberStore].put(imported("bob", LEFT), default.id, now=NOW)
        work[SubscriberStore].set_state(_alice(database).id, SUPPRESSED, now=NOW)
        rows = [(one.address, one.state) for one, _ in work[SubscriberStore].export(default.id)]
    assert rows == [("alice@mail.example", SUPPRESSED), ("bob@mail.example", LEFT)]


def test_a_suppression_stands_until_it_is_lifted(database: Database) -> None:
    with database.writing() as work:
        store = work[SubscriberStore]
        assert store.suppress("d1", "k1", reason="bounce", now=NOW)
        assert not store.suppress("d1", "k1", reason="again", now=NOW)
        assert store.suppressed(["d1", "d2"]) == {"d1"}
        assert store.suppressions() == [("d1", "bounce", NOW)]
        assert store.lift("d1", now=NOW + HOUR)
        assert not store.lift("d1", now=NOW + HOUR)
        assert store.suppressed(["d1"]) == frozenset()


def test_suppressions_are_read_a_page_at_a_time_and_by_reason(database: Database) -> None:
    with database.writing() as work:
        store = work[SubscriberStore]
        for name, reason, at in (("d1", "x", NOW + HOUR), ("d2", "x", NOW), ("d3", "y", NOW)):
            store.suppress(name, "k1", reason=reason, now=at)
        assert [one for one, _, _ in store.suppressions(after=1, limit=1)] == ["d3"]
        assert store.suppressions(after=3, limit=1) == []
        assert store.suppression_reasons(["d1", "d2", "d3", "d4"]) == {"x": NOW, "y": NOW}
        assert store.suppression_reasons([]) == {}


def test_a_lifted_suppression_may_be_set_again(database: Database) -> None:
    with database.writing() as work:
        work[SubscriberStore].suppress("d1", "k1", reason="bounce", now=NOW)
        work[SubscriberStore].lift("d1", now=NOW)
        assert work[SubscriberStore].suppress("d1", "k2", reason="complaint", now=NOW + HOUR)
        assert work[SubscriberStore].suppressions() == [("d1", "complaint", NOW + HOUR)]
