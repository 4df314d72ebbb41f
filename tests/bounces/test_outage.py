"""A relay that is down for two hours, and what becomes of the mail that waits for it."""

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from paperround.bounces.classify import evidence_of_outcome
from paperround.bounces.handling import record_refusals
from paperround.core.smtp_url import Relay, Tls
from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.smtp.mailer import SmtpMailer
from paperround.digests.sending import DeliveryContext, deliver
from tests.delivery.publishing import send
from tests.delivery.slow_world import SlowWorld
from tests.fakes import SENDER_IDENTITY, Neighbours, PlainRenderer
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

READERS = 120
OUTAGE = 7200.0


@dataclass(frozen=True)
class ClockOf:
    """The world's clock, which began at NOW."""

    world: SlowWorld
    begin: float

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.world.now - self.begin)


def post(database: SqlDatabase, world: SlowWorld) -> DeliveryContext:
    relay = Relay(host="mail.example", port=25, tls=Tls.NONE)
    return DeliveryContext(
        judge=evidence_of_outcome,
        record_refusals=record_refusals,
        database=database,
        mailer=SmtpMailer([relay], hostname="papers.example", keep=0, world=world.world),
        renderer=PlainRenderer(),
        sender_identity=SENDER_IDENTITY,
        keys=IDENTITY.keys,
        clock=ClockOf(world, world.now),
        processes=Neighbours(),
        lease=timedelta(seconds=900),
        jitter=Random(1),  # noqa: S311 - the same waits in every run
    )


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.accept("R15")
def test_a_relay_back_after_two_hours_gets_all_the_mail_and_no_storm(
    database: SqlDatabase,
) -> None:
    fill(database, [record(n) for n in range(1, 4)])
    subscribe(database, *(f"reader{number}" for number in range(READERS)))
    send(database)
    with closing(SlowWorld({b".": 0.2})) as world:
        back = world.now + OUTAGE
        world.is_down = lambda _relay, now: now < back
        one = post(database, world)
        while deliver(one).totals != LedgerTotals(sent=READERS):
            world.now += 60
            assert world.now < back + 2 * OUTAGE
    times = [at for _, at in world.dials]
    assert all(later - sooner >= 1 for sooner, later in pairwise(times))
    assert len([at for at in times if at < back]) < 20
    assert world.taken == {"mail.example": READERS}
