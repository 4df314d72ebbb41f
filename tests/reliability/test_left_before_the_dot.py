"""Somebody leaves at each moment between freezing and the final dot, and is not mailed."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import Engine

from paperround.db.transactions import SqlDatabase, Transaction
from paperround.delivery.model import Envelope, Outcome
from paperround.digests.model import DigestMail
from paperround.digests.sending import deliver
from paperround.editions.model import DeliveryId
from paperround.editions.store.lists import ListStore
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.delivery.delivering import post
from tests.delivery.publishing import send
from tests.fakes import PlainRenderer, accepting
from tests.reliability.accounts import books, require_balance
from tests.sample_database import NOW, fill, record, subscribe
from tests.sample_database import database as database

LEAVER = "ada@example.org"


@dataclass
class Moments:
    """Names each moment of a day as it comes; at `when` Ada leaves."""

    database: SqlDatabase
    when: str
    met: list[str] = field(default_factory=list)

    def come(self, moment: str) -> None:
        self.met.append(moment)
        if moment == self.when:
            with self.database.writing() as work:
                leave(work)


def leave(work: Transaction) -> None:
    """What one click on the link in an older mail does."""
    people = work[SubscriberStore].export(work[ListStore].get("trending").id)
    (ada,) = (person for person, _ in people if person.address == LEAVER)
    (one,) = work[SubscriberStore].subscriptions_of(ada.id)
    work[SubscriberStore].leave(one.id, now=NOW)


@dataclass
class Telling(PlainRenderer):
    """Tells when a mail is made."""

    moments: Moments | None = None

    def compose(self, mail: DigestMail) -> bytes:
        if self.moments is not None and mail.recipient == LEAVER:
            self.moments.come("claimed")
        return super().compose(mail)


@dataclass
class LastMoment:
    """Asks for one dot at a time, and tells what was just before."""

    moments: Moments
    arrived: list[Envelope] = field(default_factory=list)

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
        **_: object,
    ) -> Iterator[Outcome]:
        for envelope in filter(None, envelopes):
            if envelope.recipient == LEAVER:
                self.moments.come("recipient named")
                self.moments.come("at the very dot")
            if envelope.id in before_dot([envelope.id]):
                self.arrived.append(envelope)
                yield accepting(envelope)


@pytest.mark.accept("S13")
@pytest.mark.parametrize("when", ["frozen", "claimed", "recipient named", "at the very dot"])
def test_whoever_leaves_before_the_dot_gets_nothing(
    database: SqlDatabase, engine: Engine, when: str
) -> None:
    fill(database, [record(n) for n in range(1, 4)])
    subscribe(database, "ada", "alan", "grace")
    send(database)
    moments = Moments(database, when)
    moments.come("frozen")
    mailer = LastMoment(moments)
    deliver(replace(post(database), mailer=mailer, renderer=Telling(moments=moments)))
    assert when in moments.met
    assert {one.recipient for one in mailer.arrived} == {"alan@example.org", "grace@example.org"}
    found = books(engine)
    arrived = {row.name: 1 for row in found.digests if row.state == "sent"}
    require_balance(found, planned=3, arrived=arrived, in_doubt=0)
    assert found.count("skipped") == 1
