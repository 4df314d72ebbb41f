"""The ledger, on every database: planned once, claimed once, settled only by who holds it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update

from paperround.core.errors import Conflict
from paperround.core.interfaces import Worker
from paperround.db.schema import tables as db
from paperround.db.transactions import Database
from paperround.delivery.ledger_model import Claimed, LedgerTotals, Transition
from paperround.delivery.model import Lease
from paperround.delivery.store.history import SentPapers
from paperround.delivery.store.ledger import Ledger
from paperround.editions.model import DeliveryId, DeliveryState, DigestKind, Edition, EditionState
from paperround.editions.schedule import DIGEST_LIFE
from paperround.editions.store.editions import EditionStore
from paperround.papers.model import PaperId
from paperround.subscribers.model import SubscriberId, SubscriberState, Subscription
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import (
    DAY,
    HOUR,
    MINUTE,
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

SENT, FAILED, DEFERRED = DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.DEFERRED
UNKNOWN, SKIPPED, EXPIRED = DeliveryState.UNKNOWN, DeliveryState.SKIPPED, DeliveryState.EXPIRED


@dataclass(frozen=True)
class Town:
    """A database with an edition of three papers, and three people on the list."""

    database: Database
    edition: Edition
    people: list[Subscription]
    papers: tuple[PaperId, ...]

    def plan(self, *, kind: DigestKind = DigestKind.DIGEST) -> int:
        rows = [new_delivery(one, self.papers[:2], kind=kind) for one in self.people]
        return plan(self.database, self.edition, rows)

    def claim(self, held: Lease | None = None, *, limit: int = 10) -> list[Claimed]:
        with self.database.writing() as work:
            return work[Ledger].claim(held or lease(), limit=limit, now=NOW)

    def mark(self, rows: Sequence[Claimed], token: str = TOKEN) -> frozenset[DeliveryId]:
        with self.database.writing() as work:
            ids = [row.id for row in rows]
            return work[Ledger].mark_in_data(ids, token, until=rows[0].lease.until, now=NOW)

    def settle(self, *moves: Transition) -> int:
        with self.database.writing() as work:
            return work[Ledger].settle(moves, now=NOW)

    def totals(self) -> LedgerTotals:
        with self.database.reading() as work:
            return work[Ledger].totals(now=NOW)

    def memory(self, person: SubscriberId) -> frozenset[PaperId]:
        with self.database.reading() as work:
            return work[SentPapers].already_sent([person])[person]


@dataclass(frozen=True)
class Obituary:
    """Knows that the processes with these numbers are gone."""

    dead: frozenset[int] = frozenset()

    def current(self) -> Worker:
        return lease().worker

    def is_dead(self, worker: Worker) -> bool:
        return worker.pid in self.dead


@pytest.fixture
def town(database: Database) -> Town:
    default = seed_list(database)
    papers = seed_papers(database, 3)
    people = seed_subscribers(database, default, ("alice", "bob", "charlie"))
    return Town(database, seed_edition(database, default, papers), people, papers)


# --- planning ----------------------------------------------------------------------------------


@pytest.mark.accept("F14")
@pytest.mark.accept("R1", part="shard")
def test_a_paper_already_taken_is_a_conflict_and_nothing_of_the_shard_stays(town: Town) -> None:
    town.plan()
    tomorrow = DAY + timedelta(days=1)
    rows = [new_delivery(one, town.papers[1:], day=tomorrow) for one in town.people]
    with pytest.raises(Conflict):
        plan(town.database, town.edition, rows)
    assert town.totals() == LedgerTotals(queued=3)
    assert town.memory(town.people[0].subscriber_id) == set(town.papers[:2])


def test_a_replacement_may_repeat_papers(town: Town) -> None:
    town.plan()
    assert town.plan(kind=DigestKind.REPLACEMENT) == 3


def test_rows_born_skipped_are_counted_by_reason(town: Town) -> None:
    alice, bob, charlie = town.people
    rows = [new_delivery(one, state=SKIPPED, reason="paused") for one in (alice, bob)]
    plan(town.database, town.edition, [*rows, new_delivery(charlie, town.papers)])
    with town.database.reading() as work:
        planned = work[Ledger].planned(town.edition.id)
    assert (planned.rows, planned.skipped) == (3, {"paused": 2})


def test_the_people_planned_for_a_day_are_known(town: Town) -> None:
    alice, bob, _ = (one.subscriber_id for one in town.people)
    plan(town.database, town.edition, [new_delivery(town.people[0])])
    with town.database.reading() as work:
        ledger, kind = work[Ledger], DigestKind.DIGEST
        list_id = town.edition.list_id
        assert ledger.planned_subscribers(list_id, [alice, bob], kind, DAY) == {alice}
        assert ledger.find(list_id, bob, kind, DAY) is None
        slip = ledger.find(list_id, alice, kind, DAY)
    assert slip is not None
    assert (slip.address, slip.edition_id) == ("alice@mail.example", town.edition.id)


# --- claiming ----------------------------------------------------------------------------------


@pytest.mark.accept("R13", part="claim")
def test_a_claim_holds_all_that_the_bytes_are_made_of(town: Town) -> None:
    planned = new_delivery(town.people[0], (town.papers[2], town.papers[0]))
    plan(town.database, town.edition, [planned])
    (row,) = town.claim()
    assert (row.message_id, row.dated, row.nonce, row.key_id) == (
        planned.message_id,
        planned.dated,
        planned.nonce,
        planned.key_id,
    )
    assert (row.address, row.positions, row.attempts) == ("alice@mail.example", (1, 2), 0)


def test_rows_are_claimed_once_and_oldest_first(town: Town) -> None:
    late, early, later = town.people
    dues = {late: NOW - MINUTE, early: NOW - HOUR, later: NOW + MINUTE}
    rows = [new_delivery(one, due_at=due) for one, due in dues.items()]
    plan(town.database, town.edition, rows)
    claimed = [row.subscriber_id for row in town.claim(limit=1) + town.claim(lease("t2"))]
    assert claimed == [early.subscriber_id, late.subscriber_id]
    assert town.claim(lease("t3")) == []


@pytest.mark.accept("S13", part="at the claim")
@pytest.mark.parametrize(
    ("state", "reason"),
    [(SubscriberState.UNSUBSCRIBED, "unsubscribed"), (SubscriberState.SUPPRESSED, "suppressed")],
)
def test_somebody_who_left_since_planning_is_skipped(
    town: Town, state: SubscriberState, reason: str
) -> None:
    town.plan()
    gone = town.people[0].subscriber_id
    with town.database.writing() as work:
        work[SubscriberStore].set_state(gone, state, now=NOW)
    assert gone not in {row.subscriber_id for row in town.claim()}
    assert town.totals() == LedgerTotals(queued=2, skipped=1)
    assert town.memory(gone) == frozenset()
    with town.database.reading() as work:
        assert work[Ledger].planned(town.edition.id).skipped == {}


def test_when_everybody_left_a_claim_comes_back_empty(town: Town) -> None:
    town.plan()
    with town.database.writing() as work:
        for one in town.people:
            work[SubscriberStore].set_state(
                one.subscriber_id, SubscriberState.UNSUBSCRIBED, now=NOW
            )
    assert town.claim(limit=1) == []
    assert town.totals() == LedgerTotals(skipped=3)


def test_a_cancelled_edition_is_not_sent(town: Town) -> None:
    town.plan()
    with town.database.writing() as work:
        work[EditionStore].set_state(town.edition.id, EditionState.CANCELLED)
    assert town.claim() == []
    assert town.totals() == LedgerTotals(skipped=3)


def test_rows_of_a_paused_list_wait(town: Town, engine: Engine) -> None:
    town.plan()
    with engine.begin() as connection:
        connection.execute(update(db.lists).values(paused_at=NOW))
    assert town.claim() == []
    with engine.begin() as connection:
        connection.execute(update(db.lists).values(paused_at=None))
    assert len(town.claim()) == 3


def test_released_rows_wait_again_without_a_try_counted(town: Town) -> None:
    town.plan()
    sent, *_ = town.claim()
    town.mark([sent])
    with town.database.writing() as work:
        assert work[Ledger].release("t1") == 2
    assert [row.attempts for row in town.claim(lease("t2"))] == [0, 0]


@pytest.mark.accept("R2", part="nobody listens")
def test_what_a_run_has_marked_and_listens_for_no_more_is_unknown_and_nothing_else(
    town: Town,
) -> None:
    town.plan()
    marked, waits = town.claim(limit=2)
    (other,) = town.claim(lease("t2"))
    town.mark([marked])
    town.mark([other], "t2")
    with town.database.writing() as work:
        assert work[Ledger].give_up("t1") == 1
        assert work[Ledger].give_up("t1") == 0
        assert work[Ledger].release("t1") == 1
    assert town.totals() == LedgerTotals(queued=2, unknown=1)
    assert [row.id for row in town.claim(lease("t3"))] == [waits.id]
    assert town.settle(move(other, SENT, token="t2"), move(marked, SENT)) == 2


# --- the final dot and after -------------------------------------------------------------------


def test_only_rows_held_under_the_token_are_marked(town: Town) -> None:
    town.plan()
    rows = town.claim()
    assert town.mark(rows, "another") == frozenset()
    assert town.mark(rows[:1]) == {rows[0].id}
    assert town.mark(rows) == {row.id for row in rows[1:]}


@pytest.mark.parametrize(
    ("state", "kept"),
    [(SENT, True), (UNKNOWN, True), (DEFERRED, True)]
    + [(state, False) for state in (FAILED, EXPIRED, SKIPPED)],
)
@pytest.mark.accept("F14")
def test_papers_are_released_when_they_reached_nobody(
    town: Town, state: DeliveryState, kept: bool
) -> None:
    town.plan()
    row, *_ = town.claim()
    assert town.settle(move(row, state)) == 1
    assert bool(town.memory(row.subscriber_id)) is kept


def test_a_deferred_row_comes_back_when_it_is_due_with_its_tries_counted(town: Town) -> None:
    plan(town.database, town.edition, [new_delivery(town.people[0])])
    (row,) = town.claim()
    town.settle(replace(move(row, DEFERRED), breakdown=True))
    assert town.claim(lease("t2")) == []
    with town.database.writing() as work:
        (again,) = work[Ledger].claim(lease("t2"), limit=9, now=NOW + 5 * MINUTE)
    assert (again.id, again.attempts, again.breakdowns) == (row.id, 1, 1)


@pytest.mark.accept("R2", part="an old token")
def test_a_move_under_an_old_token_changes_nothing(town: Town) -> None:
    town.plan()
    rows = town.claim(lease("t1", until=NOW))
    with town.database.writing() as work:
        work[Ledger].reclaim(Obituary(), now=NOW)
    town.claim(lease("t2"))
    assert town.settle(*(move(row, SENT) for row in rows)) == 0
    assert town.totals() == LedgerTotals(queued=3)


def test_sent_never_leaves_sent(town: Town) -> None:
    town.plan()
    row, *_ = town.claim()
    town.settle(move(row, SENT))
    for state in (FAILED, DEFERRED, UNKNOWN, SENT):
        assert town.settle(move(row, state)) == 0
    assert town.totals().sent == 1


def test_a_late_answer_turns_unknown_into_sent_and_nothing_else(town: Town, engine: Engine) -> None:
    town.plan()
    row, *_ = town.claim()
    town.settle(move(row, UNKNOWN))
    assert [town.settle(move(row, state)) for state in (FAILED, DEFERRED, SENT)] == [0, 0, 1]
    with engine.connect() as connection:
        tries = connection.execute(
            select(db.deliveries.c.attempts).where(db.deliveries.c.id == row.id)
        )
        assert tries.scalar_one() == 1, "the answer belongs to the try that was counted"


def test_moves_that_are_settled_together_each_move_their_own_row(
    town: Town, engine: Engine
) -> None:
    town.plan()
    first, second, third = town.claim()
    town.mark([first])
    said = replace(move(first, SENT), reply='250 "so" it is: naïve', code=250)
    later = replace(move(second, DEFERRED), breakdown=True, reply=None, code=None)
    assert town.settle(said, later, replace(move(third, FAILED), token="another's")) == 2
    c = db.deliveries.c
    wanted = select(
        c.id, c.state, c.code, c.reply, c.attempts, c.breakdowns, c.next_at, c.sent_at, c.token
    )
    with engine.connect() as connection:
        found = connection.execute(wanted.order_by(c.id)).all()
    assert {row.id: tuple(row)[1:] for row in found} == {
        first.id: (SENT, 250, said.reply, 1, 0, NOW, NOW, TOKEN),
        second.id: (DEFERRED, None, None, 1, 1, NOW + 5 * MINUTE, None, TOKEN),
        third.id: (DeliveryState.CLAIMED, None, None, 0, 0, NOW, None, TOKEN),
    }
    assert (town.totals().sent, town.totals().unknown) == (1, 0)


def test_an_answer_no_database_would_take_does_not_undo_the_batch(town: Town) -> None:
    town.plan()
    first, second, _ = town.claim()
    odd = replace(move(first, FAILED), reply="550 \x00 no\udcff", reason="\x00")
    assert town.settle(odd, move(second, SENT)) == 2


# --- leases and lives --------------------------------------------------------------------------


@pytest.mark.accept("R3", part="reclaim")
def test_rows_of_a_dead_process_are_reclaimed_at_once(town: Town) -> None:
    town.plan()
    first, *_ = town.claim(lease("t1", pid=7), limit=2)
    town.claim(lease("t2", pid=8))
    town.mark([first])
    with town.database.writing() as work:
        assert work[Ledger].reclaim(Obituary(frozenset({7})), now=NOW) == {
            "queued": 1,
            "unknown": 1,
        }
    assert [row.attempts for row in town.claim(lease("t3"))] == [0]
    assert town.memory(first.subscriber_id)


@pytest.mark.accept("R4", part="lease")
def test_other_rows_are_reclaimed_when_their_lease_is_over(town: Town) -> None:
    town.plan()
    held = lease()
    town.claim(held)
    with town.database.writing() as work:
        assert work[Ledger].reclaim(Obituary(), now=held.until - MINUTE) == {}
        assert work[Ledger].reclaim(Obituary(), now=held.until) == {"queued": 3}


def test_what_outlives_its_day_expires_and_gives_its_papers_back(town: Town) -> None:
    town.plan()
    held, *_ = town.claim(limit=1)
    end = NOW + DIGEST_LIFE
    with town.database.writing() as work:
        assert work[Ledger].expire(now=end - MINUTE) == 0
        assert work[Ledger].claim(lease("t2"), limit=9, now=end) == []
        assert work[Ledger].expire(now=end) == 2
    kept = [bool(town.memory(one.subscriber_id)) for one in town.people]
    assert kept == [one.subscriber_id == held.subscriber_id for one in town.people]


def test_totals_count_finished_rows_while_one_row_of_the_edition_lives(town: Town) -> None:
    early, late = town.people[:2]
    rows = [new_delivery(early), new_delivery(late, due_at=NOW + HOUR)]
    plan(town.database, town.edition, rows)
    with town.database.writing() as work:
        work[Ledger].expire(now=NOW + DIGEST_LIFE)
        assert work[Ledger].totals(now=NOW + DIGEST_LIFE) == LedgerTotals(queued=1, expired=1)
