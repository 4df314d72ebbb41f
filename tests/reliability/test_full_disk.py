"""The disk fills up at a random point of the day.

In one form the database and the outbox stand on a disk of a few megabytes that really is full (a
tmpfs, which only root may mount); in the other SQLite is told that its file may not grow, which
works everywhere.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.clock import FixedClock
from paperround.db import engine as engines
from paperround.db.slots import SlotStore
from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.status import StatusStore
from paperround.ops.tick import SCHEDULER
from paperround.web.app import create_app
from tests.reliability.accounts import Books, books, require_balance
from tests.reliability.conftest import Fresh
from tests.reliability.day import LATER, ROWS, Machine
from tests.reliability.faults import Faults, faulty_sqlite
from tests.sample_database import NOW
from tests.story.command_line import CommandLine
from tests.web.conftest import sql

PLACES, LONG_PLACES = 25, 200
MEGABYTE = 2**20
SEED = 20260304


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of that size at `folder`; skips where none can be mounted."""
    folder.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root can mount a small disk")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        # lazily: a test that failed may still have a file open on it
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, *, leave: int) -> Path:
    """Take up all of a disk but `leave` bytes; the file that does it."""
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    room = max(free.f_bavail * free.f_frsize - leave, 0)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(room, 1))
    return ballast


def settled(machine: Machine) -> Books:
    found = books(machine.engine)
    machine.engine.dispose()
    return found


def nothing_unrecorded(machine: Machine) -> None:
    """Each mail that arrived stands in the books, marked at least, and came once."""
    known = {"in_data", "sent", "unknown"}
    recorded = {one.name for one in settled(machine).all if one.state in known}
    assert set(machine.arrived) <= recorded
    assert max(machine.arrived.values(), default=0) <= 1


def live_without_room(machine: Machine) -> bool:
    """Live the day, and try again as a service does; whether it got stuck. Nothing is raised."""
    me = machine.new_process()
    went_well = [machine.live(me, Faults(), now=NOW + later) for later in (LATER[0] * 0, LATER[0])]
    machine.dead.add(me.pid)
    return not all(went_well)


@pytest.mark.accept("D6")
@pytest.mark.accept("R2", part="full disk")
def test_wherever_a_small_disk_is_full_no_mail_leaves_without_a_record(
    town: Path, tmp_path: Path, long_form: bool
) -> None:
    chance = Random(SEED)  # noqa: S311 - the same places every time
    stuck = begun = 0
    with small_disk(tmp_path / "disk", 4) as disk:
        path, outbox = disk / "paperround.db", disk / "outbox"
        with engines.opened(f"sqlite:///{path}") as engine:
            machine = Machine(engine, outbox)
            faulty_sqlite(engine, lambda: machine.faults)
            for _ in range(LONG_PLACES if long_form else PLACES):
                shutil.rmtree(outbox, ignore_errors=True)
                shutil.copy(town, path)
                machine = Machine(engine, outbox)
                ballast = fill(disk, leave=chance.randint(0, 600_000))
                stuck += live_without_room(machine)
                begun += bool(machine.arrived)
                ballast.unlink()
                nothing_unrecorded(machine)
                machine.complete(machine.new_process())
                require_balance(settled(machine), planned=ROWS, arrived=machine.arrived, in_doubt=2)
    assert stuck >= 5
    assert begun >= 2


@pytest.mark.accept("D6")
def test_wherever_the_file_may_not_grow_no_mail_leaves_without_a_record(
    on_sqlite: Fresh, long_form: bool
) -> None:
    chance = Random(SEED)  # noqa: S311 - the same places every time
    room = [0]
    stuck = 0

    def limit(connection: sqlite3.Connection, _: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + room[0]}")

    for _ in range(LONG_PLACES if long_form else PLACES):
        machine = on_sqlite()
        event.listen(machine.engine, "connect", limit)
        room[0] = chance.randint(0, 12)
        stuck += live_without_room(machine)
        event.remove(machine.engine, "connect", limit)
        nothing_unrecorded(machine)
        machine.complete(machine.new_process())
        require_balance(settled(machine), planned=ROWS, arrived=machine.arrived, in_doubt=2)
    assert stuck >= 5


@pytest.mark.accept("D6", part="not ready")
def test_a_service_without_room_is_not_ready_until_there_is_some(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        home = AppContext(Settings(data_dir=disk), FixedClock(NOW))
        assert isinstance(home.database, SqlDatabase)
        with home.database.writing() as work:
            work[SlotStore].beat(SCHEDULER, now=NOW)
        visitor = TestClient(create_app(home), base_url=home.settings.public_url)
        assert visitor.get("/readyz").json() == {"status": "ready"}
        ballast = fill(disk, leave=100_000)
        answer = visitor.get("/readyz")
        assert (answer.status_code, "disk is full" in answer.text) == (503, True)
        assert visitor.get("/healthz").status_code == 200
        ballast.unlink()
        assert visitor.get("/readyz").status_code == 200
        home.database.close()


@pytest.mark.accept("D6", part="not ready")
def test_a_service_whose_file_may_not_grow_is_not_ready(tmp_path: Path) -> None:
    home = AppContext(Settings(data_dir=tmp_path), FixedClock(NOW))
    with home.database.writing() as work:
        work[SlotStore].beat(SCHEDULER, now=NOW)
    engine = sql(home)
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    engine.dispose()
    visitor = TestClient(create_app(home), base_url=home.settings.public_url)

    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages + 10}")

    event.listen(engine, "connect", limit)
    answer = visitor.get("/readyz")
    assert (answer.status_code, "disk is full" in answer.text) == (503, True)
    event.remove(engine, "connect", limit)
    engine.dispose()
    assert visitor.get("/readyz").status_code == 200
    engine.dispose()


@pytest.mark.accept("D6", part="not ready")
def test_a_file_that_may_not_grow_counts_as_a_full_disk(database_file: Path) -> None:
    with engines.opened(f"sqlite:///{database_file}") as engine:
        with SqlDatabase(engine).reading() as work:
            assert not work[StatusStore].storage().is_full
        with engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        engine.dispose()

        def limit(connection: sqlite3.Connection, _: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages + 10}")

        event.listen(engine, "connect", limit)
        with SqlDatabase(engine).reading() as work:
            assert work[StatusStore].storage().is_full


@pytest.mark.accept("D6", part="command")
def test_a_command_that_finds_no_room_says_so_in_one_line_and_works_again_with_some(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        home = CommandLine(disk, {})
        page = Path(__file__).resolve().parents[2] / "docs" / "sample" / "page.txt"
        people = disk / "people.csv"
        rows = [f"reader{n}@example.org,active,2026-01-05T09:00:00Z,a test" for n in range(40)]
        people.write_text("\n".join(["email,status,consent_at,consent_source", *rows]))
        home.run("ingest", "--file", str(page))
        home.run("subscribers", "import", str(people))
        assert home.json("digest", "send")["planned"] == 40
        ballast = fill(disk, leave=0)
        for _ in range(2):
            said = home.run("deliver", exit_code=1).strip().splitlines()
            assert len(said) == 1, said
            assert "Traceback" not in said[0]
        assert not home.outbox
        ballast.unlink()
        assert home.json("deliver", "--until-empty")["sent"] == len(home.outbox) == 40
