"""What comes back, as every database keeps it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, insert, select, update

from paperround.bounces.model import (
    LONGEST_QUARANTINED,
    MOST_QUARANTINED,
    MOST_UNPROVEN,
    Did,
    Proof,
    ReportKind,
    ReturnId,
)
from paperround.bounces.policy import NO_BOUNCES, BounceScore
from paperround.bounces.store import ReturnStore
from paperround.db.schema import tables as db
from paperround.db.transactions import Database
from paperround.delivery.model import Evidence
from paperround.delivery.store.ledger import Ledger
from paperround.editions.model import DeliveryState
from paperround.subscribers.model import SubscriberId, SubscriptionId
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import (
    DAY,
    NOW,
    lease,
    move,
    new_delivery,
    plan,
    returned_event,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
)

HARD = returned_event()
KNOWN = BounceScore(
    points=3,
    counted_on=DAY,
    likely_on=DAY,
    likely_mail="delivery/7",
    rests=2,
    resting_until=DAY + timedelta(days=9),
)


class Mailed:
    """Three people, each of whom was sent a digest."""

    def __init__(self, database: Database) -> None:
        default = seed_list(database)
        papers = seed_papers(database, 2)
        self.edition = seed_edition(database, default, papers)
        self.list_id = default.id
        self.people = seed_subscribers(database, default, ("alice", "bob", "carol"))
        plan(database, self.edition, [new_delivery(one, papers) for one in self.people])
        with database.writing() as work:
            rows = work[Ledger].claim(lease(), limit=9, now=NOW)
            work[Ledger].mark_in_data([one.id for one in rows], "t1", until=NOW, now=NOW)
            work[Ledger].settle([move(one, DeliveryState.SENT) for one in rows], now=NOW)
        self.rows = {row.subscriber_id: row for row in rows}

    @property
    def alice(self) -> SubscriberId:
        return self.people[0].subscriber_id


@pytest.fixture
def mailed(database: Database) -> Mailed:
    return Mailed(database)


def _begun(database: Database, **changes: object) -> ReturnId | None:
    with database.writing() as work:
        return work[ReturnStore].begin(replace(HARD, **changes), now=NOW)  # type: ignore[arg-type]


@pytest.mark.accept("F36", part="once")
def test_an_event_is_new_once_for_each_way_it_comes(database: Database) -> None:
    assert _begun(database) is not None
    assert _begun(database) is None
    assert _begun(database, way="imap") is not None
    assert _begun(database, event_id="event 2") is not None


def test_a_mail_is_found_by_its_row_its_name_and_its_recipient(
    database: Database, mailed: Mailed
) -> None:
    row = mailed.rows[mailed.alice]
    with database.reading() as work:
        mail = work[ReturnStore].mail_by_row("delivery", row.id)
        assert mail is not None
        assert (mail.person, mail.nonce, mail.dated) == (mailed.alice, row.nonce, row.dated)
        assert work[ReturnStore].mail_by_message_id(row.message_id) == mail
        assert work[ReturnStore].last_digest_to(" Alice@MAIL.example ", since=NOW) == mail
        assert (
            work[ReturnStore].last_digest_to("alice@mail.example", since=NOW + timedelta(days=1))
            is None
        )
        assert work[ReturnStore].last_digest_to("nobody@mail.example", since=NOW) is None
        assert work[ReturnStore].mail_by_row("delivery", 10**6) is None
        assert work[ReturnStore].mail_by_row("notice", 1) is None
        assert work[ReturnStore].mail_by_message_id("<x@papers.example>") is None


def test_what_is_held_against_somebody_is_kept_and_forgiven(
    database: Database, mailed: Mailed
) -> None:
    with database.writing() as work:
        assert work[ReturnStore].score(mailed.alice) == NO_BOUNCES
        work[ReturnStore].set_score(mailed.alice, BounceScore(points=1), now=NOW)
        work[ReturnStore].set_score(mailed.alice, KNOWN, now=NOW)
    with database.writing() as work:
        assert work[ReturnStore].score(mailed.alice) == KNOWN
        work[SubscriberStore].reset_bounces(mailed.alice)
        assert work[ReturnStore].score(mailed.alice) == NO_BOUNCES


def test_a_rest_stands_beside_the_subscription(database: Database, mailed: Mailed) -> None:
    with database.writing() as work:
        work[ReturnStore].set_score(mailed.alice, KNOWN, now=NOW)
    with database.reading() as work:
        found = work[SubscriberStore].subscriptions_after(
            mailed.list_id, SubscriptionId(0), limit=9
        )
    assert [one.resting_until for one in found] == [KNOWN.resting_until, None, None]


def _stop(database: Database, mailed: Mailed, person: SubscriberId, name: str) -> None:
    with database.writing() as work:
        kept = work[ReturnStore].begin(replace(HARD, event_id=name), now=NOW)
        assert kept is not None
        mail = work[ReturnStore].mail_by_row("delivery", mailed.rows[person].id)
        work[ReturnStore].end(kept, Did.STOPPED, proof=Proof.TAG, mail=mail, said="no such user")


def test_people_who_were_stopped_are_counted_by_domain_and_in_all(
    database: Database, engine: Engine, mailed: Mailed
) -> None:
    alice, bob, carol = (one.subscriber_id for one in mailed.people)
    with engine.begin() as connection:
        elsewhere = update(db.subscribers).where(db.subscribers.c.id == carol)
        connection.execute(elsewhere.values(domain="other.example"))
    for name, person in (("a", alice), ("b", bob), ("again", bob), ("c", carol)):
        _stop(database, mailed, person, name)
    with database.reading() as work:
        assert work[ReturnStore].stopped_since(alice, NOW - timedelta(hours=1)) == (2, 3)
        assert work[ReturnStore].stopped_since(alice, NOW) == (0, 0)


def test_a_mail_has_bounced_once_a_bounce_of_it_counted(database: Database, mailed: Mailed) -> None:
    mail = {}
    with database.writing() as work:
        for person, row in mailed.rows.items():
            found = work[ReturnStore].mail_by_row("delivery", row.id)
            assert found is not None
            mail[person] = found
        late = work[ReturnStore].begin(
            replace(HARD, event_id="late", evidence=Evidence.NONE), now=NOW
        )
        assert late is not None
        work[ReturnStore].end(late, Did.NOTED, proof=Proof.TAG, mail=mail[mailed.alice])
        assert not work[ReturnStore].has_bounced(mail[mailed.alice])
    _stop(database, mailed, mailed.alice, "a")
    with database.reading() as work:
        bounced = [one for one, its in mail.items() if work[ReturnStore].has_bounced(its)]
    assert bounced == [mailed.alice]


@pytest.mark.accept("F36", part="seen")
def test_a_tally_counts_mails_and_not_events(database: Database, mailed: Mailed) -> None:
    _stop(database, mailed, mailed.alice, "a")
    _stop(database, mailed, mailed.alice, "again")
    _begun(database, event_id="spam")
    with database.writing() as work:
        complaint = replace(
            HARD, event_id="c", kind=ReportKind.COMPLAINT, evidence=Evidence.COMPLAINT
        )
        kept = work[ReturnStore].begin(complaint, now=NOW)
        assert kept is not None
        row = mailed.rows[mailed.people[1].subscriber_id]
        work[ReturnStore].end(
            kept, Did.COMPLAINED, mail=work[ReturnStore].mail_by_row("delivery", row.id)
        )
        work[ReturnStore].set_score(mailed.people[2].subscriber_id, KNOWN, now=NOW)
        tally = work[ReturnStore].tally(since=NOW - timedelta(days=7), today=DAY)
        [(_, of_list)] = work[ReturnStore].tallies_by_list(since=NOW - timedelta(days=7)).items()
    assert (tally.tried, tally.bounced, tally.complained, tally.resting) == (3, 1, 1, 1)
    assert tally.events == {("bounce", "gone"): 2, ("complaint", "complaint"): 1}
    assert tally.effects == {"stopped": 2, "unknown": 1, "complained": 1}
    assert tally.bounce_rate == pytest.approx(1 / 3)
    assert (of_list.tried, of_list.bounced, of_list.complained) == (3, 1, 1)


def test_events_are_told_newest_first_and_of_one_person_alone(
    database: Database, mailed: Mailed
) -> None:
    for number, one in enumerate(mailed.people):
        _stop(database, mailed, one.subscriber_id, f"event {number}")
    with database.reading() as work:
        every = work[ReturnStore].events(None, limit=2)
        (hers,) = work[ReturnStore].events(mailed.alice, limit=9)
    row = mailed.rows[mailed.alice].id
    assert [one.id for one in every] == sorted((one.id for one in every), reverse=True)
    assert (hers.mail, hers.proof, hers.said) == (f"delivery/{row}", Proof.TAG, "no such user")


# --- quarantine --------------------------------------------------------------------------------


def _keep(database: Database, name: str, content: bytes = b"a mail") -> None:
    with database.writing() as work:
        event = replace(HARD, event_id=name)
        work[ReturnStore].keep(event, content, why="not-understood", person=None, now=NOW)


def test_a_mail_nobody_understood_is_kept_once(database: Database) -> None:
    _keep(database, "one", b"\x00\xff bytes")
    _keep(database, "one")
    with database.writing() as work:
        (mail,) = work[ReturnStore].waiting(limit=9)
        assert (mail.way, mail.event_id, mail.why) == ("pipe", "one", "not-understood")
        assert work[ReturnStore].quarantined(mail.id) == (mail, b"\x00\xff bytes")


def test_of_a_long_mail_the_start_is_kept(database: Database) -> None:
    _keep(database, "long", b"x" * (LONGEST_QUARANTINED + 1))
    with database.reading() as work:
        (mail,) = work[ReturnStore].waiting(limit=9)
        found = work[ReturnStore].quarantined(mail.id)
    assert found is not None
    assert (mail.size, len(found[1])) == (LONGEST_QUARANTINED + 1, LONGEST_QUARANTINED)


@pytest.mark.accept("F36", part="quarantine")
def test_a_flood_of_mails_takes_only_so_much_room(database: Database, engine: Engine) -> None:
    with database.writing() as work:
        for number in range(MOST_QUARANTINED + 3):
            event = replace(HARD, event_id=str(number))
            work[ReturnStore].keep(event, b"x", why="not-understood", person=None, now=NOW)
    with database.reading() as work:
        newest = work[ReturnStore].waiting(limit=1)
    with engine.connect() as connection:
        rows = connection.execute(select(func.count()).select_from(db.quarantine)).scalar_one()
    assert rows == MOST_QUARANTINED
    assert newest[0].event_id == str(MOST_QUARANTINED + 2)


def test_what_is_old_is_forgotten(database: Database) -> None:
    _begun(database)
    _keep(database, "one")
    with database.writing() as work:
        assert work[ReturnStore].forget(events=NOW, mails=NOW) == 0
        later = NOW + timedelta(seconds=1)
        assert work[ReturnStore].forget(events=later, mails=NOW) == 1
        assert work[ReturnStore].forget(events=later, mails=later) == 1


@pytest.mark.slow
@pytest.mark.accept("F36", part="quarantine")
def test_of_events_about_no_mail_of_ours_only_so_many_are_kept(
    database: Database, engine: Engine, mailed: Mailed
) -> None:
    _begun(database)
    with database.writing() as work:
        mail = work[ReturnStore].mail_by_row("delivery", mailed.rows[mailed.alice].id)
        first = work[ReturnStore].begin(replace(HARD, event_id="about a mail"), now=NOW)
        assert mail is not None
        assert first is not None
        work[ReturnStore].end(first, Did.NOTED, mail=mail)
    row = {"way": "pipe", "kind": "bounce", "evidence": "gone", "proof": "", "did": "unknown"}
    with engine.begin() as connection:
        connection.execute(
            insert(db.returned),
            [
                row | {"event_id": str(n), "code": "", "happened_at": NOW, "received_at": NOW}
                for n in range(MOST_UNPROVEN)
            ],
        )
    with database.writing() as work:
        assert work[ReturnStore].forget(events=NOW, mails=NOW) == 1
        assert work[ReturnStore].forget(events=NOW, mails=NOW) == 0
        events = work[ReturnStore].events(None, limit=MOST_UNPROVEN + 2)
    assert len(events) == MOST_UNPROVEN + 1
    assert events[-1].mail == mail.name
