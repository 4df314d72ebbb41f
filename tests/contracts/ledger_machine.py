"""The ledger as a state machine."""

import shutil
import tempfile
from collections import Counter
from dataclasses import astuple
from datetime import date, datetime, timedelta
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import Engine, select

from paperround.core.errors import Conflict
from paperround.core.interfaces import Worker
from paperround.db import engine as engines
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import Claimed, NewDelivery
from paperround.delivery.store.history import SentPapers
from paperround.delivery.store.ledger import Ledger
from paperround.editions.model import DeliveryId, DeliveryState
from paperround.papers.model import PaperId
from paperround.subscribers.model import SubscriberId, Subscription
from tests.builders import (
    DAY,
    HOUR,
    NOW,
    lease,
    move,
    new_delivery,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
    shard,
)

SENT = DeliveryState.SENT
ANSWERS = [SENT, DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNKNOWN]
REACHED = {"queued", "claimed", "in_data", "deferred", "sent", "unknown"}


class Everyone:
    """Says of every process that it is dead."""

    def is_dead(self, worker: Worker) -> bool:
        return bool(worker.host)

    def current(self) -> Worker:
        return lease().worker


class LedgerMachine(RuleBasedStateMachine):
    """Three people, four papers, one list; what was sent is remembered outside the database."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="ledger-"))
        path = shutil.copy(self.template, self.folder / "paperround.db")
        self.engine: Engine = engines.create(f"sqlite:///{path}")
        self.database = SqlDatabase(self.engine)
        self.now: datetime = NOW
        self.held: dict[DeliveryId, Claimed] = {}
        self.answered: list[Claimed] = []
        self.sent: set[DeliveryId] = set()
        self.planned = 0
        self.chosen: dict[tuple[int, date], list[PaperId]] = {}
        self.claims = 0

    def teardown(self) -> None:
        self.engine.dispose()
        shutil.rmtree(self.folder)

    @initialize()
    def open_the_town(self) -> None:
        default = seed_list(self.database)
        self.papers = seed_papers(self.database, 4)
        self.people = seed_subscribers(self.database, default, ("alice", "bob", "charlie"))
        self.edition = seed_edition(self.database, default, self.papers)

    @rule(data=st.data(), days=st.integers(0, 2))
    def plan(self, data: st.DataObject, days: int) -> None:
        rows = [self._row(data, one, days) for one in self.people]
        try:
            with self.database.writing() as work:
                self.planned += work[Ledger].plan(
                    self.edition.id, self.edition.list_id, rows, shard(), now=self.now
                )
        except Conflict:
            return
        for row in rows:
            papers = [paper for paper, _ in row.papers]
            self.chosen.setdefault((row.subscriber_id, row.local_date), papers)

    def _row(self, data: st.DataObject, one: Subscription, days: int) -> NewDelivery:
        chosen = data.draw(st.lists(st.sampled_from(self.papers), unique=True, max_size=2))
        day = DAY + timedelta(days=days)
        return new_delivery(one, tuple(chosen), due_at=self.now, day=day)

    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        self.claims += 1
        held = lease(f"t{self.claims}", until=self.now + HOUR)
        with self.database.writing() as work:
            rows = work[Ledger].claim(held, limit=limit, now=self.now)
        assert not {row.id for row in rows} & (self.held.keys() | self.sent)
        self.held |= {row.id: row for row in rows}

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def mark(self, data: st.DataObject) -> None:
        row = self.held[data.draw(st.sampled_from(sorted(self.held)))]
        with self.database.writing() as work:
            marked = work[Ledger].mark_in_data(
                [row.id], row.lease.token, until=row.lease.until, now=self.now
            )
        assert marked <= {row.id}

    @precondition(lambda self: self.held)
    @rule(data=st.data(), state=st.sampled_from(ANSWERS))
    def settle(self, data: st.DataObject, state: DeliveryState) -> None:
        row = self.held.pop(data.draw(st.sampled_from(sorted(self.held))))
        self._apply(row, state)
        self.answered.append(row)

    @precondition(lambda self: self.answered)
    @rule(data=st.data(), state=st.sampled_from(ANSWERS))
    def answer_late(self, data: st.DataObject, state: DeliveryState) -> None:
        self._apply(data.draw(st.sampled_from(self.answered)), state)

    def _apply(self, row: Claimed, state: DeliveryState) -> None:
        with self.database.writing() as work:
            applied = work[Ledger].settle([move(row, state, token=row.lease.token)], now=self.now)
        if applied and state is SENT:
            self.sent.add(row.id)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def end_a_run(self, data: st.DataObject) -> None:
        token = self.held[data.draw(st.sampled_from(sorted(self.held)))].lease.token
        with self.database.writing() as work:
            work[Ledger].release(token)
            work[Ledger].give_up(token)
        ended = [row for row in self.held.values() if row.lease.token == token]
        self.answered += ended
        for row in ended:
            del self.held[row.id]

    @rule()
    def crash(self) -> None:
        with self.database.writing() as work:
            work[Ledger].reclaim(Everyone(), now=self.now)
        self.answered += self.held.values()
        self.held.clear()

    @rule(hours=st.integers(1, 12))
    def let_time_pass(self, hours: int) -> None:
        self.now += hours * HOUR
        with self.database.writing() as work:
            work[Ledger].expire(now=self.now)

    # --- what must always hold -----------------------------------------------------------------

    def _rows(self) -> list[tuple[int, str]]:
        with self.engine.connect() as connection:
            found = connection.execute(select(db.deliveries.c.id, db.deliveries.c.state))
            return [(id_, state) for id_, state in found]

    @invariant()
    def every_planned_row_stands_in_one_state(self) -> None:
        assert len(self._rows()) == self.planned
        with self.database.reading() as work:
            totals = work[Ledger].totals(now=self.now)
        live = sum(astuple(totals))
        assert live in (0, self.planned)

    @invariant()
    def sent_stays_sent(self) -> None:
        assert {id_ for id_, state in self._rows() if state == SENT} == self.sent

    @invariant()
    def no_paper_reaches_a_person_twice(self) -> None:
        counts = Counter(self._carried())
        assert not [pair for pair, count in counts.items() if count > 1]
        assert set(counts) == self._memory()

    def _carried(self) -> list[tuple[SubscriberId, PaperId]]:
        """(person, paper) of every row that reached somebody or still may."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(db.deliveries.c.subscriber_id, db.deliveries.c.local_date).where(
                    db.deliveries.c.state.in_(REACHED)
                )
            ).all()
        return [(who, paper) for who, day in rows for paper in self.chosen[who, day]]

    def _memory(self) -> set[tuple[SubscriberId, PaperId]]:
        with self.database.reading() as work:
            memory = work[SentPapers].already_sent([one.subscriber_id for one in self.people])
        return {(person, paper) for person, papers in memory.items() for paper in papers}
