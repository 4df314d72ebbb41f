"""What a watcher is told."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import text

from paperround.db import transactions
from paperround.db.slots import SlotStore
from paperround.delivery.holds import Signing, allow_unsigned, hold_unsigned
from paperround.delivery.model import Outcome, Phase
from paperround.delivery.rate_limits import PendingFeedback
from paperround.editions.model import DeliveryId
from paperround.ops.scheduler_lock import (
    forget_scheduler,
    is_scheduler_gone,
    scheduler_lock,
)
from paperround.ops.tick import SCHEDULER
from paperround.plugins.metrics import database_gauges
from paperround.web.health import CANNOT_WRITE, DOES_NOT_ANSWER, NOTHING_TICKS, readiness
from paperround.web.timed_check import TimedCheck
from tests.builders import NOW
from tests.web.conftest import Site, sql


def _beat(site: Site) -> None:
    with site.runtime.database.writing() as work:
        work[SlotStore].beat(SCHEDULER, now=NOW)


def test_planning_that_goes_on_for_long_is_no_silence(site: Site) -> None:
    _beat(site)
    site.clock.move(minutes=4)
    site.runtime.tick_context.alive()
    assert site.client.get("/readyz").json() == {"status": "ready"}


@pytest.mark.accept("O1", part="the schema")
def test_a_site_whose_database_somebody_else_migrated_is_not_ready(site: Site) -> None:
    _beat(site)
    with sql(site.runtime).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    answer = site.client.get("/readyz")
    assert (answer.status_code, "db upgrade" in answer.json()["status"]) == (503, True)
    assert site.client.get("/healthz").status_code == 200


@pytest.mark.accept("O1", part="the database")
def test_a_site_whose_database_file_is_gone_is_not_ready(site: Site) -> None:
    _beat(site)
    file = site.runtime.settings.data_dir / "paperround.db"
    away = file.rename(file.with_suffix(".away"))
    answer = site.client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": DOES_NOT_ANSWER})
    away.rename(file)
    assert site.client.get("/readyz").json() == {"status": "ready"}


@pytest.mark.accept("O1", part="the database")
def test_a_site_that_cannot_write_says_so_before_it_asks_for_the_scheduler(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "LITTLE_PATIENCE", 0.01)
    place = site.runtime.settings.database_file
    with closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert site.client.get("/readyz").json() == {"status": CANNOT_WRITE}
    assert site.client.get("/readyz").json() == {"status": NOTHING_TICKS}
    disk = os.statvfs(place)
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result([*disk[:8], os.ST_RDONLY, 255]))
    assert "read-only file system" in site.client.get("/readyz").json()["status"]


@pytest.mark.accept(
    "O1", part="the database", mutant="each-question-to-a-hanging-database-takes-a-thread"
)
def test_a_check_that_hangs_is_given_up_and_not_begun_again() -> None:
    begun: list[int] = []
    released = Event()

    def hang() -> str:
        begun.append(1)
        released.wait()
        return "answered"

    async def ask() -> None:
        check = TimedCheck(hang, seconds=0.01)
        assert [await check.result(), await check.result()] == [None, None]
        assert len(begun) == 1
        released.set()
        patient = TimedCheck(hang)
        assert await patient.result() == "answered"

    asyncio.run(ask())


@pytest.mark.accept("O1", part="the scheduler", mutant="a-look-of-a-minute-ago-will-do")
def test_a_site_whose_own_scheduler_stopped_looking_is_not_ready(site: Site) -> None:
    _beat(site)

    def problem() -> str | None:
        return readiness(site.runtime, lambda: NOW).problem

    site.clock.move(seconds=10)
    assert problem() is None
    site.clock.move(seconds=1)
    assert "has not checked" in str(problem())
    site.clock.move(hours=-1)
    assert "has not checked" in str(problem()), "the clock was put back, and no look is due"


@pytest.mark.accept("O1", part="the scheduler", mutant="a-dead-scheduler-looks-alive")
def test_a_scheduler_of_another_process_is_missed_as_soon_as_it_ends(site: Site) -> None:
    _beat(site)
    folder = site.runtime.settings.data_dir
    with scheduler_lock(folder), scheduler_lock(folder):
        assert site.client.get("/readyz").json() == {"status": "ready"}
    answer = site.client.get("/readyz")
    assert (answer.status_code, "paperround scheduler" in answer.json()["status"]) == (503, True)
    forget_scheduler(folder)
    assert site.client.get("/readyz").json() == {"status": "ready"}, "cron ticks now"


def test_a_scheduler_that_cannot_lock_its_file_runs_all_the_same(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    _beat(site)
    folder = site.runtime.settings.data_dir
    missing = folder / "missing" / "file"  # stands for a file of another account
    (folder / "scheduler.lock").symlink_to(missing)
    with scheduler_lock(folder):
        assert "no lock on" in caplog.text
        assert site.client.get("/readyz").json() == {"status": "ready"}


def test_a_scheduler_that_starts_while_a_tick_forgets_the_last_one_is_known(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = site.runtime.settings.data_dir
    with scheduler_lock(folder):
        pass
    forgotten: list[int] = []
    open_file = os.open

    def open_just_before(path: Path, *flags: int) -> int:
        handle = open_file(path, *flags)
        if not forgotten:
            forgotten.append(handle)
            forget_scheduler(folder)
        return handle

    monkeypatch.setattr(os, "open", open_just_before)
    with scheduler_lock(folder):
        assert (folder / "scheduler.lock").exists()
        assert not is_scheduler_gone(folder)
    assert is_scheduler_gone(folder)


@pytest.mark.accept("O7", part="told", mutant="a-watcher-does-not-hear-of-missing-keys")
def test_a_site_whose_mail_waits_for_its_keys_is_not_ready(site: Site) -> None:
    _beat(site)
    database = site.runtime.database
    hold_unsigned(database, Signing(broken="dkim.json cannot be read"), now=NOW)
    answer = site.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "email is held: there is no DKIM key to sign it"}
    assert {one.name: one.values for one in database_gauges(database, now=NOW)}["mail_lacks_keys"]
    allow_unsigned(database, now=NOW)
    assert site.client.get("/readyz").json() == {"status": "ready"}


@pytest.mark.accept("O8", part="readyz", mutant="a-dead-relay-is-not-on-readyz")
def test_a_site_whose_relay_cannot_be_reached_is_degraded_and_goes_on(site: Site) -> None:
    _beat(site)
    lost = Outcome(id=DeliveryId(1), phase=Phase.CONNECT, error="refused")
    with site.runtime.database.writing() as work:
        PendingFeedback(outcomes=(lost,)).write(work, now=NOW)
    answer = site.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "degraded",
        "degraded": "the relay cannot be reached: refused",
    }
