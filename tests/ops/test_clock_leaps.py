"""A clock that is put back or forward: nothing twice, and a leap is held until somebody says go."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from paperround.core.times import Boot, has_leapt
from paperround.db.transactions import SqlDatabase
from paperround.delivery.holds import HELD, release_digests
from paperround.digests.sending import deliver
from paperround.editions.schedule import DIGEST_LIFE
from paperround.ops.tick import TickContext, TickReport, tick
from tests.delivery.delivering import at, post
from tests.digests.planning import days
from tests.ops.ticking import HOUR, MINUTE, editions, tick_context
from tests.ops.ticking import send as send_all
from tests.sample_database import NOW, fill, record, subscribe

ADA = "ada@example.org"
STARTED = NOW - timedelta(days=3)
SEVEN = NOW.replace(hour=7) + timedelta(days=1)


@dataclass
class Machine:
    """A machine whose clock may be wrong by `error`; how long it runs is always right."""

    error: timedelta = timedelta(0)
    real: datetime = NOW

    def now(self) -> datetime:
        return self.real + self.error

    def boot(self) -> Boot:
        return Boot(name="boot", uptime=self.real - STARTED)


@pytest.fixture
def ready(database: SqlDatabase) -> SqlDatabase:
    fill(database, [record(n) for n in range(1, 31)])
    subscribe(database, "ada", "bo")
    return database


def of(database: SqlDatabase, machine: Machine) -> TickContext:
    return replace(tick_context(database), boot=machine.boot)


Life = Callable[[SqlDatabase, Machine, int, Counter[str]], list[TickReport]]
"""Lets so many hours pass, and counts who gets a mail."""


@pytest.fixture
def lived(long_form: bool) -> Life:
    """Tick and send every hour; in the long form every half hour."""
    return partial(pass_hours, HOUR / 2 if long_form else HOUR)


def pass_hours(
    step: timedelta, database: SqlDatabase, machine: Machine, hours: int, got: Counter[str]
) -> list[TickReport]:
    reports = []
    for _ in range(int(hours * HOUR / step)):
        reports.append(tick(of(database, machine), now=machine.now()))
        got.update(send_all(database, now=machine.now()))
        machine.real += step
    return reports


def once_a_date(database: SqlDatabase, got: Counter[str]) -> bool:
    """Whether everybody got as many mails as the ledger has dates of theirs that were sent."""
    sent = {
        name: [day for day, state, _ in days(database, name) if state == "sent"]
        for name in ("ada", "bo")
    }
    return all(
        len(set(found)) == len(found) == got[f"{name}@example.org"] for name, found in sent.items()
    )


def alerts(reports: list[TickReport]) -> list[str]:
    return [alert.subject for report in reports for alert in report.alerts]


@pytest.mark.slow
@pytest.mark.accept("T5", part="back and forward two hours")
@pytest.mark.parametrize("step", [timedelta(hours=-2), timedelta(hours=2)])
def test_a_clock_that_is_put_by_two_hours_sends_no_date_twice(
    ready: SqlDatabase, lived: Life, step: timedelta
) -> None:
    machine, got = Machine(), Counter[str]()
    lived(ready, machine, 25, got)
    machine.error = step
    reports = lived(ready, machine, 24, got)
    assert once_a_date(ready, got)
    assert not any("clock" in subject for subject in alerts(reports))


@pytest.mark.slow
@pytest.mark.accept("T5")
def test_a_clock_that_leaps_forty_hours_is_held_until_somebody_says_go(
    ready: SqlDatabase, lived: Life
) -> None:
    machine, got = Machine(), Counter[str]()
    lived(ready, machine, 25, got)
    before = (got[ADA], len(editions(ready)))
    machine.error = timedelta(hours=40)
    reports = lived(ready, machine, 3, got)
    told = [subject for subject in alerts(reports) if "clock jumped" in subject]
    assert len(told) == 1
    assert (got[ADA], len(editions(ready))) == before
    assert release_digests(ready, machine.boot(), now=machine.now())
    lived(ready, machine, 24, got)
    assert once_a_date(ready, got)
    assert got[ADA] == before[0] + 1


@pytest.mark.slow
@pytest.mark.accept("T5", part="the clock is set right")
def test_a_leap_that_is_set_right_ends_the_hold_by_itself(ready: SqlDatabase, lived: Life) -> None:
    machine, got = Machine(), Counter[str]()
    lived(ready, machine, 25, got)
    before = (got[ADA],)
    machine.error = timedelta(hours=40)
    lived(ready, machine, 2, got)
    machine.error = timedelta(0)
    lived(ready, machine, 24, got)
    assert once_a_date(ready, got)
    assert got[ADA] == before[0] + 1
    assert not release_digests(ready, machine.boot(), now=machine.now())


@pytest.mark.accept("T5", part="sending by itself")
def test_mail_that_waits_does_not_expire_by_a_clock_that_leapt(ready: SqlDatabase) -> None:
    machine = Machine()
    tick(of(ready, machine), now=machine.now())
    machine.real = SEVEN
    tick(of(ready, machine), now=machine.now())
    machine.real += MINUTE
    machine.error = timedelta(hours=40)
    one = replace(at(post(ready), machine.now() - NOW), boot=machine.boot)
    report = deliver(one)
    assert (report.stopped, report.expired) == (HELD, 0)
    assert machine.now() - SEVEN > DIGEST_LIFE


def test_a_machine_that_was_off_or_asleep_has_not_leapt() -> None:
    nine_days = Boot(name="b", uptime=timedelta(days=9))
    assert not has_leapt(STARTED, nine_days.started(STARTED + timedelta(days=9)))
    assert not has_leapt(None, STARTED)
    assert has_leapt(STARTED, STARTED + timedelta(hours=37))


@pytest.mark.accept("T4", part="a machine that stood still")
def test_three_days_without_a_tick_are_no_leap(ready: SqlDatabase, lived: Life) -> None:
    machine, got = Machine(), Counter[str]()
    lived(ready, machine, 1, got)
    machine.real += timedelta(days=3)
    assert not any("clock" in subject for subject in alerts(lived(ready, machine, 1, got)))
