"""A town of three readers whose mails may come back."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from paperround.bounces.classify import evidence_of_outcome
from paperround.bounces.handling import receive, record_refusals
from paperround.bounces.model import ReportKind, ReturnedEvent
from paperround.core.clock import FixedClock
from paperround.core.tokens import KeyRing
from paperround.db.transactions import SqlDatabase
from paperround.delivery.model import Envelope, Evidence, Outcome
from paperround.delivery.return_path import tag_of
from paperround.digests.sending import DeliveryContext, deliver
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import address
from tests.delivery.publishing import send
from tests.fakes import SENDER_IDENTITY, Neighbours, PlainRenderer, ScriptedMailer, accepting
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

KEYS = IDENTITY.keys
BOUNCES = "bounces@example.org"
DAYS = timedelta(days=1)
PEOPLE = ("ada", "alan", "grace")

Script = Callable[[Envelope], Outcome]


class Town:
    """Three readers, a digest to each, and the mails that left."""

    def __init__(self, database: SqlDatabase, script: Script = accepting) -> None:
        self.database = database
        fill(database, [record(n) for n in range(1, 4)])
        subscribe(database, *PEOPLE)
        send(database)
        self.mails = self.deliver(script=script)

    def deliver(self, *, script: Script = accepting, now: datetime = NOW) -> dict[str, Envelope]:
        mailer = ScriptedMailer(script)
        deliver(
            DeliveryContext(
                judge=evidence_of_outcome,
                record_refusals=record_refusals,
                database=self.database,
                mailer=mailer,
                renderer=PlainRenderer(),
                sender_identity=replace(SENDER_IDENTITY, bounce_address=BOUNCES),
                keys=KEYS,
                clock=FixedClock(now),
                processes=Neighbours(),
                lease=timedelta(seconds=900),
            )
        )
        return {one.recipient.partition("@")[0]: one for one in mailer.offered}

    def tag(self, name: str) -> str:
        return tag_of(BOUNCES, self.mails[name].sender)

    def event(self, name: str, **changes: object) -> ReturnedEvent:
        """A mail server says that this reader is gone, in an answer to their own mail."""
        event = ReturnedEvent(
            way="pipe",
            event_id=f"about {name}",
            kind=ReportKind.BOUNCE,
            evidence=Evidence.GONE,
            happened_at=NOW,
            tag=self.tag(name),
            code="5.1.1",
            said=f"550 5.1.1 <{name}@example.org> {name} is not here",
        )
        return replace(event, **changes)  # type: ignore[arg-type]

    def receive(
        self, *events: ReturnedEvent, now: datetime = NOW, keys: KeyRing = KEYS
    ) -> Counter[str]:
        return receive(self.database, keys, events, now=now)

    @property
    def states(self) -> dict[str, str]:
        with self.database.reading() as work:
            people = {
                name: work[SubscriberStore].find(address(name, "example.org")) for name in PEOPLE
            }
        return {name: one.state.value if one else "gone" for name, one in people.items()}

    def suppressions(self) -> list[str]:
        with self.database.reading() as work:
            return [reason for _, reason, _ in work[SubscriberStore].suppressions()]


ALL_ACTIVE = dict.fromkeys(PEOPLE, "active")
ALAN_STOPPED = {**ALL_ACTIVE, "alan": "suppressed"}
