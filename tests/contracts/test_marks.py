"""The last look before the final dot: who has left since the claim gets nothing any more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, select, update

from paperround.db.schema import tables as db
from paperround.db.transactions import Database, Transaction
from paperround.delivery.ledger_model import Claimed, LedgerTotals
from paperround.delivery.store.claims import PAUSE
from paperround.delivery.store.erasure import Erasure
from paperround.delivery.store.history import SentPapers
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.editions.model import DeliveryId, DeliveryState, Edition, EditionState
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.model import PaperId
from paperround.subscribers.model import SubscriberState, Subscription
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import (
    HOUR,
    NOW,
    TOKEN,
    lease,
    move,
    new_delivery,
    plan,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
)
from tests.contracts.notices import notice

Change = Callable[[Transaction, "Round"], object]


@dataclass(frozen=True)
class Round:
    """Two digests in the hands of a process; the first is Alice's."""

    database: Database
    engine: Engine
    edition: Edition
    alice: Subscription
    papers: tuple[PaperId, ...]
    rows: Sequence[Claimed]

    def change(self, change: Change) -> None:
        with self.database.writing() as work:
            change(work, self)

    def mark(self) -> frozenset[DeliveryId]:
        ids = [row.id for row in self.rows]
        with self.database.writing() as work:
            return work[Ledger].mark_in_data(ids, TOKEN, until=NOW + HOUR, now=NOW)

    def states(self) -> list[tuple[str, str]]:
        c = db.deliveries.c
        with self.engine.connect() as connection:
            found = connection.execute(select(c.state, c.reason).order_by(c.id))
            return [(state, reason) for state, reason in found]

    def memory(self) -> frozenset[PaperId]:
        person = self.alice.subscriber_id
        with self.database.reading() as work:
            return work[SentPapers].already_sent([person])[person]


@pytest.fixture
def under_way(database: Database, engine: Engine) -> Round:
    default, papers = seed_list(database), seed_papers(database, 1)
    people = seed_subscribers(database, default, ("alice", "bob"))
    edition = seed_edition(database, default, papers)
    plan(database, edition, [new_delivery(one, papers) for one in people])
    with database.writing() as work:
        rows = work[Ledger].claim(lease(), limit=9, now=NOW)
    return Round(database, engine, edition, people[0], papers, rows)


def _leave(work: Transaction, here: Round) -> None:
    work[SubscriberStore].leave(here.alice.id, now=NOW)


def _leave_everything(work: Transaction, here: Round) -> None:
    work[SubscriberStore].set_state(here.alice.subscriber_id, SubscriberState.UNSUBSCRIBED, now=NOW)


def _suppress(work: Transaction, here: Round) -> None:
    work[SubscriberStore].set_state(here.alice.subscriber_id, SubscriberState.SUPPRESSED, now=NOW)


def _erase(work: Transaction, here: Round) -> None:
    work[Erasure].erase(here.alice.subscriber_id, now=NOW)


def _cancel(work: Transaction, here: Round) -> None:
    work[EditionStore].set_state(here.edition.id, EditionState.CANCELLED)


def _pause(work: Transaction, here: Round) -> None:
    work[ListStore].pause(here.edition.list_id, now=NOW)


@pytest.mark.accept("S13", part="at the dot")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_leave, "unsubscribed"),
        (_leave_everything, "unsubscribed"),
        (_suppress, "suppressed"),
        (_erase, "unsubscribed"),
    ],
)
def test_who_left_since_the_claim_is_skipped_at_the_dot(
    under_way: Round, change: Change, reason: str
) -> None:
    under_way.change(change)
    assert under_way.mark() == {under_way.rows[1].id}
    assert under_way.states() == [("skipped", reason), ("in_data", "")]
    assert under_way.memory() == frozenset()


def test_an_edition_cancelled_since_the_claim_is_skipped_at_the_dot(under_way: Round) -> None:
    under_way.change(_cancel)
    assert under_way.mark() == frozenset()
    assert under_way.states() == [("skipped", "cancelled")] * 2


