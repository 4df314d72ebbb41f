"""Planning whose hour has come, and what a list and a person are told of their mails."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from paperround.core.errors import Conflict
from paperround.db.schema import tables as db
from paperround.db.transactions import Database
from paperround.delivery.ledger_model import Backlog, DueDelivery, LedgerTotals, NewDelivery
from paperround.delivery.store.history import SentPapers
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.status import StatusStore
from paperround.editions.model import DeliveryState, Edition
from paperround.editions.schedule import DIGEST_LIFE
from paperround.editions.store.editions import EditionStore
from paperround.papers.model import PaperId
from paperround.subscribers.model import SubscriberId, Subscription, SubscriptionId
from tests.builders import (
    DAY,
    HOUR,
    NOW,
    edition_paper,
    lease,
    move,
    new_delivery,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
)
from tests.races import at_once

EXPIRED = DeliveryState.EXPIRED
TOMORROW = NOW + timedelta(days=1)


@dataclass(frozen=True)
class Morning:
    """Two editions of a day, and three people whose clocks stand at NOW."""

    database: Database
    engine: Engine
    early: Edition
    late: Edition
    people: list[Subscription]
    papers: tuple[PaperId, ...]

    def due(
        self, row: NewDelivery, edition: Edition | None = None, *, at: datetime = NOW
    ) -> DueDelivery:
        chosen = edition or self.late
        return DueDelivery(edition_id=chosen.id, row=row, due_at=at, next_due_at=TOMORROW)

    def plan(self, *due: DueDelivery) -> int:
        with self.database.writing() as work:
            return work[Ledger].plan_due(due, now=NOW)

    def clocks(self) -> list[datetime | None]:
        with self.engine.connect() as connection:
            clocks = select(db.subscriptions.c.due_at).order_by(db.subscriptions.c.id)
            return list(connection.execute(clocks).scalars())

    def memory(self, person: SubscriberId) -> frozenset[PaperId]:
        with self.database.reading() as work:
            return work[SentPapers].already_sent([person])[person]

    def states(self) -> Counter[str]:
        with self.engine.connect() as connection:
            return Counter(connection.execute(select(db.deliveries.c.state)).scalars())


@pytest.fixture
def morning(database: Database, engine: Engine) -> Morning:
    default, papers = seed_list(database), seed_papers(database, 3)
    people = seed_subscribers(database, default, ("alice", "bob", "charlie"))
    early = seed_edition(database, default, papers, cut="0")
    late = seed_edition(database, default, papers, cut="1")
    set_clocks(engine, NOW)
    return Morning(database, engine, early, late, people, papers)


def set_clocks(engine: Engine, at: datetime, *people: SubscriptionId) -> None:
    with engine.begin() as connection:
        moving = update(db.subscriptions).values(due_at=at)
        chosen = moving.where(db.subscriptions.c.id.in_(people)) if people else moving
        connection.execute(chosen)


@pytest.mark.accept("T6", part="planning")
def test_a_row_goes_in_and_its_clock_moves_together(morning: Morning) -> None:
    alice, bob, _ = morning.people
    rows = [morning.due(new_delivery(one, morning.papers[:2])) for one in (alice, bob)]
    assert [morning.plan(*rows), morning.plan(*rows)] == [2, 0]
    assert morning.clocks() == [TOMORROW, TOMORROW, NOW]
    assert morning.memory(alice.subscriber_id) == set(morning.papers[:2])


def test_rows_of_one_call_may_be_cut_from_different_editions(morning: Morning) -> None:
    alice, bob, _ = morning.people
    morning.plan(
        morning.due(new_delivery(alice), morning.early),
        morning.due(new_delivery(bob, due_at=NOW + HOUR), morning.late),
    )
    with morning.database.reading() as work:
        assert [work[Ledger].planned(one.id).rows for one in (morning.early, morning.late)] == [
            1,
            1,
        ]
        ended = NOW + DIGEST_LIFE
        assert work[Ledger].totals(now=ended) == LedgerTotals(queued=1)


@pytest.mark.accept("T6", part="planning")
def test_who_moved_the_clock_first_has_planned_the_row(morning: Morning) -> None:
    alice, bob, charlie = morning.people
    set_clocks(morning.engine, NOW + HOUR, alice.id)
    due = [morning.due(new_delivery(one, morning.papers)) for one in (alice, bob)]
    missing = replace(new_delivery(charlie), subscription_id=SubscriptionId(999_999))
    assert morning.plan(*due, morning.due(missing)) == 1
    assert morning.clocks() == [NOW + HOUR, TOMORROW, NOW]
    assert morning.memory(alice.subscriber_id) == frozenset()


@pytest.mark.accept("D2", part="short")
@pytest.mark.accept("T6", part="planning")
def test_many_that_plan_the_same_hour_plan_it_once(morning: Morning) -> None:
    due = [morning.due(new_delivery(one, morning.papers)) for one in morning.people]
    planned = Counter(at_once(8, lambda _: morning.plan(*due)))
    assert planned == {3: 1, 0: 7}
    assert morning.states() == {"queued": 3}


def test_a_date_that_has_its_row_only_moves_the_clock(morning: Morning) -> None:
    alice = morning.people[0]
    morning.plan(morning.due(new_delivery(alice, morning.papers[:1])))
    set_clocks(morning.engine, NOW, alice.id)
    assert morning.plan(morning.due(new_delivery(alice, morning.papers[1:]))) == 0
    assert morning.clocks()[0] == TOMORROW
    assert morning.memory(alice.subscriber_id) == {morning.papers[0]}


@pytest.mark.accept("F14", part="due")
def test_a_paper_taken_meanwhile_is_a_conflict_and_no_clock_moves(morning: Morning) -> None:
    alice, bob, _ = morning.people
    morning.plan(morning.due(new_delivery(alice, morning.papers)))
    set_clocks(morning.engine, NOW, alice.id)
    next_day = new_delivery(alice, morning.papers[:1], day=DAY + timedelta(days=1))
    with pytest.raises(Conflict):
        morning.plan(morning.due(new_delivery(bob)), morning.due(next_day))
    assert morning.clocks() == [NOW, NOW, NOW]
    assert morning.states() == {"queued": 1}


@pytest.mark.parametrize("state", [DeliveryState.EXPIRED, DeliveryState.SKIPPED])
@pytest.mark.accept("T4", part="planning")
def test_a_row_born_at_its_end_remembers_nothing_and_is_never_sent(
    morning: Morning, state: DeliveryState
) -> None:
    alice = morning.people[0]
    row = new_delivery(alice, morning.papers, state=state, reason="missed")
    assert morning.plan(morning.due(row)) == 1
    assert morning.clocks()[0] == TOMORROW
    assert morning.memory(alice.subscriber_id) == frozenset()
    with morning.database.writing() as work:
        assert work[Ledger].claim(lease(), limit=9, now=NOW) == []
    assert morning.states() == {state.value: 1}


def test_nothing_due_plans_nothing(morning: Morning) -> None:
    assert morning.plan() == 0


# --- reading -----------------------------------------------------------------------------------


@pytest.mark.accept("R13", part="reasons")
def test_the_reasons_of_a_reader_are_frozen_with_the_row(morning: Morning) -> None:
    alice, bob, _ = morning.people
    own = replace(new_delivery(alice, morning.papers), reasons={2: "You follow Ada Ring"})
    morning.plan(morning.due(own), morning.due(new_delivery(bob, morning.papers)))
    with morning.database.writing() as work:
        claimed = work[Ledger].claim(lease(), limit=9, now=NOW)
        slip = work[Ledger].find(alice.list_id, alice.subscriber_id, own.kind, own.local_date)
    assert [row.reasons for row in claimed] == [{2: "You follow Ada Ring"}, {}]
    assert slip is not None
    assert slip.reasons == own.reasons


@pytest.mark.accept("F14", part="never twice")
def test_the_memory_of_a_few_papers_is_read_without_the_others(morning: Morning) -> None:
    alice, bob, _ = morning.people
    morning.plan(morning.due(new_delivery(alice, morning.papers[:3])))
    people = [alice.subscriber_id, bob.subscriber_id]
    with morning.database.reading() as work:
        memory = work[SentPapers].already_sent(people, [morning.papers[1]])
    assert memory == {people[0]: frozenset({morning.papers[1]}), people[1]: frozenset()}


@pytest.mark.accept("R13", part="parts")
def test_the_parts_of_a_reader_are_frozen_with_the_row(morning: Morning) -> None:
    alice, bob, _ = morning.people
    mine = {1: {"personal": 1.25}, 3: {"personal": -0.5, "spread": -0.0625}}
    columns = {"personal": [1.25, 0.0, -0.5], "spread": [0.0, 0.0, -0.0625]}
    own = replace(new_delivery(alice, morning.papers[:3]), parts=columns)
    morning.plan(morning.due(own), morning.due(new_delivery(bob, morning.papers[:3])))
    with morning.database.writing() as work:
        claimed = work[Ledger].claim(lease(), limit=9, now=NOW)
        slip = work[Ledger].find(alice.list_id, alice.subscriber_id, own.kind, own.local_date)
    assert [row.parts for row in claimed] == [mine, {}]
    assert slip is not None
    assert slip.parts == mine


@pytest.mark.accept("R13", part="texts")
def test_a_paper_behind_an_edition_is_frozen_with_the_first_row_that_carries_it(
    morning: Morning,
) -> None:
    alice, bob, _ = morning.people
    first, second = (
        replace(edition_paper(70, morning.papers[0]), title=title) for title in ("First", "Second")
    )
    for one, paper in ((alice, first), (bob, second)):
        row = replace(new_delivery(one), papers=((paper.paper_id, 70),), behind=(paper,))
        assert morning.plan(morning.due(row)) == 1
    with morning.database.reading() as work:
        read = work[EditionStore].get(morning.late.id)
        found = work[EditionStore].find(read.list_id, read.day, read.cut)
        assert work[EditionStore].get(morning.early.id).behind == ()
    assert read.behind == (first,)
    assert found == morning.late


def test_a_row_that_is_not_written_freezes_nothing(morning: Morning) -> None:
    alice = morning.people[0]
    morning.plan(morning.due(new_delivery(alice)))
    set_clocks(morning.engine, NOW, alice.id)
    paper = edition_paper(70, morning.papers[0])
    row = replace(new_delivery(alice), papers=((paper.paper_id, 70),), behind=(paper,))
    assert morning.plan(morning.due(row)) == 0
    with morning.database.reading() as work:
        assert work[EditionStore].get(morning.late.id).behind == ()


def test_a_person_sees_what_became_of_their_mails_newest_first(morning: Morning) -> None:
    alice, bob, _ = morning.people
    yesterday = new_delivery(alice, morning.papers[:2], due_at=NOW - 24 * HOUR, day=DAY)
    paused = replace(
        new_delivery(alice, state=DeliveryState.SKIPPED, reason="paused"),
        local_date=DAY + timedelta(days=1),
    )
    for one in (yesterday, paused):
        set_clocks(morning.engine, NOW)
        morning.plan(morning.due(one), morning.due(new_delivery(bob)))
    with morning.database.reading() as work:
        newest, oldest = work[StatusStore].mails(alice.subscriber_id, limit=9)
        assert work[StatusStore].mails(alice.subscriber_id, limit=1) == [newest]
    assert (newest.state, newest.reason, newest.positions) == (DeliveryState.SKIPPED, "paused", ())
    assert (oldest.list_name, len(oldest.positions), oldest.sent_at) == ("trending", 2, None)


def test_the_backlog_tells_what_waits_and_since_when(morning: Morning) -> None:
    dues = dict(zip(morning.people, (NOW - HOUR, NOW, NOW), strict=True))
    morning.plan(*(morning.due(new_delivery(one, due_at=due)) for one, due in dues.items()))
    with morning.database.writing() as work:
        empty = work[Ledger].backlog(morning.late.list_id, now=NOW + 2 * DIGEST_LIFE)
        (first,) = work[Ledger].claim(lease(), limit=1, now=NOW)
        work[Ledger].settle([move(first, DeliveryState.SENT)], now=NOW + HOUR)
        left = work[Ledger].backlog(morning.late.list_id, now=NOW)
    before = NOW - HOUR
    assert empty == Backlog(by_state={}, oldest_due=before, oldest_held_due=before)
    counts = {DeliveryState.QUEUED: 2, DeliveryState.SENT: 1}
    assert left == Backlog(by_state=counts, oldest_due=NOW, oldest_held_due=NOW)


@pytest.mark.parametrize(
    ("put_off", "oldest"),
    [
        ({"code": 452}, NOW),
        ({"code": None, "breakdown": True}, NOW),
        ({"code": None}, NOW - HOUR),
        ({"code": 550, "reason": "policy-refusal: 550 5.7.26"}, NOW - HOUR),
        ({"code": 535, "reason": "auth-refused: 535 5.7.8"}, NOW - HOUR),
        ({"code": 552, "reason": "mailbox-full: 552"}, NOW),
    ],
)
def test_a_mail_that_waits_because_of_its_reader_is_not_held_up(
    morning: Morning, put_off: dict[str, Any], oldest: datetime
) -> None:
    dues = dict(zip(morning.people, (NOW - HOUR, NOW, NOW), strict=True))
    morning.plan(*(morning.due(new_delivery(one, due_at=due)) for one, due in dues.items()))
    with morning.database.writing() as work:
        (first,) = work[Ledger].claim(lease(), limit=1, now=NOW)
        deferred = replace(move(first, DeliveryState.DEFERRED), **put_off)
        work[Ledger].settle([deferred], now=NOW)
        left = work[Ledger].backlog(morning.late.list_id, now=NOW)
    assert (left.oldest_due, left.oldest_held_due) == (NOW - HOUR, oldest)


def test_the_last_mail_that_left_is_known(morning: Morning) -> None:
    morning.plan(morning.due(new_delivery(morning.people[0])))
    with morning.database.writing() as work:
        assert work[Ledger].last_sent(morning.late.list_id) is None
        (first,) = work[Ledger].claim(lease(), limit=1, now=NOW)
        work[Ledger].settle([move(first, DeliveryState.SENT)], now=NOW + HOUR)
        assert work[Ledger].last_sent(morning.late.list_id) == NOW + HOUR


def test_digests_that_were_missed_are_counted_by_date(morning: Morning) -> None:
    alice, bob, charlie = morning.people
    rows = [
        new_delivery(alice, state=EXPIRED, reason="missed"),
        new_delivery(bob, state=EXPIRED, reason="missed", day=DAY - timedelta(days=3)),
        new_delivery(charlie, state=EXPIRED, reason="life-over"),
    ]
    morning.plan(*map(morning.due, rows))
    with morning.database.reading() as work:
        list_id = morning.late.list_id
        assert work[Ledger].missed(list_id, since=DAY) == {DAY: 1}
        assert sum(work[Ledger].missed(list_id, since=DAY - timedelta(days=3)).values()) == 2
