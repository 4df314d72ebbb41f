"""An import, or a plan, and a reader who goes at the same moment: the reader wins.

On SQLite a writer has the database for itself, so this is about PostgreSQL.
"""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from paperround.db.transactions import Database, Transaction
from paperround.delivery.store.erasure import Erasure
from paperround.delivery.store.ledger import Ledger
from paperround.editions.lists import MailingList
from paperround.self_service.erasure import _erase
from paperround.subscribers.model import (
    Preferences,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import (
    HOUR,
    NOW,
    address,
    imported,
    lease,
    new_delivery,
    plan,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
    shard,
)
from tests.races import just_before, require_wait
from tests.self_service.readers import request, signup_context, subscribe

pytestmark = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)

ACTIVE, PENDING = SubscriberState.ACTIVE, SubscriberState.PENDING
SUPPRESSED, LEFT = SubscriberState.SUPPRESSED, SubscriberState.UNSUBSCRIBED
_START = SubscriptionId(0)
OfPerson = Callable[[Transaction, SubscriberId], None]


def lock(work: Transaction, person: SubscriberId) -> None:
    work[SubscriberStore].lock(person)


def erase(work: Transaction, person: SubscriberId) -> None:
    work[Erasure].erase(person, now=NOW)


def put(database: Database, mailing_list: MailingList, *, hour: int | None = None) -> str:
    with database.writing() as work:
        offered = imported("alice", preferences=Preferences(hour=hour))
        return work[SubscriberStore].put(offered, mailing_list.id, now=NOW)


def found(database: Database, alice: Subscription) -> tuple[SubscriberState, SubscriberState]:
    with database.reading() as work:
        person = work[SubscriberStore].get(alice.subscriber_id)
        (subscription,) = work[SubscriberStore].subscriptions_of(alice.subscriber_id)
    assert person is not None
    return person.state, subscription.state


def test_an_import_does_not_bring_back_who_leaves_meanwhile(
    database: Database, engine: Engine
) -> None:
    default = seed_list(database)
    (alice,) = seed_subscribers(database, default, ("alice",))

    def leave(work: Transaction) -> None:
        assert work[SubscriberStore].leave(alice.id, now=NOW)

    with just_before(engine, "INSERT INTO subscriptions", database, leave):
        put(database, default, hour=9)
    assert found(database, alice) == (ACTIVE, LEFT)


def test_an_import_does_not_bring_back_who_is_suppressed_meanwhile(
    database: Database, engine: Engine
) -> None:
    default = seed_list(database)
    with database.writing() as work:
        work[SubscriberStore].put(imported("alice", PENDING), default.id, now=NOW)
        (waiting,) = [row[0] for row in work[SubscriberStore].export(default.id)]

    def suppress(work: Transaction) -> None:
        work[SubscriberStore].set_state(waiting.id, SUPPRESSED, now=NOW)

    with just_before(engine, "INSERT INTO subscribers", database, suppress):
        put(database, default)
    with database.reading() as work:
        person = work[SubscriberStore].get(waiting.id)
    assert person is not None
    assert person.state is SUPPRESSED


def test_an_import_does_not_turn_back_a_clock_that_moves_meanwhile(
    database: Database, engine: Engine
) -> None:
    default = seed_list(database)
    (alice,) = seed_subscribers(database, default, ("alice",))
    with database.writing() as work:
        work[SubscriberStore].schedule({alice.id: NOW})

    def move_on(work: Transaction) -> None:
        work[SubscriberStore].schedule({alice.id: NOW + 24 * HOUR})

    with just_before(engine, "INSERT INTO subscriptions", database, move_on):
        put(database, default, hour=9)
    with database.reading() as work:
        assert work[SubscriberStore].due(default.id, now=NOW, limit=9, after=_START) == []


def test_whoever_goes_while_an_import_has_them_waits_for_it(
    database: Database, engine: Engine
) -> None:
    default = seed_list(database)
    (alice,) = seed_subscribers(database, default, ("alice",))

    def wait(work: Transaction) -> None:
        require_wait(work, lambda: work[SubscriberStore].leave(alice.id, now=NOW))

    with just_before(engine, "UPDATE subscriptions", database, wait):
        put(database, default, hour=9)


def test_a_clock_is_not_started_for_who_leaves_meanwhile(
    database: Database, engine: Engine
) -> None:
    (alice,) = seed_subscribers(database, seed_list(database), ("alice",))

    def leave(work: Transaction) -> None:
        work[SubscriberStore].leave(alice.id, now=NOW)

    with just_before(engine, "UPDATE subscriptions", database, leave), database.writing() as work:
        (waiting,) = work[SubscriberStore].unscheduled(limit=9)
        work[SubscriberStore].start_clocks({waiting.id: NOW})
    with database.writing() as work:
        work[SubscriberStore].set_state(alice.subscriber_id, ACTIVE, now=NOW)
        assert work[SubscriberStore].due(alice.list_id, now=NOW, limit=9, after=_START) == []


