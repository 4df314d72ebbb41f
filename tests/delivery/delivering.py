"""What a delivery is made with in tests."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

from paperround.bounces.classify import evidence_of_outcome
from paperround.bounces.handling import record_refusals
from paperround.core.clock import FixedClock
from paperround.db.transactions import SqlDatabase
from paperround.delivery.model import (
    Envelope,
    Outcome,
)
from paperround.digests.sending import DeliveryContext
from tests.fakes import (
    SENDER_IDENTITY,
    Neighbours,
    PlainRenderer,
    ScriptedMailer,
    accepting,
)
from tests.sample_database import IDENTITY, NOW


def post(
    database: SqlDatabase, script: Callable[[Envelope], Outcome] = accepting
) -> DeliveryContext:
    return DeliveryContext(
        judge=evidence_of_outcome,
        record_refusals=record_refusals,
        database=database,
        mailer=ScriptedMailer(script),
        renderer=PlainRenderer(),
        sender_identity=SENDER_IDENTITY,
        keys=IDENTITY.keys,
        clock=FixedClock(NOW),
        processes=Neighbours(),
        lease=timedelta(seconds=900),
        jitter=Random(1),  # noqa: S311 - the same waits in every run
    )


def at(one: DeliveryContext, later: timedelta) -> DeliveryContext:
    return replace(one, clock=FixedClock(NOW + later))
