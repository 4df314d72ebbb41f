"""The power fails in the middle of the day, and SQLite's log ends anywhere.

A day is lived into a database whose pages all still stand in its write-ahead log. The log is then
cut at random places, as a disk may leave it, and the day is lived on from each. Where the cut loses
what was sent, mail is held until an operator lets it go.
"""

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import event

from paperround.db import engine as engines
from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.status import StatusStore
from paperround.digests.cancel import resume
from tests.reliability.accounts import books, require_balance
from tests.reliability.conftest import Fresh
from tests.reliability.day import MARK, ROWS, Machine
from tests.reliability.faults import Faults
from tests.sample_database import NOW

PLACES, LONG_PLACES = 24, 500
PAGE, FRAME_HEAD, LOG_HEAD = 4096, 24, 32


@dataclass(frozen=True, slots=True)
class Photograph:
    """The files of a database as they stood while a process worked on it, the send mark that the
    disk kept, and whose mails arrived, by their names."""

    file: bytes
    log: bytes
    mark: bytes
    arrived: Mapping[str, object]

    def put(self, path: Path, *, length: int) -> None:
        """The files as they are when the log ends after `length` bytes."""
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        path.write_bytes(self.file)
        path.with_name(f"{path.name}-wal").write_bytes(self.log[:length])


def photograph_of_a_day(machine: Machine, path: Path) -> Photograph:
    """Live the day and keep its files from before the last connection closed."""
    file = path.read_bytes()

    def keep_the_log(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA wal_autocheckpoint = 0")

    event.listen(machine.engine, "connect", keep_the_log)
    with closing(sqlite3.connect(path)) as witness:  # the last to leave would empty the log
        witness.execute("SELECT count(*) FROM lists").fetchall()
        assert machine.live(machine.new_process(), Faults(), now=NOW)
        log = path.with_name(f"{path.name}-wal").read_bytes()
        whose = whose_mails(machine)
        machine.engine.dispose()
    event.remove(machine.engine, "connect", keep_the_log)
    mark = (machine.outbox / MARK).read_bytes()
    return Photograph(file, log, mark, {name: whose[name] for name in machine.arrived})


def places(log: bytes, count: int) -> list[int]:
    """Where to cut: half of them anywhere, the others just beside the end of a page."""
    chance = Random(20260302)  # noqa: S311 - the same cuts every time
    frames = (len(log) - LOG_HEAD) // (PAGE + FRAME_HEAD)
    beside = [
        LOG_HEAD + chance.randint(1, frames) * (PAGE + FRAME_HEAD) + chance.randint(-2, 2)
        for _ in range(count // 2)
    ]
    return beside + [chance.randint(0, len(log)) for _ in range(count - count // 2)]


@pytest.mark.accept("D3")
@pytest.mark.accept("R2", part="torn log")
def test_wherever_the_log_is_cut_the_database_is_sound_and_the_day_goes_on(
    on_sqlite: Fresh, tmp_path: Path, long_form: bool
) -> None:
    machine = on_sqlite()
    path = tmp_path / "paperround.db"
    kept = photograph_of_a_day(machine, path)
    assert len(kept.log) > 60 * PAGE
    begun, held = set(), set()
    for length in [*places(kept.log, LONG_PLACES if long_form else PLACES), len(kept.log)]:
        shutil.rmtree(machine.outbox)
        machine.outbox.mkdir()
        (machine.outbox / MARK).write_bytes(kept.mark)
        machine.arrived.clear()
        kept.put(path, length=length)
        begun.add(rows_in(path))
        assert machine.live(machine.new_process(), Faults(), now=NOW), f"cut at {length}"
        machine.dead = set(range(machine.pids))
        was_held = is_let_go(machine)
        held.add(was_held)
        machine.complete(machine.new_process())
        require_sound(path)
        settle(machine, kept, length, was_held=was_held)
    assert held == {True, False}, "some cuts lose what was sent, and others lose nothing"
    assert {0, ROWS} <= begun, "the cuts fall before and after planning"


def is_let_go(machine: Machine) -> bool:
    """Whether mail is held; an operator says `digest resume` then."""
    database = SqlDatabase(machine.engine)
    marks = machine.post(database, machine.new_process(), now=NOW).marks
    was_held = marks.resume(database, now=NOW) is not None
    if was_held:
        resume(database, None, now=NOW)
    machine.engine.dispose()
    return was_held


def settle(machine: Machine, kept: Photograph, length: int, *, was_held: bool) -> None:
    """The books balance. What is called sent now arrived now, or before the power failed, and
    nobody's mail arrived both times. What was let go may all be out."""
    found, whose = books(machine.engine), whose_mails(machine)
    machine.engine.dispose()
    before = {entry.name for entry in found.all if entry.state == "sent"} - set(machine.arrived)
    assert before <= kept.arrived.keys(), f"cut at {length}"
    again = {whose[name] for name in machine.arrived} & set(kept.arrived.values())
    assert not again, f"cut at {length}: sent twice"
    in_doubt = {entry.name for entry in found.all if entry.state == "unknown"}
    assert {whose[name] for name in in_doubt} <= set(kept.arrived.values())
    arrived = {**dict.fromkeys(before, 1), **machine.arrived}
    most = len(kept.arrived) if was_held else 1
    require_balance(found, planned=ROWS, arrived=arrived, in_doubt=most)


def whose_mails(machine: Machine) -> Mapping[str, object]:
    """By the name of each mail, the person and the day that it is for."""
    return {entry.name: (entry.whom, entry.day) for entry in books(machine.engine).all}


def rows_in(path: Path) -> int:
    """How many digests the log still tells of, by a look at a copy that is sound."""
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    shutil.copy(path.with_name(f"{path.name}-wal"), copy.with_name("copy.db-wal"))
    require_sound(copy)
    with engines.opened(f"sqlite:///{copy}") as engine:
        return len(books(engine).digests)


def require_sound(path: Path) -> None:
    """Every page is as SQLite wrote it, no row refers to a missing one, and it opens."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    with engines.opened(f"sqlite:///{path}") as engine, SqlDatabase(engine).reading() as work:
        assert work[StatusStore].is_migrated()
