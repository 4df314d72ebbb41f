"""What a watcher is told where several processes share the work on PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from paperround.bootstrap.workers import MAIL
from paperround.config import Settings
from paperround.core.errors import Misconfigured
from paperround.core.interfaces import Worker
from paperround.core.jobs import DELIVER, QueueName
from paperround.db.slots import SlotStore
from paperround.ops.cluster import check_in, record_worker_heartbeat
from paperround.ops.tick import SCHEDULER
from paperround.web.health import Role, role_app, scheduler_role, worker_role
from tests.builders import MINUTE, NOW
from tests.databases import postgres, postgres_url, run_on
from tests.queues import EMPTY
from tests.web.conftest import PUBLIC_URL, Site, running
from tests.web.metrics import numbers

__all__ = ["postgres", "postgres_url"]

ME = Worker(host="north", pid=7, started="")
ALL = tuple(QueueName)


@pytest.fixture
def many(postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    """A site beside which nobody works."""
    run_on(postgres_url, EMPTY)
    settings = Settings(
        data_dir=tmp_path,
        database_url=postgres_url,
        public_url=PUBLIC_URL,
        secret_key="a secret that is only used by these tests",
    )
    with running(settings) as one:
        yield one
    run_on(postgres_url, EMPTY)


def everybody_works(site: Site, *lines: QueueName) -> None:
    """A scheduler and a worker give signs of life, and a tick was done."""
    database = site.runtime.database
    check_in(database, ME, (), (), now=NOW)
    record_worker_heartbeat(database, ME, lines or ALL, now=NOW)
    with database.writing() as work:
        work[SlotStore].beat(SCHEDULER, now=NOW)


def told(site: Site) -> tuple[int, dict[str, Any]]:
    answer = site.client.get("/readyz")
    return answer.status_code, answer.json()


def test_a_site_is_ready_when_everything_is_served(many: Site) -> None:
    everybody_works(many)
    status, answer = told(many)
    assert (status, answer["status"]) == (200, "ready")
    assert (answer["schedulers"], answer["workers"]) == (1, 1)
    assert answer["queues"]["mail"] == {"workers": 1, "waiting": 0, "running": 0}
    assert "north" not in str(answer)  # the page is everybody's


@pytest.mark.accept("O1", part="the scheduler", mutant="a-scheduler-elsewhere-is-missed-late")
def test_a_site_without_a_scheduler_says_so_within_ten_seconds(many: Site) -> None:
    everybody_works(many)
    many.clock.move(seconds=10)
    assert told(many)[0] == 200
    many.clock.move(seconds=1)
    record_worker_heartbeat(many.runtime.database, ME, ALL, now=many.clock.now())
    assert told(many)[0] == 503
    assert "paperround scheduler" in told(many)[1]["status"]


def test_ticks_that_are_asked_for_and_not_done_are_told(many: Site) -> None:
    everybody_works(many)
    with many.runtime.database.writing() as work:
        work[SlotStore].beat(SCHEDULER, now=NOW - 4 * MINUTE)
    assert "not run" in told(many)[1]["status"]


def test_a_schema_that_lacks_a_change_of_the_queue_is_told(many: Site, postgres_url: str) -> None:
    everybody_works(many)
    run_on(postgres_url, "UPDATE queue_migrations SET name = 'x' || name")
    try:
        assert "db upgrade" in told(many)[1]["status"]
    finally:
        run_on(postgres_url, "UPDATE queue_migrations SET name = substr(name, 2)")


def test_metrics_tell_who_works_and_what_waits(many: Site) -> None:
    everybody_works(many, QueueName.NOTICES, QueueName.MAIL)
    many.runtime.queue.put(DELIVER)
    found = numbers(many)
    assert found["schedulers",] == 1
    assert (found["workers", "mail"], found["workers", "papers"]) == (1, 0)
    assert found["queue_jobs", "mail", "waiting"] == 1
    assert found["queue_jobs", "mail", "running"] == 0


# --- the pages of a role -------------------------------------------------------------------------


def pages(site: Site, role: Role) -> TestClient:
    return TestClient(role_app(site.runtime, role))


def test_a_worker_tells_what_it_serves_and_whether_it_does(many: Site) -> None:
    home = replace(many.runtime, lines=(QueueName.MAIL,))
    client = TestClient(role_app(home, worker_role(home)))
    assert client.get("/healthz").json() == {"status": "alive", "role": "worker"}
    answer = client.get("/readyz")  # it has not begun
    assert (answer.status_code, answer.json()["queues"]) == (503, ["mail"])
    home.queue.start()
    try:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "ready")
        assert 'paperround_queue_jobs{queue="mail",state="waiting"} 0.0' in (
            client.get("/metrics").text
        )
    finally:
        assert home.queue.stop(drain_seconds=20)
        home.engine.dispose()


def test_a_scheduler_that_could_not_look_is_not_ready(many: Site) -> None:
    looks: list[datetime | None] = [None]
    client = pages(many, scheduler_role(lambda: looks[-1]))
    assert client.get("/readyz").status_code == 503
    looks.append(NOW)
    assert client.get("/readyz").json() == {"status": "ready", "role": "scheduler"}
    assert "last_look_timestamp_seconds" in client.get("/metrics").text
    many.clock.move(seconds=11)
    assert client.get("/readyz").status_code == 503


def test_a_role_tells_nothing_else(many: Site) -> None:
    client = pages(many, scheduler_role(lambda: NOW))
    assert [client.get(path).status_code for path in ("/", "/docs", "/api/v1/papers")] == [404] * 3


# --- one machine ---------------------------------------------------------------------------------


def test_one_machine_shares_its_work_with_nobody(site: Site) -> None:
    with pytest.raises(Misconfigured, match="paperround serve"):
        _ = site.runtime.shared_queue
    assert site.runtime.queue.put(MAIL[0])
