"""Notices to the operator, and a mailer that takes mail in batches."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from paperround.bounces.classify import evidence_of_outcome
from paperround.bounces.handling import record_refusals
from paperround.core.clock import FixedClock
from paperround.db.transactions import SqlDatabase
from paperround.delivery.model import Envelope, Mailer, Outcome
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail import new_notice
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.sending import DeliveryContext
from paperround.editions.model import DeliveryId
from tests.delivery.publishing import send
from tests.fakes import (
    SENDER_IDENTITY,
    Neighbours,
    PlainRenderer,
    accepting,
)
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

KEEPER = "keeper@example.org"


@dataclass
class Batches:
    """Accepts everything, and keeps what each batch carried."""

    during: Callable[[Envelope], None] = lambda _: None
    batches: list[list[Envelope]] = field(default_factory=list)

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
        **_: object,
    ) -> Iterator[Outcome]:
        self.batches.append([])
        mine = self.batches[-1]
        for envelope in filter(None, envelopes):
            self.during(envelope)
            if envelope.id in before_dot([envelope.id]):
                mine.append(envelope)
                yield accepting(envelope)

    @property
    def sent(self) -> list[str]:
        return [envelope.recipient for batch in self.batches for envelope in batch]


def post(database: SqlDatabase, mailer: Mailer) -> DeliveryContext:
    return DeliveryContext(
        judge=evidence_of_outcome,
        record_refusals=record_refusals,
        database=database,
        mailer=mailer,
        renderer=PlainRenderer(),
        sender_identity=SENDER_IDENTITY,
        keys=IDENTITY.keys,
        clock=FixedClock(NOW),
        processes=Neighbours(),
        lease=timedelta(seconds=900),
        jitter=Random(1),  # noqa: S311 - the same waits in every run
    )


def tell(
    database: SqlDatabase,
    key: str = "1",
    kind: SystemMailKind = SystemMailKind.ALERT,
    **payload: str | int,
) -> DeliveryId:
    with database.writing() as work:
        notice = new_notice(IDENTITY, kind, key, None, KEEPER, payload, now=NOW)
        work[NoticeLedger].put(notice, now=NOW)
        found = work[NoticeLedger].find(key)
    assert found is not None
    return found.id


def plan(database: SqlDatabase, readers: int) -> None:
    fill(database, [record(1), record(2)])
    subscribe(database, *(f"reader{n}" for n in range(readers)))
    send(database)
