"""Deliveries at a pace."""

from collections.abc import Callable
from dataclasses import replace

from paperround.db.transactions import SqlDatabase
from paperround.delivery.model import Envelope, Outcome, Phase, Reply
from paperround.delivery.rate_state import Pacing, parse_domain_pace, parse_pace
from paperround.digests.sending import DeliveryContext
from tests.delivery.delivering import post
from tests.delivery.pace import Hands, subscribe_at
from tests.delivery.publishing import send
from tests.fakes import accepting
from tests.sample_database import fill, record

DOMAINS = Pacing(domains=parse_domain_pace("20/s"), connections=5)
FOURTEEN = Pacing(relay=parse_pace("14/s"))


def planned(database: SqlDatabase, **readers: int) -> SqlDatabase:
    """An edition, and so many readers of each domain."""
    fill(database, [record(1)])
    for name, count in readers.items():
        subscribe_at(database, f"{name}.example", count)
    send(database)
    return database


def paced(
    database: SqlDatabase,
    worker_config: Hands,
    pacing: Pacing,
    script: Callable[[Envelope], Outcome] = accepting,
) -> DeliveryContext:
    return replace(
        post(database, script), clock=worker_config, wait=worker_config.wait, pacing=pacing
    )


def refusing(reply: Reply, domain: str = "") -> Callable[[Envelope], Outcome]:
    def script(envelope: Envelope) -> Outcome:
        if envelope.recipient.endswith(domain):
            return Outcome(id=envelope.id, phase=Phase.RCPT, reply=reply)
        return accepting(envelope)

    return script


STORM = Reply(550, "5.7.26", "unauthenticated mail is not accepted")
