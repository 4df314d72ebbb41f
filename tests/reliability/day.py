"""A day from the file to the last mail, lived by a process that may fail on the way."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from sqlalchemy import Engine

from paperround.bounces.classify import evidence_of_outcome
from paperround.bounces.handling import record_refusals
from paperround.core.clock import FixedClock
from paperround.core.errors import DatabaseFailed
from paperround.core.interfaces import Worker
from paperround.db.transactions import SqlDatabase
from paperround.delivery.outbox import OutboxMailer
from paperround.delivery.restore_guard import SendMarks
from paperround.delivery.system_mail import raise_alert
from paperround.delivery.system_mail_model import Alert
from paperround.digests.plan import plan_due
from paperround.digests.sending import DeliveryContext, deliver
from paperround.editions.store.lists import ListStore
from paperround.feeds.formats.jsonl import read_jsonl
from paperround.feeds.ingest import ingest
from paperround.ops.tick import publish_round
from paperround.subscribers.model import Preferences
from tests.fakes import SENDER_IDENTITY, Neighbours, PlainRenderer
from tests.ops.ticking import HOURS, KEEPER, tick_context
from tests.reliability.faults import Faults, FaultyDisk, FaultyMark, Killed
from tests.sample_database import IDENTITY, NOW, subscribe

LONG = "They were counted at dusk, at night and at dawn. " * 150
PAPERS = "\n".join(
    json.dumps({"id": f"2601.0000{number}", "title": f"Counting {what}", "summary": LONG + what})
    for number, what in enumerate(["bees", "ants"], 1)
).encode()
"""Long enough for the database to grow when it takes them."""

READERS = ("ada", "alan", "barbara")
ROWS = len(READERS) + 1
"""One more for a reader whose floor is so high that no paper reaches it: a row born skipped."""

MARK = "sending.mark"
"""The file of the send mark, in the outbox."""

LATER = [timedelta(minutes=minutes) for minutes in (1, 60)]
"""When the day is taken up again: the last of a mark's fifteen minutes and of every retry's wait
are over by then."""


def open_the_town(database: SqlDatabase) -> None:
    """The list, its readers, whose clocks run since yesterday, and a notice that waits."""
    with database.writing() as work:
        work[ListStore].ensure_default(zone="UTC", now=NOW)
    subscribe(database, *READERS)
    subscribe(database, "grace", wish=Preferences(floor=99.0))
    with database.writing() as work:
        told = Alert(key="a test", subject="A notice waits", lines=("It goes first.",))
        raise_alert(work, IDENTITY, told, KEEPER, now=NOW)
    plan_due(database=database, identity=IDENTITY, hours=HOURS, now=NOW - timedelta(hours=9))


@dataclass
class Machine:
    """One database and one outbox, which outlive the processes that work on them.

    The connections of `engine` are closed between two processes; its compiled statements stay.
    `edit` is what an editor does each time that editions were frozen.
    """

    engine: Engine
    outbox: Path
    edit: Callable[[SqlDatabase, datetime], None] = lambda *_: None
    faults: Faults = field(default_factory=Faults)
    arrived: Counter[str] = field(default_factory=Counter)
    dead: set[int] = field(default_factory=set)
    pids: int = 0

    def new_process(self) -> Worker:
        """A process with a number of its own."""
        self.pids += 1
        return Worker(host="here", pid=self.pids, started=f"boot/{self.pids}")

    def live(self, me: Worker, faults: Faults, *, now: datetime) -> bool:
        """Do everything that is due at `now`, as far as the faults let it; whether it went well.

        Nothing but the database's own failure may come out of it.
        """
        self.faults = faults
        try:
            self._day(SqlDatabase(self.engine), me, now)
        except DatabaseFailed:
            return False
        except Killed:
            self.dead.add(me.pid)
            return False
        finally:
            self.engine.dispose()
        return not faults.struck

    def _day(self, database: SqlDatabase, me: Worker, now: datetime) -> None:
        ingest(
            read_jsonl(PAPERS),
            database=database,
            feed_name="tests",
            feed_kind="file",
            source="tests",
            captured_at=now,
            now=now,
        )
        publish_round(tick_context(database), now=now)
        self.edit(database, now)
        deliver(self.post(database, me, now=now))

    def post(self, database: SqlDatabase, me: Worker, *, now: datetime) -> DeliveryContext:
        """What this process delivers with: the outbox on a disk that counts."""
        disk = FaultyDisk(self.faults, self.arrived)
        return DeliveryContext(
            judge=evidence_of_outcome,
            record_refusals=record_refusals,
            database=database,
            mailer=OutboxMailer(self.outbox, disk=disk),
            renderer=PlainRenderer(),
            sender_identity=SENDER_IDENTITY,
            keys=IDENTITY.keys,
            clock=FixedClock(now),
            processes=Neighbours(me, dead=self.dead),
            lease=timedelta(minutes=15),
            jitter=Random(1),  # noqa: S311 - the same waits in every run
            marks=SendMarks(file=FaultyMark(self.faults, self.outbox / MARK), host="here"),
        )

    def complete(self, me: Worker) -> None:
        """Take the day up again, without faults, until everything has come to its end.

        A process that was killed is followed by another one; one that lives goes on itself.
        """
        if me.pid in self.dead:
            me = self.new_process()
        for later in LATER:
            assert self.live(me, Faults(), now=NOW + later)
