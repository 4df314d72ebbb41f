"""What people are interested in, on either database."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from paperround.db.schema import tables as db
from paperround.db.transactions import Database
from paperround.delivery.store.erasure import Erasure
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.model import SubscriberId
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import NOW, everything_kept, seed_list, seed_subscribers

GRAPH = Interest(InterestKind.KEYWORD, "graph AND 图 NOT survey")
ADA = Interest(InterestKind.AUTHOR, "Ada Lovelace")
MUTED = Interest(InterestKind.MUTE, "graph AND 图 NOT survey")


def test_interests_come_back_in_the_order_they_were_said(database: Database) -> None:
    alice, bob, _ = seed_subscribers(database, seed_list(database), ("alice", "bob", "carol"))
    with database.writing() as work:
        assert work[SubscriberStore].set_interests(
            alice.subscriber_id, [MUTED, GRAPH, ADA], now=NOW
        )
        assert work[SubscriberStore].set_interests(bob.subscriber_id, [ADA], now=NOW)
    with database.reading() as work:
        first = alice.subscriber_id  # ids go on counting from test to test
        everybody = list(map(SubscriberId, range(first, first + 2000)))
        assert work[SubscriberStore].interests_of_all(everybody) == {
            alice.subscriber_id: (MUTED, GRAPH, ADA),
            bob.subscriber_id: (ADA,),
        }
        assert work[SubscriberStore].interests_of_all([bob.subscriber_id]) == {
            bob.subscriber_id: (ADA,)
        }
        assert work[SubscriberStore].interests_of_all([]) == {}


def test_interests_are_replaced_as_a_set_and_what_stays_keeps_its_time(
    database: Database, engine: Engine
) -> None:
    (alice,) = seed_subscribers(database, seed_list(database), ("alice",))
    later = NOW + timedelta(days=1)
    with database.writing() as work:
        assert work[SubscriberStore].set_interests(alice.subscriber_id, [GRAPH, ADA], now=NOW)
        assert not work[SubscriberStore].set_interests(alice.subscriber_id, [GRAPH, ADA], now=later)
        assert work[SubscriberStore].set_interests(alice.subscriber_id, [MUTED, ADA], now=later)
    kept = db.interests.c
    with engine.connect() as connection:
        rows = connection.execute(select(kept.kind, kept.created_at).order_by(kept.id)).all()
    assert [tuple(row) for row in rows] == [("mute", later), ("author", NOW)]
    with database.writing() as work:
        assert work[SubscriberStore].set_interests(alice.subscriber_id, [], now=later)
        assert work[SubscriberStore].interests_of_all([alice.subscriber_id]) == {}


@pytest.mark.accept("P3")
def test_interests_are_handed_out_and_forgotten_with_the_person(database: Database) -> None:
    (alice,) = seed_subscribers(database, seed_list(database), ("alice",))
    with database.writing() as work:
        work[SubscriberStore].set_interests(alice.subscriber_id, [GRAPH], now=NOW)
    with database.reading() as work:
        assert GRAPH.value in str(everything_kept(work, alice.subscriber_id)["interests"])
    with database.writing() as work:
        work[Erasure].erase(alice.subscriber_id, now=NOW)
        assert work[SubscriberStore].interests_of_all([alice.subscriber_id]) == {}
