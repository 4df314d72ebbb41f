"""People who sign up, choose, say what they think and are forgotten, on every database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Table, insert

from paperround.bounces.model import Did, OwnMail
from paperround.bounces.policy import BounceScore
from paperround.bounces.store import ReturnStore
from paperround.db.schema import tables as db
from paperround.db.transactions import Database, Transaction
from paperround.delivery.store.erasure import Erasure
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail import new_notice
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.editions.lists import ListId, MailingList
from paperround.editions.model import DeliveryId, Withdrawal
from paperround.subscribers.model import (
    Consent,
    Frequency,
    Preferences,
    Subscriber,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)
from paperround.subscribers.readers import RequestKind
from paperround.subscribers.store.requests import RequestStore
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import (
    HOUR,
    NOW,
    address,
    everything_kept,
    imported,
    lease,
    new_delivery,
    plan,
    returned_event,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
)
from tests.sample_database import IDENTITY

ACTIVE, PENDING = SubscriberState.ACTIVE, SubscriberState.PENDING
LEFT, SUPPRESSED = SubscriberState.UNSUBSCRIBED, SubscriberState.SUPPRESSED
YES = Consent(at=NOW, source="confirmed by mail")
WEEK = timedelta(days=7)
WISH = Preferences(hour=6, frequency=Frequency.WEEKLY, weekday="fri", topics=("graphs",))


def _sign_up(
    database: Database, default: MailingList, name: str = "alice", **when: Any
) -> tuple[Subscriber, Subscription]:
    with database.writing() as work:
        return _sign_up_for(work, name, default.id, **when)


def _sign_up_for(
    work: Transaction, name: str, list_id: ListId, *, now: datetime = NOW
) -> tuple[Subscriber, Subscription]:
    return work[SubscriberStore].sign_up(
        address(name), list_id, preferences=Preferences(), nonce=f"nonce-{name}", now=now
    )


def _activate(database: Database, subscription: SubscriptionId, wish: Preferences | None) -> bool:
    with database.writing() as work:
        return work[SubscriberStore].activate(subscription, preferences=wish, consent=YES, now=NOW)


def _states(database: Database, person: SubscriberId) -> tuple[SubscriberState, ...]:
    with database.reading() as work:
        found = work[SubscriberStore].get(person)
        assert found is not None
        theirs = work[SubscriberStore].subscriptions_of(person)
    return (found.state, *(one.state for one in theirs))


# --- signing up --------------------------------------------------------------------------------


def test_a_sign_up_makes_somebody_who_waits(database: Database) -> None:
    person, subscription = _sign_up(database, seed_list(database))
    assert (person.state, person.consent, subscription.state) == (PENDING, None, PENDING)
    assert person.nonce == "nonce-alice"


def test_signing_up_twice_is_one_person(database: Database) -> None:
    default = seed_list(database)
    assert _sign_up(database, default) == _sign_up(database, default, now=NOW + HOUR)


@pytest.mark.parametrize("state", [ACTIVE, LEFT])
def test_a_sign_up_changes_nobody_who_is_known(database: Database, state: SubscriberState) -> None:
    default = seed_list(database)
    with database.writing() as work:
        work[SubscriberStore].put(imported("alice", state, preferences=WISH), default.id, now=NOW)
        _, subscription = _sign_up_for(work, "ALICE", default.id)
    assert (subscription.state, subscription.preferences) == (state, WISH)


@pytest.mark.parametrize("wish", [None, WISH])
def test_a_yes_makes_person_and_subscription_active(
    database: Database, wish: Preferences | None
) -> None:
    person, subscription = _sign_up(database, seed_list(database))
    assert _activate(database, subscription.id, wish)
    assert _states(database, person.id) == (ACTIVE, ACTIVE)
    with database.reading() as work:
        (found,) = work[SubscriberStore].subscriptions_of(person.id)
        known = work[SubscriberStore].get(person.id)
    assert found.preferences == (wish or Preferences())
    assert known is not None
    assert known.consent == YES


def test_nobody_suppressed_or_erased_becomes_active(database: Database) -> None:
    default = seed_list(database)
    alice, bob = (_sign_up(database, default, name) for name in ("alice", "bob"))
    with database.writing() as work:
        work[SubscriberStore].set_state(alice[0].id, SUPPRESSED, now=NOW)
        work[Erasure].erase(bob[0].id, now=NOW)
    assert not _activate(database, alice[1].id, None)
    assert not _activate(database, bob[1].id, None)
    assert not _activate(database, SubscriptionId(10_000), None)


def test_whoever_had_left_everything_comes_back_to_one_list(
    database: Database, engine: Engine
) -> None:
    default = seed_list(database)
    (alice,) = seed_subscribers(database, default, ("alice",))
    other = _another_list(engine)
    with database.writing() as work:
        work[SubscriberStore].set_state(alice.subscriber_id, LEFT, now=NOW)
        _, wish = _sign_up_for(work, "alice", other)
    assert _activate(database, wish.id, None)
    assert _states(database, alice.subscriber_id) == (ACTIVE, LEFT, ACTIVE)


def _another_list(engine: Engine) -> Any:
    with engine.begin() as connection:
        row = dict(connection.execute(db.lists.select()).mappings().one())
        values = {name: value for name, value in row.items() if name != "id"} | {"name": "other"}
        return connection.execute(
            insert(db.lists).values(values).returning(db.lists.c.id)
        ).scalar_one()


def test_leaving_ends_the_subscription_and_its_clock(database: Database) -> None:
    default = seed_list(database)
    (alice,) = seed_subscribers(database, default, ("alice",))
    with database.writing() as work:
        work[SubscriberStore].schedule({alice.id: NOW})
        assert work[SubscriberStore].leave(alice.id, now=NOW)
        assert not work[SubscriberStore].leave(alice.id, now=NOW)
        work[SubscriberStore].activate(alice.id, preferences=None, consent=YES, now=NOW)
        assert [one.id for one in work[SubscriberStore].unscheduled(limit=9)] == [alice.id]


def test_choices_are_replaced_whole(database: Database) -> None:
    (alice,) = seed_subscribers(database, seed_list(database), ("alice",))
    with database.writing() as work:
        work[SubscriberStore].choose(alice.id, WISH, now=NOW)
        (found,) = work[SubscriberStore].subscriptions_of(alice.subscriber_id)
    assert found == replace(alice, preferences=WISH)


# --- the unconfirmed ---------------------------------------------------------------------------


def test_those_who_wait_are_found_by_when_they_asked(database: Database) -> None:
    default = seed_list(database)
    early = _sign_up(database, default, "early")
    _sign_up(database, default, "late", now=NOW + HOUR)
    _, done = _sign_up(database, default, "done")
    _activate(database, done.id, None)
    with database.writing() as work:
        work[SubscriberStore].put(imported("moved", PENDING), default.id, now=NOW)
        found = work[SubscriberStore].unconfirmed(between=(NOW, NOW + HOUR), limit=9)
    assert found == [early]


@pytest.mark.accept("S6", part="forgotten")
def test_who_never_confirmed_is_gone_after_a_week(database: Database) -> None:
    default = seed_list(database)
    _sign_up(database, default, "alice")
    _sign_up(database, default, "again")
    _sign_up(database, default, "again", now=NOW + HOUR)
    with database.writing() as work:
        before = NOW + HOUR
        assert work[SubscriberStore].forget_unconfirmed(before=before) == 1
        assert work[SubscriberStore].find(address("alice")) is None
        assert work[SubscriberStore].find(address("again")) is not None


def test_nobody_who_ever_answered_is_forgotten(database: Database) -> None:
    default = seed_list(database)
    with database.writing() as work:
        for name, state in (("a", ACTIVE), ("b", LEFT), ("c", PENDING), ("d", SUPPRESSED)):
            work[SubscriberStore].put(imported(name, state), default.id, now=NOW)
        left = replace(imported("e", LEFT), consent=None)
        work[SubscriberStore].put(left, default.id, now=NOW)
        assert work[SubscriberStore].forget_unconfirmed(before=NOW + WEEK) == 0


def test_a_further_list_that_was_never_confirmed_is_forgotten_alone(
    database: Database, engine: Engine
) -> None:
    default = seed_list(database)
    (alice,) = seed_subscribers(database, default, ("alice",))
    other = _another_list(engine)
    with database.writing() as work:
        _sign_up_for(work, "alice", other)
        assert work[SubscriberStore].forget_unconfirmed(before=NOW + HOUR) == 1
    assert _states(database, alice.subscriber_id) == (ACTIVE, ACTIVE)


# --- feedback ----------------------------------------------------------------------------------


def test_more_and_less_replace_each_other_and_save_stands_by_itself(database: Database) -> None:
    (alice,) = seed_subscribers(database, seed_list(database), ("alice",))
    (paper,) = seed_papers(database, 1)
    with database.writing() as work:
        verdicts = ("more", "save", "less", "less")
        fresh = [
            work[SubscriberStore].give_feedback(alice.subscriber_id, paper, one, now=NOW)
            for one in verdicts
        ]
        assert fresh == [True, True, True, False]
        said = work[SubscriberStore].feedback_of(alice.subscriber_id)
    assert said == [(paper, "save"), (paper, "less")]


def test_what_many_people_said_is_told_by_person_in_the_order_they_said_it(
    database: Database,
) -> None:
    alice, bob, _ = seed_subscribers(database, seed_list(database), ("alice", "bob", "carol"))
    one, two = seed_papers(database, 2)
    with database.writing() as work:
        for person, paper, verdict in (
            (alice, two, "more"),
            (bob, one, "less"),
            (alice, one, "save"),
        ):
            work[SubscriberStore].give_feedback(person.subscriber_id, paper, verdict, now=NOW)
        said = work[SubscriberStore].feedback_of_all([alice.subscriber_id, bob.subscriber_id])
    assert said == {
        alice.subscriber_id: [(two, "more"), (one, "save")],
        bob.subscriber_id: [(one, "less")],
    }


def test_the_owner_of_a_delivery_is_told_by_its_id(database: Database) -> None:
    town = _Town(database)
    with database.reading() as work:
        owner = work[SubscriberStore].owner_of_delivery(town.delivery)
        nobody = work[SubscriberStore].owner_of_delivery(DeliveryId(10_000))
    assert owner is not None
    assert (owner.subscriber_id, owner.list_id) == (town.alice.subscriber_id, town.alice.list_id)
    assert (owner.positions, owner.address) == ((1, 2), "alice@mail.example")
    assert nobody is None


# --- taking out and erasing --------------------------------------------------------------------


class _Town:
    """Alice, with something in every table that knows people."""

    def __init__(self, database: Database) -> None:
        default = seed_list(database)
        papers = seed_papers(database, 2)
        (self.alice,) = seed_subscribers(database, default, ("alice",))
        edition = seed_edition(database, default, papers)
        told = Withdrawal(paper_id=papers[0], title="A study", page="2603.00001")
        made = new_delivery(self.alice, papers)
        row = replace(made, reasons={1: "your topic graphs"}, withdrawn=(told,))
        plan(database, edition, [row])
        with database.writing() as work:
            self.delivery = work[Ledger].claim(lease("peek"), limit=1, now=NOW)[0].id
            work[Ledger].release("peek")
            self._fill(work, papers[0])

    def _fill(self, work: Transaction, paper: Any) -> None:
        work[SubscriberStore].choose(self.alice.id, WISH, now=NOW)
        work[SubscriberStore].give_feedback(self.alice.subscriber_id, paper, "more", now=NOW)
        person = self.alice.subscriber_id
        payload = {"choices": "alice@mail.example"}
        notice = new_notice(
            IDENTITY, SystemMailKind.CONFIRM, "confirm/1", person, None, payload, now=NOW
        )
        work[NoticeLedger].put(notice, now=NOW)
        work[RequestStore].put(RequestKind.LINK, address("alice"), {}, due_at=NOW, now=NOW)


EXEMPT = {
    "subscribers": {"nonce"},
    "deliveries": {
        "nonce", "key_id", "token", "host", "pid", "started", "lease_until", "next_at",
        "breakdowns",
    },
    "notices": {
        "nonce", "key_id", "token", "host", "pid", "started", "lease_until", "next_at",
        "breakdowns",
    },
    "signup_requests": {"subscriber_id"},
}  # fmt: skip
"""What an export leaves out: what makes links hard to forge, which machine held a mail, and who
asks to be mailed at an address that is somebody else's."""


