"""What the doctor says of the processes that share the work on PostgreSQL."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest

from paperround.core.interfaces import Worker
from paperround.core.jobs import QueueDepth, QueueName
from paperround.doctor.findings import Finding, Level
from paperround.doctor.schedule_check import MAX_WAIT, check_processes
from paperround.ops.cluster import ClusterStatus, check_in, record_worker_heartbeat
from tests.builders import MINUTE, NOW
from tests.databases import postgres, postgres_url, sweeper
from tests.doctor.conftest import Home

__all__ = ["postgres", "postgres_url"]

SECOND = timedelta(seconds=1)
EVERYTHING = frozenset(QueueName)
IDLE = dict.fromkeys(QueueName, QueueDepth())
WELL = ClusterStatus(schedulers=("a/1",), workers={"a/2": EVERYTHING})
ME = Worker(host="here", pid=7, started="")
pytestmark = [
    pytest.mark.accept("O6", part="many machines"),
    pytest.mark.accept("F47", part="doctor"),
]


def found(
    cluster: ClusterStatus, depths: Mapping[QueueName, QueueDepth] = IDLE, *, ticks: bool = False
) -> dict[str, Finding]:
    return {one.check: one for one in check_processes(cluster, depths, ticks=ticks, now=NOW)}


def levels(findings: Mapping[str, Finding]) -> dict[str, str]:
    return {name: one.level.value for name, one in findings.items()}


def test_a_whole_installation_is_well() -> None:
    assert levels(found(WELL)) == {"schedulers": "ok", "workers": "ok", "jobs": "ok"}


def test_nobody_who_asks_is_a_fault_with_the_way_out() -> None:
    one = found(ClusterStatus(workers=WELL.workers))["schedulers"]
    assert one.level is Level.FAIL
    assert "paperround scheduler" in one.way_out


def test_a_queue_that_nobody_serves_is_named_with_what_waits_there() -> None:
    some = ClusterStatus(schedulers=("a/1",), workers={"a/2": EVERYTHING - {QueueName.MAIL}})
    one = found(some, {**IDLE, QueueName.MAIL: QueueDepth(waiting=2)})["workers"]
    assert one.level is Level.FAIL
    assert one.says == "none serves mail, where 2 jobs wait"
    assert one.way_out == "start `paperround worker --queues mail`"


def test_a_job_that_nobody_takes_is_told_of() -> None:
    stuck = {**IDLE, QueueName.PAPERS: QueueDepth(waiting=1, due_since=NOW - MAX_WAIT - SECOND)}
    one = found(WELL, stuck)["jobs"]
    assert one.level is Level.WARN
    assert one.says.startswith("papers has had a job to do since 2026-")


def test_a_job_that_waits_for_its_time_is_no_fault() -> None:
    later = {**IDLE, QueueName.PAPERS: QueueDepth(waiting=1, due_since=NOW + MINUTE)}
    assert levels(found(WELL, later))["jobs"] == "ok"


def test_an_installation_that_is_ticked_by_cron_needs_neither() -> None:
    assert levels(found(ClusterStatus(workers={}), ticks=True)) == {"schedulers": "ok"}


@pytest.fixture
def shared(postgres_url: str) -> Iterator[str]:
    """The URL of a database that nobody lives on."""
    yield postgres_url
    sweeper(postgres_url).sweep()


def test_the_doctor_looks_at_who_lives_on_postgresql(home: Home, shared: str) -> None:
    assert "workers" not in {one.check for one in home.examine()}
    many = home.runtime(database_url=shared)
    assert levels(home.faults(database_url=shared)).items() >= {
        ("schedulers", "fail"),
        ("workers", "fail"),
    }
    check_in(many.database, ME, (), (), now=NOW)
    record_worker_heartbeat(many.database, ME, tuple(QueueName), now=NOW)
    says = {one.check: one.says for one in home.examine(database_url=shared)}
    assert says["schedulers"] == "1 scheduler: here/7"
    assert says["workers"] == "1 worker, and every queue is served: here/7"
