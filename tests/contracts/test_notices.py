"""The ledger of notices, on every database: written once, sent once, its link used once."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, update

from paperround.core.interfaces import Worker
from paperround.db.schema import tables as db
from paperround.db.transactions import Database
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import (
    NOTICE_LIFE,
    ClaimedNotice,
    NewNotice,
    Notice,
    SystemMailKind,
)
from paperround.editions.model import DeliveryState
from paperround.ops.cleanup import clean_up
from paperround.self_service.change_address import Agreed, agree
from paperround.subscribers.model import SubscriberId, SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import (
    HOUR,
    MINUTE,
    NOW,
    TOKEN,
    address,
    everything_kept,
    lease,
    move,
    seed_list,
    seed_subscribers,
)
from tests.contracts.notices import notice
from tests.races import at_once
from tests.sample_database import IDENTITY
from tests.self_service.readers import (
    ask_to_move,
    link,
    post,
    request_link,
    signup_context,
    visitor,
)

SENT, UNKNOWN, FAILED = DeliveryState.SENT, DeliveryState.UNKNOWN, DeliveryState.FAILED
NOBODY = SubscriberId(987_654)


@dataclass(frozen=True)
class Office:
    """A database with one person who asked for mail, and what is done with their notices."""

    database: Database
    person: SubscriberId

    def put(self, *notices: NewNotice) -> list[bool]:
        with self.database.writing() as work:
            return [work[NoticeLedger].put(one, now=NOW) for one in notices]

    def claim(self, token: str = TOKEN, *, limit: int = 9) -> list[ClaimedNotice]:
        with self.database.writing() as work:
            return work[NoticeLedger].claim(lease(token), limit=limit, now=NOW)

    def settle(self, row: ClaimedNotice, state: DeliveryState) -> int:
        with self.database.writing() as work:
            return work[NoticeLedger].settle([move(row.id, state, token=row.lease.token)], now=NOW)

    def again(self, row: ClaimedNotice) -> bool:
        with self.database.writing() as work:
            return work[NoticeLedger].again(row.id, due_at=NOW, expires_at=NOW + NOTICE_LIFE)

    def find(self, key: str = "confirm/1") -> Notice:
        with self.database.reading() as work:
            found = work[NoticeLedger].find(key)
        assert found is not None
        return found

    def become(self, state: SubscriberState) -> None:
        with self.database.writing() as work:
            work[SubscriberStore].set_state(self.person, state, now=NOW)

    def totals(self) -> LedgerTotals:
        with self.database.reading() as work:
            return work[NoticeLedger].totals(now=NOW)


class Mourner:
    """Knows that every other process is gone."""

    def current(self) -> Worker:
        return lease().worker

    def is_dead(self, worker: Worker) -> bool:
        return worker.pid > 0


@pytest.fixture
def office(database: Database) -> Office:
    (subscription,) = seed_subscribers(database, seed_list(database), ("alice",))
    return Office(database, subscription.subscriber_id)


# --- writing -----------------------------------------------------------------------------------


def test_a_notice_is_written_once_for_its_key(office: Office) -> None:
    one = notice(office.person)
    assert office.put(one, replace(one, nonce="another")) == [True, False]
    assert office.find().nonce == one.nonce
    assert office.totals() == LedgerTotals(queued=1)


@pytest.mark.accept("D2", part="short")
def test_a_notice_written_by_many_at_once_is_one(office: Office) -> None:
    one = notice(office.person)
    assert Counter(at_once(8, lambda _: office.put(one)[0])) == {True: 1, False: 7}


def test_a_notice_is_found_by_key_by_id_and_as_a_persons_latest(office: Office) -> None:
    office.put(notice(office.person), notice(office.person, "confirm/2"))
    office.put(notice(office.person, "undo/1", SystemMailKind.UNDO))
    found = office.find("confirm/2")
    assert (found.payload, found.state) == ({"list": 1, "subject": "ü"}, DeliveryState.QUEUED)
    with office.database.reading() as work:
        assert work[NoticeLedger].get(found.id) == found
        assert work[NoticeLedger].latest(office.person, SystemMailKind.CONFIRM) == found
        assert work[NoticeLedger].latest(NOBODY, SystemMailKind.CONFIRM) is None
        assert work[NoticeLedger].find("confirm/3") is None


# --- claiming ----------------------------------------------------------------------------------


def test_a_claimed_notice_holds_all_that_its_bytes_are_made_of(office: Office) -> None:
    written = notice(office.person)
    office.put(written)
    (row,) = office.claim()
    assert (row.address, row.subscriber_id) == ("alice@mail.example", office.person)
    assert (row.payload, row.kind) == (written.payload, written.kind)
    assert (row.message_id, row.dated, row.key_id, row.nonce) == (
        written.message_id,
        written.dated,
        written.key_id,
        written.nonce,
    )
    assert office.claim("t2") == []


OF_OPERATORS = SystemMailKind.LOGIN
"""It is stored as an alert, and goes to nobody who is a subscriber."""


@pytest.mark.accept("S13", part="notices")
@pytest.mark.parametrize("kind", [one for one in SystemMailKind if one is not OF_OPERATORS])
def test_a_suppressed_person_gets_no_notice(office: Office, kind: SystemMailKind) -> None:
    office.put(notice(office.person, kind=kind, address="new@mail.example"))
    office.become(SubscriberState.SUPPRESSED)
    assert office.claim() == []
    assert (office.find().state, office.find().reason) == (DeliveryState.SKIPPED, "suppressed")


def test_an_erased_person_gets_no_notice(office: Office, engine: Engine) -> None:
    office.put(notice(office.person), notice(office.person, "c", address="new@mail.example"))
    with engine.begin() as connection:
        gone = {"address": None, "written": None, "folded": None, "domain": None}
        connection.execute(update(db.subscribers).values(**gone, erased_at=NOW))
    assert office.claim() == []
    assert office.totals() == LedgerTotals(skipped=2)


def test_an_alert_goes_to_an_address_of_its_own_and_a_confirmation_never(office: Office) -> None:
    told = notice(None, "alert/1", SystemMailKind.ALERT, "keeper@mail.example")
    office.put(told, notice(None, "confirm/9", address="nobody@mail.example"))
    assert [row.address for row in office.claim()] == ["keeper@mail.example"]
    assert office.find("confirm/9").reason == "unsubscribed"


@pytest.mark.accept("R11", part="notices")
def test_the_pause_of_a_list_stops_no_notice(office: Office, engine: Engine) -> None:
    office.put(notice(office.person))
    with engine.begin() as connection:
        connection.execute(update(db.lists).values(paused_at=NOW))
    assert len(office.claim()) == 1


def test_a_notice_whose_life_is_over_is_not_sent(office: Office) -> None:
    office.put(notice(office.person))
    end = NOW + NOTICE_LIFE
    with office.database.writing() as work:
        assert work[NoticeLedger].claim(lease(), limit=9, now=end) == []
        assert work[NoticeLedger].expire(now=end) == 1
        assert work[NoticeLedger].totals(now=end) == LedgerTotals()
        assert work[NoticeLedger].totals(now=end - MINUTE) == LedgerTotals(expired=1)


# --- the final dot and after -------------------------------------------------------------------


@pytest.mark.accept("R3", part="notices")
def test_of_a_dead_process_the_marked_notice_is_unknown_and_the_other_waits(office: Office) -> None:
    office.put(notice(office.person), notice(office.person, "confirm/2"))
    marked, _ = office.claim()
    with office.database.writing() as work:
        assert work[NoticeLedger].mark_in_data([marked.id], "t1", until=NOW + HOUR, now=NOW)
        assert work[NoticeLedger].reclaim(Mourner(), now=NOW) == {"queued": 1, "unknown": 1}
    assert [row.id for row in office.claim("t2")] != [marked.id]
    assert office.totals() == LedgerTotals(queued=1, unknown=1)


@pytest.mark.accept("R5", part="confirmation")
@pytest.mark.parametrize("ended", [SENT, UNKNOWN, FAILED, DeliveryState.EXPIRED])
def test_a_notice_that_ended_goes_again_on_request_as_it_was(
    office: Office, ended: DeliveryState
) -> None:
    office.put(notice(office.person))
    (first,) = office.claim()
    office.settle(first, ended)
    assert office.claim("t2") == []
    assert office.again(first)
    (second,) = office.claim("t3")
    assert replace(second, lease=first.lease) == first
    assert office.settle(second, SENT) == 1


@pytest.mark.accept("R5", part="confirmation")
def test_a_notice_on_its_way_does_not_go_again(office: Office) -> None:
    office.put(notice(office.person))
    (row,) = office.claim()
    assert not office.again(row)
    office.settle(row, DeliveryState.DEFERRED)
    assert not office.again(row)
    assert not office.again(replace(row, id=row.id + 1))  # type: ignore[arg-type]


def test_a_late_answer_does_not_end_what_was_asked_for_again(office: Office) -> None:
    office.put(notice(office.person))
    (row,) = office.claim()
    office.settle(row, UNKNOWN)
    office.again(row)
    assert office.settle(row, SENT) == 0
    assert office.totals() == LedgerTotals(queued=1)


# --- its link ----------------------------------------------------------------------------------


@pytest.mark.accept("D2", part="short")
def test_a_link_used_by_a_hundred_at_once_counts_once(office: Office) -> None:
    office.put(notice(office.person))
    id_ = office.find().id

    def use(number: int) -> bool:
        with office.database.writing() as work:
            return work[NoticeLedger].use(id_, now=NOW + timedelta(seconds=number))

    tick_context = [at_once(20, use) for _ in range(5)]
    assert Counter(one for used in tick_context for one in used) == {True: 1, False: 99}
    assert office.find().used_at is not None


# --- a change of address -----------------------------------------------------------------------


def moving(database: Database, to: str) -> list[ClaimedNotice]:
    """The mails to both ends of a change that Alice asked for, the old one first."""
    here = signup_context(database)
    request_link(here, address("alice"), visitor(), now=NOW)
    (choices,) = post(database)
    ask_to_move(here, link(choices), address(to), now=NOW)
    return post(database)


def named(office: Office) -> str:
    with office.database.reading() as work:
        return str(everything_kept(work, office.person)["notices"])


@pytest.mark.accept("F30", part="change of address")
def test_two_ends_that_agree_at_once_move_the_reader(office: Office) -> None:
    ends = moving(office.database, "bob")
    here = signup_context(office.database)
    agreed = at_once(2, lambda number: agree(here, link(ends[number]), now=NOW))
    assert sorted(map(str, agreed)) == [Agreed.MOVED, Agreed.ONE_END]
    with office.database.reading() as work:
        assert work[SubscriberStore].find(address("alice")) is None


@pytest.mark.accept("P2", part="change of address")
@pytest.mark.parametrize("agrees", [True, False], ids=["made", "over"])
def test_the_new_address_is_forgotten_once_a_change_is_made_or_over(
    office: Office, agrees: bool
) -> None:
    ends = moving(office.database, "bob")
    before = NOW + HOUR if agrees else NOW + 47 * HOUR
    clean_up(database=office.database, identity=IDENTITY, now=before)
    assert "bob" in named(office)
    if agrees:
        for end in ends:
            agree(signup_context(office.database), link(end), now=before)
    after = before + 2 * HOUR
    clean_up(database=office.database, identity=IDENTITY, now=after)
    assert "bob" not in named(office)
    assert "'list'" in named(office), "what the mail was about stays"
    assert post(office.database, now=after) == []


def test_the_new_address_of_a_change_that_still_waits_to_be_mailed_stays(office: Office) -> None:
    office.put(
        notice(office.person, "change/1/x/old", SystemMailKind.CHANGE),
        notice(office.person, "change/1/x/new", SystemMailKind.CHANGE, "bob@mail.example"),
    )
    with office.database.writing() as work:
        assert work[NoticeLedger].forget_moves(before=NOW + HOUR, limit=9) == 0
    assert office.find("change/1/x/new").address == "bob@mail.example"