def _knows_people(table: Table) -> bool:
    """Channels refer to subscribers, but are nobody: what is kept of one is the operator's."""
    refers = any(key.column.table is db.subscribers for key in table.foreign_keys)
    return table is db.subscribers or (refers and table is not db.channels)


def _something_came_back(database: Database, person: SubscriberId) -> None:
    """About a mail of theirs, in words and bytes that hold their address."""
    event = returned_event()
    with database.writing() as work:
        mail = OwnMail(
            book="delivery", row=1, person=person, message_id="<m@x>", nonce="nonce", dated=NOW
        )
        kept = work[ReturnStore].begin(event, now=NOW)
        assert kept is not None
        work[ReturnStore].end(kept, Did.NOTED, mail=mail, said="alice@mail.example is not here")
        words = b"alice@mail.example is not here"
        work[ReturnStore].keep(event, words, why="not-understood", person=person, now=NOW)
        work[ReturnStore].set_score(person, BounceScore(points=3), now=NOW)


@pytest.mark.accept("P3")
def test_an_export_holds_every_column_that_is_linked_to_a_person(
    database: Database, engine: Engine
) -> None:
    person = _Town(database).alice.subscriber_id
    with engine.begin() as connection:
        interest = {"subscriber_id": person, "kind": "topic", "value": "graphs", "weight": 1.0}
        connection.execute(insert(db.interests).values(**interest, created_at=NOW))
    _something_came_back(database, person)
    with database.reading() as work:
        export = everything_kept(work, person)
    for table in filter(_knows_people, db.metadata.sorted_tables):
        row = export[table.name][0]
        expected = {column.name for column in table.c} - EXEMPT.get(table.name, set())
        assert set(row) == expected, table.name


