"""Somebody is erased: what is written of them too late goes, too."""

from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, select, update

from paperround.bounces.model import Did, OwnMail
from paperround.bounces.policy import BounceScore
from paperround.bounces.store import ReturnStore
from paperround.db.schema import tables as db
from paperround.db.transactions import Database
from paperround.delivery.store.erasure import Erasure
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.papers.model import PaperId
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.model import Preferences, SubscriberId, Subscription
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import (
    NOW,
    everything_kept,
    lease,
    new_delivery,
    plan,
    returned_event,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
)
from tests.contracts.notices import notice


@pytest.mark.accept("P2", part="lock")
def test_a_lock_says_whether_there_is_somebody(database: Database) -> None:
    alice, bob = seed_subscribers(database, seed_list(database), ("alice", "bob"))
    with database.writing() as work:
        work[Erasure].erase(alice.subscriber_id, now=NOW)
        assert not work[SubscriberStore].lock(alice.subscriber_id)
        assert work[SubscriberStore].lock(bob.subscriber_id)
        assert not work[SubscriberStore].lock(SubscriberId(10_000))


@dataclass(frozen=True)
class Town:
    """Alice, who is erased, and Bob, who stays; both had a digest of one paper."""

    database: Database
    alice: Subscription
    bob: Subscription
    paper: PaperId

    def say_something_of(self, one: Subscription) -> None:
        """In every table that holds more of a person than that they were there."""
        person = one.subscriber_id
        mail = OwnMail(
            book="delivery", row=1, person=person, message_id="<m@x>", nonce="nonce", dated=NOW
        )
        event = returned_event(event_id=f"event {person}")
        with self.database.writing() as work:
            work[SubscriberStore].choose(one.id, Preferences(topics=("okapi",)), now=NOW)
            work[SubscriberStore].set_interests(
                person, [Interest(InterestKind.TOPIC, "okapi")], now=NOW
            )
            work[SubscriberStore].give_feedback(person, self.paper, "more", now=NOW)
            work[NoticeLedger].put(notice(person, f"late {person}"), now=NOW)
            kept = work[ReturnStore].begin(event, now=NOW)
            assert kept is not None
            work[ReturnStore].end(kept, Did.NOTED, mail=mail, said="okapi is not here")
            work[ReturnStore].keep(event, b"okapi", why="not-understood", person=person, now=NOW)
            work[ReturnStore].set_score(person, BounceScore(points=3), now=NOW)

    def forget_orphans(self) -> int:
        with self.database.writing() as work:
            return work[Erasure].forget_orphans(now=NOW)


@pytest.fixture
def town(database: Database, engine: Engine) -> Town:
    default, papers = seed_list(database), seed_papers(database, 1)
    alice, bob = seed_subscribers(database, default, ("alice", "bob"))
    edition = seed_edition(database, default, papers)
    plan(database, edition, [new_delivery(one, papers) for one in (alice, bob)])
    with database.writing() as work:
        work[Erasure].erase(alice.subscriber_id, now=NOW)
    with engine.begin() as connection:  # a server answers late
        connection.execute(update(db.deliveries).values(reply="550 okapi", domain="okapi.example"))
    return Town(database, alice, bob, papers[0])


@pytest.mark.accept("P2", part="orphans", mutant="orphans-of-somebody-erased-stay")
def test_what_was_written_of_somebody_after_they_were_erased_is_forgotten(town: Town) -> None:
    town.say_something_of(town.alice)
    town.say_something_of(town.bob)
    assert town.forget_orphans() == 8
    with town.database.writing() as work:
        left = everything_kept(work, town.alice.subscriber_id)
        mailed = work[NoticeLedger].claim(lease(), limit=9, now=NOW)
    assert "okapi" not in str(left)
    assert [one["payload"] for one in left["notices"]] == [{}]
    assert (left["interests"], left["feedback"], left["standings"]) == ([], [], [])
    assert [one.subscriber_id for one in mailed] == [town.bob.subscriber_id]
    assert town.forget_orphans() == 0


@pytest.mark.accept("P2", part="orphans")
def test_of_those_who_are_there_nothing_is_forgotten(town: Town) -> None:
    town.say_something_of(town.bob)
    with town.database.reading() as work:
        before = everything_kept(work, town.bob.subscriber_id)
    assert town.forget_orphans() == 1, "the late answer of a server about alice"
    with town.database.reading() as work:
        assert everything_kept(work, town.bob.subscriber_id) == before


@pytest.mark.accept("P2", part="orphans", mutant="a-notice-of-somebody-gone-keeps-what-they-asked")
def test_notices_of_people_who_are_gone_are_forgotten_and_alerts_are_not(
    town: Town, engine: Engine
) -> None:
    town.forget_orphans()
    with town.database.writing() as work:
        for kind in (SystemMailKind.CONFIRM, SystemMailKind.ALERT, SystemMailKind.TEST):
            work[NoticeLedger].put(notice(None, kind.value, kind), now=NOW)
    assert town.forget_orphans() == 1
    with engine.connect() as connection:
        rows = connection.execute(select(db.notices.c.kind, db.notices.c.payload)).all()
    assert sorted(kind for kind, payload in rows if payload) == ["alert", "test"]
