"""One thing fails, anything: the n-th statement, commit, or step of a file, for every n.

The day is lived from the file to the last mail with the n-th step failing, then taken up again;
then with step n + 1, and so on until a day needs fewer steps than that. Each n twice: the step
raises and the process goes on, and the process dies there.
"""

from collections import Counter

import pytest

from tests.reliability.accounts import books, require_balance
from tests.reliability.conftest import Fresh
from tests.reliability.day import ROWS, Machine
from tests.reliability.faults import Faults
from tests.sample_database import NOW

COMMITS = frozenset({"before a commit", "after a commit"})
FILES = frozenset(f"{what} a file" for what in ("create", "write", "sync", "name", "remove")) | {
    "make a folder",
    "sync a folder",
}
STRIDE = 17
"""The short form leaves out sixteen of seventeen steps, others for each way to fail."""


def fail_at(machine: Machine, faults: Faults) -> bool:
    """Live a day with a fault and take it up again; whether the fault was met."""
    me = machine.new_process()
    machine.live(me, faults, now=NOW)
    machine.complete(me)
    about = f"step {faults.at}, {faults.steps[-1]}, {'dies' if faults.dies else 'fails'}"
    try:
        in_doubt = 1 if faults.struck else 0
        found = books(machine.engine)
        require_balance(found, planned=ROWS, arrived=machine.arrived, in_doubt=in_doubt)
    except AssertionError as error:
        error.add_note(about)
        raise
    finally:
        machine.engine.dispose()
    return faults.struck


def fail_everywhere(
    fresh: Fresh, *, dies: bool, first: int, stride: int, only: frozenset[str] | None = None
) -> Counter[str]:
    """Fail at step `first`, and at every `stride`-th one after it until there is none; which kinds
    of steps were met."""
    met = Counter[str]()
    at = first
    while True:
        faults = Faults(at=at, dies=dies, only=only)
        if not fail_at(fresh(), faults):
            return met
        met[faults.steps[-1] if dies else faults.steps[at - 1]] += 1
        at += stride


@pytest.mark.accept("T7")
@pytest.mark.accept("R1", part="any step")
@pytest.mark.accept("R2", part="any step")
@pytest.mark.accept("D12", part="any step")
@pytest.mark.parametrize("dies", [False, True], ids=["it goes on", "it dies"])
def test_whatever_step_fails_the_day_completes_once(
    on_sqlite: Fresh, long_form: bool, dies: bool
) -> None:
    first, stride = (1, 1) if long_form else (8 - dies, STRIDE)
    met = fail_everywhere(on_sqlite, dies=dies, first=first, stride=stride)
    assert met.total() >= 280 // stride
    assert {"statement", "before a commit"} <= set(met)


@pytest.mark.accept("T7")
def test_whatever_step_of_a_file_fails_the_day_completes_once(
    on_sqlite: Fresh, long_form: bool
) -> None:
    """In the short form the process goes on at every second step, and dies at the others."""
    met = Counter[str]()
    for dies in (False, True):
        first, stride = (1, 1) if long_form else (1 + dies, 2)
        met += fail_everywhere(on_sqlite, dies=dies, first=first, stride=stride, only=FILES)
    assert set(met) == FILES


@pytest.mark.accept("T7")
@pytest.mark.parametrize("dies", [False, True], ids=["it goes on", "it dies"])
def test_whatever_commit_fails_on_postgresql_the_day_completes_once(
    on_postgres: Fresh, long_form: bool, dies: bool
) -> None:
    first, stride = (1, 1) if long_form else (1 + dies, 5)
    met = fail_everywhere(on_postgres, dies=dies, first=first, stride=stride, only=COMMITS)
    assert met.total() >= 40 // stride