def test_an_export_is_of_one_person_alone(database: Database) -> None:
    _Town(database)
    (bob,) = seed_subscribers(database, seed_list(database), ("bob",))
    with database.reading() as work:
        export = everything_kept(work, bob.subscriber_id)
    assert "alice" not in str(export)
    assert (export["feedback"], export["deliveries"]) == ([], [])


@pytest.mark.accept("P2", part="store")
def test_erasing_leaves_nameless_ledger_rows_and_nothing_else(
    database: Database, engine: Engine
) -> None:
    town = _Town(database)
    _something_came_back(database, town.alice.subscriber_id)
    with database.writing() as work:
        work[Erasure].erase(town.alice.subscriber_id, now=NOW)
        assert work[SubscriberStore].find(address("alice")) is None
        assert work[Ledger].claim(lease(), limit=9, now=NOW) == []
        assert work[NoticeLedger].claim(lease(), limit=9, now=NOW) == []
    assert _states(database, town.alice.subscriber_id) == (LEFT, LEFT)
    everything = "".join(_dump(engine, lambda _: True))
    assert not [word for word in ("alice@", "mail.example", "graphs") if word in everything]
    assert _dump(engine, lambda table: table in (db.sent_papers, db.feedback)) == ["[]", "[]"]


def _dump(engine: Engine, which: Callable[[Table], bool]) -> list[str]:
    with engine.connect() as connection:
        return [
            str(connection.execute(table.select()).all())
            for table in db.metadata.sorted_tables
            if which(table)
        ]


