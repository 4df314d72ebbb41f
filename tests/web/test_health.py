"""What a watcher is told."""

import pytest
from sqlalchemy import text

from paperround.db.slots import SlotStore
from paperround.delivery.holds import Signing, allow_unsigned, hold_unsigned
from paperround.delivery.model import Outcome, Phase
from paperround.delivery.rate_limits import PendingFeedback
from paperround.editions.model import DeliveryId
from paperround.ops.tick import SCHEDULER
from paperround.plugins.metrics import database_gauges
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


def test_a_site_whose_database_somebody_else_migrated_is_not_ready(site: Site) -> None:
    _beat(site)
    with sql(site.runtime).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    answer = site.client.get("/readyz")
    assert (answer.status_code, "db upgrade" in answer.json()["status"]) == (503, True)
    assert site.client.get("/healthz").status_code == 200


@pytest.mark.accept("O7", part="told", mutant="a-watcher-does-not-hear-of-missing-keys")
def test_a_site_whose_mail_waits_for_its_keys_is_not_ready(site: Site) -> None:
    _beat(site)
    database = site.runtime.database
    hold_unsigned(database, Signing(broken="dkim.json cannot be read"), now=NOW)
    answer = site.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "mail is held: there is no DKIM key to sign it with"}
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
        "degraded": "the relay cannot be reached: no-session: refused",
    }
