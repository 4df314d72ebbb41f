"""The ledger under any order of planning, claiming, answers, crashes and time passing."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    run_state_machine_as_test,
)

from tests.contracts.ledger_machine import LedgerMachine


@pytest.mark.slow
@pytest.mark.accept("R1", part="machine")
@pytest.mark.accept("R2", part="any order", mutant="every-answer-counts-as-a-yes")
@pytest.mark.accept("F14", part="machine")
def test_the_ledger_keeps_its_promises_in_any_order(sqlite_template: Path) -> None:
    machine = type("Machine", (LedgerMachine,), {"template": sqlite_template})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
