"""An edition is held, edited and let go, and a process dies or fails at any step of that day."""

from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from paperround.core.errors import InvalidInput, NotFound
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.digests.editing import EditionRef, add_note, drop, set_hold
from tests.reliability.accounts import books, require_balance
from tests.reliability.conftest import Fresh
from tests.reliability.day import ROWS, Machine
from tests.reliability.faults import Faults
from tests.sample_database import NOW

MINUTE = timedelta(minutes=1)
HELD = EditionRef(list_name="trending")
STRIDE = 89
"""The short form leaves out eighty-eight of eighty-nine steps."""


def edit(database: SqlDatabase, now: datetime) -> None:
    """What an editor says who comes by: leave out the bees; once it is out, nothing."""
    with suppress(InvalidInput, NotFound):
        drop(database, HELD, "2601.00001", by="operator 3", now=now)
        add_note(database, HELD, "No bees today.", by="operator 3", now=now)


def fail_at(machine: Machine, faults: Faults) -> bool:
    """Live a morning with a hold of ten minutes and a fault; whether the fault was met."""
    set_hold(SqlDatabase(machine.engine), "trending", 10, by="operator 3", now=NOW)
    machine.edit = edit
    me = machine.new_process()
    for minutes in (0, 1, 11, 12, 31, 51, 71):
        if me.pid in machine.dead:
            me = machine.new_process()
        left = faults if minutes <= 11 and not faults.struck else Faults()
        machine.live(me, left, now=NOW + minutes * MINUTE)
    try:
        found = books(machine.engine)
        in_doubt = 1 if faults.struck else 0
        require_balance(found, planned=ROWS, arrived=machine.arrived, in_doubt=in_doubt)
        with machine.engine.connect() as connection:
            papers = set(connection.execute(select(db.sent_papers.c.paper_id)).scalars())
            edits = connection.execute(select(db.audit.c.action)).scalars().all()
        assert len(papers) == 1, "nobody gets the paper that was dropped"
        assert sorted(edits) == ["add note", "drop paper", "set hold"]
    except AssertionError as error:
        error.add_note(f"step {faults.at}, {faults.steps[-1]}")
        raise
    finally:
        machine.engine.dispose()
    return faults.struck


@pytest.mark.accept("F55", part="killed")
@pytest.mark.accept("R1", part="any step")
@pytest.mark.parametrize("dies", [False, True], ids=["it goes on", "it dies"])
def test_whatever_step_fails_a_held_edition_goes_out_once_as_it_was_edited(
    on_sqlite: Fresh, long_form: bool, dies: bool
) -> None:
    at, met = 3 - dies, 0
    while fail_at(on_sqlite(), Faults(at=at, dies=dies)):
        at, met = at + (1 if long_form else STRIDE), met + 1
    assert met >= 4
