"""The stop button pressed at any moment: paused, resumed, cancelled, sent after all, killed."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from paperround.db.schema import tables as db
from paperround.delivery.ledger_model import Claimed
from paperround.delivery.store.ledger import Ledger
from paperround.digests.cancel import cancel, pause, resume
from paperround.digests.resend import send_missed
from paperround.editions.model import DeliveryId, DeliveryState, DigestKind
from tests.builders import DAY, HOUR, lease
from tests.contracts.ledger_machine import LedgerMachine
from tests.sample_database import IDENTITY

SENT = DeliveryState.SENT
ENDED = {"failed", "expired", "skipped", "unknown"}
Person = tuple[int, date]


class StopMachine(LedgerMachine):
    """The ledger's machine with a stop button. What servers took is remembered outside."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = self.cancelled = False
        self.asked: dict[Person, str] = {}
        self.inbox: dict[DeliveryId, tuple[Person, str]] = {}

    # --- the button ----------------------------------------------------------------------------

    @rule()
    def press_pause(self) -> None:
        pause(self.database, None, now=self.now)
        self.paused = True

    @rule()
    def press_resume(self) -> None:
        resume(self.database, None, now=self.now)
        self.paused = False

    @precondition(lambda self: self.planned)
    @rule()
    def press_cancel(self) -> None:
        cancel(self.database, "trending", day=DAY, cut="0", now=self.now)
        self.cancelled = True

    @precondition(lambda self: self.planned)
    @rule(days=st.integers(0, 2), include_unknown=st.booleans())
    def send_to_who_missed_it(self, days: int, include_unknown: bool) -> None:
        before = self._states(DigestKind.DIGEST)
        found = send_missed(
            self.database,
            "trending",
            identity=IDENTITY,
            day=DAY + timedelta(days=days),
            now=self.now,
            include_unknown=include_unknown,
        )
        self.planned += found.planned
        for person in self._states(DigestKind.REPLACEMENT).keys() - self.asked.keys():
            self.asked[person] = before[person]
            assert before[person] in ENDED
            assert include_unknown or before[person] != "unknown"

    # --- what the machine below does, watched ----------------------------------------------------

    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        self.claims += 1
        held = lease(f"t{self.claims}", until=self.now + HOUR)
        with self.database.writing() as work:
            rows = work[Ledger].claim(held, limit=limit, now=self.now)
        assert not (self.paused and rows)
        assert not self.cancelled or all(row.kind is DigestKind.REPLACEMENT for row in rows)
        self.held |= {row.id: row for row in rows}

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def mark(self, data: st.DataObject) -> None:
        row = self.held[data.draw(st.sampled_from(sorted(self.held)))]
        with self.database.writing() as work:
            marked = work[Ledger].mark_in_data(
                [row.id], row.lease.token, until=row.lease.until, now=self.now
            )
        assert not (self.paused and marked)
        if marked and self.cancelled:
            assert row.kind is DigestKind.REPLACEMENT

    def _apply(self, row: Claimed, state: DeliveryState) -> None:
        super()._apply(row, state)
        if row.id in self.sent:
            self.inbox[row.id] = ((row.subscriber_id, row.local_date), row.kind.value)

    # --- what must always hold -----------------------------------------------------------------

    def _states(self, kind: DigestKind) -> dict[Person, str]:
        c = db.deliveries.c
        with self.engine.connect() as connection:
            found = connection.execute(
                select(c.subscriber_id, c.local_date, c.state).where(c.kind == kind.value)
            )
            return {(who, day): state for who, day, state in found}

    @invariant()
    def nobody_gets_a_second_mail_of_a_date_unless_it_was_asked_for(self) -> None:
        mails = Counter(self.inbox.values())
        assert all(count == 1 for count in mails.values())
        second = {person for person, kind in mails if kind == DigestKind.REPLACEMENT.value}
        assert second <= self.asked.keys()

    @invariant()
    def every_mail_that_waits_of_a_cancelled_edition_was_asked_for(self) -> None:
        states = self._states(DigestKind.DIGEST).values()
        assert not self.cancelled or not {"queued", "claimed"} & set(states)

    @invariant()
    def no_paper_reaches_a_person_twice(self) -> None:
        """But in a replacement: what a digest carries is new to its reader."""
        counts = Counter(self._carried_by_digests())
        assert not [pair for pair, count in counts.items() if count > 1]

    def _carried_by_digests(self) -> list[tuple[int, int]]:
        reached = {"queued", "claimed", "in_data", "deferred", "sent", "unknown"}
        return [
            (who, paper)
            for (who, day), state in self._states(DigestKind.DIGEST).items()
            if state in reached
            for paper in self.chosen[who, day]
        ]


@pytest.mark.slow
@pytest.mark.accept("F34", part="machine")
@pytest.mark.accept("R11", part="machine")
@pytest.mark.accept("R2", part="the stop button")
def test_the_stop_button_loses_and_doubles_nothing_in_any_order(sqlite_template: Path) -> None:
    machine = type("Machine", (StopMachine,), {"template": sqlite_template})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