def test_erasing_one_person_leaves_the_others(database: Database) -> None:
    town = _Town(database)
    (bob,) = seed_subscribers(database, seed_list(database), ("bob",))
    with database.writing() as work:
        work[Erasure].erase(bob.subscriber_id, now=NOW)
    assert _states(database, town.alice.subscriber_id) == (ACTIVE, ACTIVE)
    with database.reading() as work:
        assert work[SubscriberStore].feedback_of(town.alice.subscriber_id)


# --- another address ---------------------------------------------------------------------------


def test_a_person_is_mailed_at_another_address_from_now_on(database: Database) -> None:
    default = seed_list(database)
    person, subscription = _sign_up(database, default)
    _activate(database, subscription.id, WISH)
    with database.writing() as work:
        assert work[SubscriberStore].change_address(person.id, address("bob"), now=NOW + HOUR)
    with database.reading() as work:
        assert work[SubscriberStore].find(address("alice")) is None
        found = work[SubscriberStore].find(address("bob"))
        assert found is not None
        assert (found.id, found.address, found.nonce) == (
            person.id,
            "bob@mail.example",
            person.nonce,
        )
        (kept,) = work[SubscriberStore].subscriptions_of(person.id)
        assert kept.preferences == WISH


@pytest.mark.parametrize("state", [ACTIVE, LEFT, SUPPRESSED])
def test_nobody_moves_to_an_address_that_somebody_has_or_had(
    database: Database, state: SubscriberState
) -> None:
    default = seed_list(database)
    person, subscription = _sign_up(database, default)
    _activate(database, subscription.id, WISH)
    other, theirs = _sign_up(database, default, "bob")
    _activate(database, theirs.id, WISH)
    with database.writing() as work:
        work[SubscriberStore].set_state(other.id, state, now=NOW)
        assert not work[SubscriberStore].change_address(person.id, address("bob"), now=NOW)
    with database.reading() as work:
        found = work[SubscriberStore].get(person.id)
    assert found is not None
    assert found.address == "alice@mail.example"


def test_whoever_asked_there_and_never_confirmed_is_forgotten(database: Database) -> None:
    default = seed_list(database)
    person, subscription = _sign_up(database, default)
    _activate(database, subscription.id, WISH)
    stranger, _ = _sign_up(database, default, "bob")
    with database.writing() as work:
        assert work[SubscriberStore].change_address(person.id, address("bob"), now=NOW)
    with database.reading() as work:
        assert work[SubscriberStore].get(stranger.id) is None


def test_a_person_who_was_erased_moves_nowhere(database: Database) -> None:
    default = seed_list(database)
    person, _ = _sign_up(database, default)
    with database.writing() as work:
        work[Erasure].erase(person.id, now=NOW)
        assert not work[SubscriberStore].change_address(person.id, address("bob"), now=NOW)