@pytest.mark.accept("R11", part="at the dot")
def test_digests_of_a_list_paused_since_the_claim_wait_at_the_dot(under_way: Round) -> None:
    under_way.change(_pause)
    assert under_way.mark() == frozenset()
    assert under_way.states() == [("queued", "")] * 2
    assert under_way.memory() == set(under_way.papers)
    under_way.change(lambda work, here: work[ListStore].resume(here.edition.list_id))
    with under_way.database.writing() as work:
        assert work[Ledger].claim(lease("t2"), limit=9, now=NOW) == []
        again = work[Ledger].claim(lease("t2"), limit=9, now=NOW + PAUSE)
    assert [row.attempts for row in again] == [0, 0]


def test_a_claim_can_be_given_back_but_for_what_is_in_hand(under_way: Round) -> None:
    in_hand, _ = (row.id for row in under_way.rows)
    with under_way.database.writing() as work:
        assert work[Ledger].release(TOKEN, without=[in_hand]) == 1
    assert under_way.states() == [("claimed", ""), ("queued", "")]


@pytest.mark.accept("S13", part="notices at the dot")
@pytest.mark.parametrize(("change", "marked"), [(_leave, 1), (_suppress, 0), (_erase, 0)])
def test_a_notice_is_marked_for_whoever_may_still_get_it(
    under_way: Round, change: Change, marked: int
) -> None:
    person = under_way.alice.subscriber_id
    with under_way.database.writing() as work:
        work[NoticeLedger].put(notice(person), now=NOW)
        (row,) = work[NoticeLedger].claim(lease(), limit=9, now=NOW)
        change(work, under_way)
        got = work[NoticeLedger].mark_in_data([row.id], TOKEN, until=NOW + HOUR, now=NOW)
    assert len(got) == marked
    with under_way.database.reading() as work:
        totals = work[NoticeLedger].totals(now=NOW)
    assert totals == LedgerTotals(queued=marked, skipped=1 - marked)


def test_an_alert_to_an_address_of_its_own_is_marked(under_way: Round) -> None:
    told = notice(None, "alert/1", SystemMailKind.ALERT, "keeper@mail.example")
    with under_way.database.writing() as work:
        work[NoticeLedger].put(told, now=NOW)
        (row,) = work[NoticeLedger].claim(lease(), limit=9, now=NOW)
        assert work[NoticeLedger].mark_in_data([row.id], TOKEN, until=NOW + HOUR, now=NOW)


@pytest.mark.accept("P2", part="late reply")
def test_an_answer_about_somebody_erased_meanwhile_is_not_kept(under_way: Round) -> None:
    under_way.mark()
    under_way.change(_erase)
    with under_way.database.writing() as work:
        moves = [move(row, DeliveryState.SENT) for row in under_way.rows]
        assert work[Ledger].settle(moves, now=NOW) == 2
    with under_way.engine.connect() as connection:
        replies = connection.execute(select(db.deliveries.c.reply).order_by(db.deliveries.c.id))
        assert replies.scalars().all() == [None, "ok"]


def test_a_paused_list_holds_up_no_other(under_way: Round) -> None:
    """The other list's digest is due later, and the paused one's all stand before it."""
    with under_way.database.writing() as work:
        work[Ledger].release(TOKEN)
    other = _move_bob_to_another_list(under_way)
    under_way.change(_pause)
    with under_way.database.writing() as work:
        rows = work[Ledger].claim(lease("t2"), limit=9, now=NOW)
    assert [row.id for row in rows] == [other]


def _move_bob_to_another_list(here: Round) -> DeliveryId:
    with here.engine.begin() as connection:
        (row,) = connection.execute(select(db.lists)).mappings()
        another = dict(row) | {"id": row["id"] + 1, "name": "another"}
        connection.execute(db.lists.insert(), another)
        bobs = here.rows[1].id
        connection.execute(
            update(db.deliveries).where(db.deliveries.c.id == bobs).values(list_id=another["id"])
        )
    return bobs
