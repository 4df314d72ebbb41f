"""What a watcher is told."""

from sqlalchemy import text

from paperround.jobs.tick import SCHEDULER
from tests.builders import NOW
from tests.web.conftest import Site, sql


def _beat(site: Site) -> None:
    with site.runtime.database.writing() as work:
        work.slots.beat(SCHEDULER, now=NOW)


def test_planning_that_goes_on_for_long_is_no_silence(site: Site) -> None:
    _beat(site)
    site.clock.move(minutes=4)
    site.runtime.rounds.alive()
    assert site.client.get("/readyz").json() == {"status": "ready"}


def test_a_site_whose_database_somebody_else_migrated_is_not_ready(site: Site) -> None:
    _beat(site)
    with sql(site.runtime).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    answer = site.client.get("/readyz")
    assert (answer.status_code, "db upgrade" in answer.json()["status"]) == (503, True)
    assert site.client.get("/healthz").status_code == 200