@pytest.mark.accept("P2", part="erased while the digest is planned")
def test_who_is_erased_while_a_row_is_written_waits_for_it_and_then_finds_it(
    database: Database, engine: Engine
) -> None:
    default, papers = seed_list(database), seed_papers(database, 1)
    (alice,) = seed_subscribers(database, default, ("alice",))
    edition = seed_edition(database, default, papers)

    def erase(work: Transaction) -> None:
        require_wait(work, lambda: work[Erasure].erase(alice.subscriber_id, now=NOW))

    with just_before(engine, "INSERT INTO deliveries", database, erase):
        assert plan(database, edition, [new_delivery(alice, papers)]) == 1


@pytest.mark.accept("P2", part="erased while the digest is planned")
def test_a_mail_that_is_planned_just_before_its_reader_is_erased_is_forgotten_as_well(
    database: Database, engine: Engine
) -> None:
    default, papers = seed_list(database), seed_papers(database, 1)
    (alice,) = seed_subscribers(database, default, ("alice",))
    edition, row = seed_edition(database, default, papers), new_delivery(alice, papers)

    def plan_it(work: Transaction) -> None:
        assert work[Ledger].plan(edition.id, default.id, [row], shard(), now=NOW) == 1

    with (
        just_before(engine, "UPDATE subscriptions", database, plan_it),
        database.writing() as work,
    ):
        person = work[SubscriberStore].get(alice.subscriber_id)
        assert person is not None
        assert _erase(work, person, NOW, by="operator 1") == [row.message_id]
        assert work[Ledger].claim(lease(), limit=9, now=NOW) == []


@pytest.mark.accept("P2", part="erased while they ask")
def test_who_is_erased_while_they_ask_once_more_is_so_after_that_and_nothing_stays(
    database: Database, engine: Engine
) -> None:
    seed_list(database)
    here = signup_context(database)
    subscribe(here, request("alice"), now=NOW)
    alice = address("alice")

    def erase(work: Transaction) -> None:
        person = work[SubscriberStore].find(alice)
        assert person is not None
        require_wait(work, lambda: work[Erasure].erase(person.id, now=NOW))

    with just_before(engine, "INSERT INTO subscribers", database, erase):
        subscribe(here, request("alice"), now=NOW)


@pytest.mark.accept("P2", part="lock", mutant="an-erasure-locks-nobody-out")
@pytest.mark.parametrize("second", [lock, erase])
def test_whoever_locks_or_erases_somebody_who_is_locked_waits(
    database: Database, second: OfPerson
) -> None:
    (alice,) = seed_subscribers(database, seed_list(database), ("alice",))
    with database.writing() as work:
        assert work[SubscriberStore].lock(alice.subscriber_id)
        with database.writing() as other:
            require_wait(other, lambda: second(other, alice.subscriber_id))


@pytest.mark.accept("P2", part="lock", mutant="an-erasure-waits-for-nobody")
def test_an_erasure_locks_the_person_before_it_forgets_anything(
    database: Database, engine: Engine
) -> None:
    (alice,) = seed_subscribers(database, seed_list(database), ("alice",))

    def wait(work: Transaction) -> None:
        require_wait(work, lambda: lock(work, alice.subscriber_id))

    with just_before(engine, "DELETE FROM interests", database, wait), database.writing() as work:
        work[Erasure].erase(alice.subscriber_id, now=NOW)


@pytest.mark.accept("P2", part="lock")
def test_whoever_waited_for_an_erasure_finds_nobody(database: Database, engine: Engine) -> None:
    (alice,) = seed_subscribers(database, seed_list(database), ("alice",))

    def forget(work: Transaction) -> None:
        work[Erasure].erase(alice.subscriber_id, now=NOW)

    with database.writing() as work:
        before = work[SubscriberStore].get(alice.subscriber_id)
        with just_before(engine, "SELECT subscribers.erased_at", database, forget):
            assert not work[SubscriberStore].lock(alice.subscriber_id)
        after = work[SubscriberStore].get(alice.subscriber_id)
    assert before is not None
    assert after is not None
    assert (bool(before.address), bool(after.address)) == (True, False)


@pytest.mark.accept("P2", part="lock")
def test_a_digest_is_planned_for_somebody_who_is_locked(database: Database) -> None:
    default, papers = seed_list(database), seed_papers(database, 1)
    (alice,) = seed_subscribers(database, default, ("alice",))
    edition = seed_edition(database, default, papers)
    with database.writing() as work:
        work[SubscriberStore].lock(alice.subscriber_id)
        assert plan(database, edition, [new_delivery(alice, papers)]) == 1
