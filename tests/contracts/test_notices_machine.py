"""Notices under any order of asking, claiming, answers, crashes and time passing."""

import shutil
import tempfile
from dataclasses import astuple
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from paperround.db import engine as engines
from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import NOTICE_LIFE, ClaimedNotice
from paperround.editions.model import DeliveryId, DeliveryState
from tests.builders import HOUR, MINUTE, NOW, lease, move, seed_list, seed_subscribers
from tests.contracts.ledger_machine import ANSWERS, SENT, Everyone
from tests.contracts.notices import notice

KEYS = ("confirm/1", "confirm/2", "undo/1")


class NoticeMachine(RuleBasedStateMachine):
    """One person, three notices. How often each was asked for is kept outside the database."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="notices-"))
        path = shutil.copy(self.template, self.folder / "paperround.db")
        self.engine = engines.create(f"sqlite:///{path}")
        self.database = SqlDatabase(self.engine)
        self.now = NOW
        self.held: dict[DeliveryId, ClaimedNotice] = {}
        self.asked: dict[DeliveryId, int] = {}
        self.marked: dict[DeliveryId, int] = {}
        self.deferred: dict[DeliveryId, int] = {}
        self.claims = 0

    def teardown(self) -> None:
        self.engine.dispose()
        shutil.rmtree(self.folder)

    @initialize()
    def open_the_office(self) -> None:
        (subscription,) = seed_subscribers(self.database, seed_list(self.database), ("alice",))
        self.person = subscription.subscriber_id

    @rule(key=st.sampled_from(KEYS))
    def ask(self, key: str) -> None:
        """What a sign-up does: write the notice, or send the one that stands once more."""
        until = self.now + NOTICE_LIFE
        with self.database.writing() as work:
            fresh = work[NoticeLedger].put(notice(self.person, key), now=self.now)
            found = work[NoticeLedger].find(key)
            assert found is not None
            again = work[NoticeLedger].again(found.id, due_at=self.now, expires_at=until)
        assert not (fresh and again)
        if fresh or again:
            self.asked[found.id] = self.asked.get(found.id, 0) + 1

    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        self.claims += 1
        held = lease(f"t{self.claims}", until=self.now + HOUR)
        with self.database.writing() as work:
            rows = work[NoticeLedger].claim(held, limit=limit, now=self.now)
        assert not {row.id for row in rows} & self.held.keys()
        self.held |= {row.id: row for row in rows}

    @precondition(lambda self: self.held)
    @rule(data=st.data(), state=st.sampled_from(ANSWERS))
    def send(self, data: st.DataObject, state: DeliveryState) -> None:
        row = self.held.pop(data.draw(st.sampled_from(sorted(self.held))))
        token = row.lease.token
        with self.database.writing() as work:
            until = self.now + HOUR
            if work[NoticeLedger].mark_in_data([row.id], token, until=until, now=self.now):
                self.marked[row.id] = self.marked.get(row.id, 0) + 1
        with self.database.writing() as work:
            settled = work[NoticeLedger].settle([move(row.id, state, token=token)], now=self.now)
        if settled and state is DeliveryState.DEFERRED:
            self.deferred[row.id] = self.deferred.get(row.id, 0) + 1

    @rule()
    def crash(self) -> None:
        with self.database.writing() as work:
            work[NoticeLedger].reclaim(Everyone(), now=self.now)
        self.held.clear()

    @rule(minutes=st.integers(1, 150))
    def let_time_pass(self, minutes: int) -> None:
        self.now += minutes * MINUTE
        with self.database.writing() as work:
            work[NoticeLedger].expire(now=self.now)

    # --- what must always hold -----------------------------------------------------------------

    @invariant()
    def nothing_is_sent_more_often_than_it_was_asked_for(self) -> None:
        for id_, marks in self.marked.items():
            assert marks <= self.asked[id_] + self.deferred.get(id_, 0)

    @invariant()
    def every_notice_stands_in_one_state(self) -> None:
        with self.database.reading() as work:
            totals = work[NoticeLedger].totals(now=NOW - timedelta(days=1))
        assert sum(astuple(totals)) == len(self.asked)

    @invariant()
    def what_is_sent_was_marked(self) -> None:
        with self.database.reading() as work:
            found = [work[NoticeLedger].get(id_) for id_ in self.asked]
        assert {one.id for one in found if one and one.state is SENT} <= self.marked.keys()


@pytest.mark.slow
@pytest.mark.accept("R2", part="notices")
@pytest.mark.accept("R5", part="confirmation")
def test_notices_keep_their_promises_in_any_order(sqlite_template: Path) -> None:
    machine = type("Machine", (NoticeMachine,), {"template": sqlite_template})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
