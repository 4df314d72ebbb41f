"""Somebody reads for a minute, and the log cannot be emptied meanwhile."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from paperround.bootstrap.workers import ROUNDS
from paperround.db import engine as engines
from paperround.db.engine import MOST_LOG_BYTES, USUAL_LOG, Storage
from paperround.db.slots import SlotStore
from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.status import StatusStore
from paperround.doctor.database_check import check_space
from paperround.doctor.findings import Level
from paperround.editions.store.lists import ListStore
from paperround.ops.alerts import current_alerts
from paperround.plugins.metrics import database_gauges
from tests.sample_database import NOW

MINUTE = 60.0
A_MARK = 0.001
"""Seconds for a commit that marks a mail, as fast as a relay on the same machine takes them. It
writes 20 KB of log (measured)."""

AT_ONCE = 10
"""Marks that are written as one commit while nobody waits."""


@dataclass
class Stopwatch:
    """Time that passes by waiting and by writing. The job of each task waits at the same time."""

    seconds: float = 0.0
    pauses: int = 0

    def pause(self, seconds: float) -> None:
        self.pauses += 1
        self.seconds += seconds / len(ROUNDS)


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def database(database_file: Path, watch: Stopwatch) -> Iterator[SqlDatabase]:
    with engines.opened(f"sqlite:///{database_file}") as engine:
        found = SqlDatabase(engine, pause=watch.pause)
        with found.writing() as work:
            work[ListStore].ensure_default(zone="UTC", now=NOW)
        yield found


def write(database: SqlDatabase, number: int, *, marks: int = AT_ONCE) -> None:
    """A commit that writes as much log as so many marks."""
    with database.writing() as work:
        for part in range(marks):
            work[SlotStore].take("bulk", name(number, part), now=NOW)


def name(number: int, part: int) -> str:
    """Ten kilobytes, which stand in the table and in its index."""
    return f"{number}/{part}/{'x' * 10_000}"


def room_of(database: SqlDatabase) -> Storage:
    with database.reading() as work:
        return work[StatusStore].storage()


def log_gauge(database: SqlDatabase) -> float:
    value = {one.name: one.values for one in database_gauges(database, now=NOW)}[
        "database_log_bytes"
    ]
    assert isinstance(value, float | int)
    return value


@pytest.mark.accept("D4")
def test_a_reader_of_a_minute_does_not_bloat_the_log(
    database: SqlDatabase, watch: Stopwatch
) -> None:
    before = log_gauge(database)
    with database.reading() as reader:
        assert reader[SlotStore].last_beat("anything") is None
        number = 0
        while watch.seconds < MINUTE:
            marks = 1 if watch.pauses else AT_ONCE
            write(database, number, marks=marks)
            watch.seconds += marks * A_MARK
            number += 1
        grown = log_gauge(database)
        assert reader[SlotStore].last_beat("anything") is None
    assert USUAL_LOG < grown <= MOST_LOG_BYTES
    assert grown > before
    assert watch.pauses
    write(database, number)
    assert log_gauge(database) <= USUAL_LOG
    with database.reading() as work:
        assert work[SlotStore].taken_at("bulk", name(number, 0)) == NOW


@pytest.mark.accept("D4", part="told")
def test_a_log_that_grew_too_long_is_told_and_emptied_once_the_reader_left(
    database: SqlDatabase, database_file: Path
) -> None:
    """Another program writes, which waits for nobody."""
    with closing(sqlite3.connect(database_file, isolation_level=None)) as foreign:
        with database.reading() as reader:
            assert reader[SlotStore].last_beat("anything") is None
            foreign.execute("CREATE TABLE bulk (content BLOB)")
            for _ in range(9):
                foreign.execute("INSERT INTO bulk VALUES (zeroblob(8000000))")
            found = room_of(database)
            assert found.log_is_long
            assert log_gauge(database) > MOST_LOG_BYTES
            (told,) = current_alerts(reader, {}, now=NOW)
            assert "log" in told.subject
            assert not told.stops_mail
            [finding] = check_space(found, now=NOW)
            assert finding.level is Level.WARN
        foreign.execute("DROP TABLE bulk")
    with database.writing() as work:
        work[SlotStore].beat("anything", now=NOW)
    assert room_of(database).log_bytes == log_gauge(database) < USUAL_LOG
    [finding] = check_space(room_of(database), now=NOW)
    assert finding.level is Level.OK
    with database.reading() as work:
        assert current_alerts(work, {}, now=NOW) == []


def test_nobody_waits_while_the_log_is_short(database: SqlDatabase, watch: Stopwatch) -> None:
    with database.reading() as reader:
        assert reader[SlotStore].last_beat("anything") is None
        for number in range(20):
            write(database, number)
    assert not watch.pauses
