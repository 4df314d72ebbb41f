"""What a test needs to let the minutes pass: rounds, a switch for the database, a dead-man service
and a relay that can be switched off."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paperround.bounces.classify import evidence_of_outcome
from paperround.bounces.handling import record_refusals
from paperround.core.clock import FixedClock
from paperround.core.errors import DatabaseFailed, FetchFailed
from paperround.db.transactions import Database, Transaction
from paperround.digests.plan import Hours
from paperround.digests.sending import DeliveryContext, deliver
from paperround.editions.model import Edition
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.fetcher import FeedContext
from paperround.http.model import FetchRequest, Page
from paperround.ops.tick import DeadManSwitch, TickContext
from paperround.personal.ranking import PersonalRanking
from paperround.ranking.models import Ranker
from tests.fakes import (
    SENDER_IDENTITY,
    Neighbours,
    NewestFirst,
    PlainRenderer,
    ScriptedMailer,
    accepting,
)
from tests.sample_database import IDENTITY, NOW

KEEPER = "keeper@example.org"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
HOURS = Hours(hour=7)


class Nobody:
    """A network on which nobody answers."""

    def get(self, request: FetchRequest) -> Page:
        raise FetchFailed(f"{request.url} cannot be reached")


@dataclass
class DeadMan:
    """A service that raises the alarm when nobody asked for it within half an hour."""

    present: datetime
    heard: list[datetime] = field(default_factory=list)

    def get(self, request: FetchRequest) -> Page:
        self.heard.append(self.present)
        return Page(
            request=request,
            url=request.url,
            status=200,
            headers={},
            body=b"OK",
            fetched_at=self.present,
        )

    def alarms(self) -> bool:
        return not self.heard or self.present - self.heard[-1] >= 30 * MINUTE

    def switch(self) -> DeadManSwitch:
        """What a process that was just started asks it with."""
        return DeadManSwitch("https://hc.example/ping", self)


class Quiet:
    """Listens to pings and does nothing."""

    def __init__(self) -> None:
        self.heard: list[datetime] = []

    def ping(self, now: datetime) -> None:
        self.heard.append(now)


@dataclass
class Switched:
    """A database that can be switched off."""

    database: Database
    is_down: bool = False

    def reading(self) -> AbstractContextManager[Transaction]:
        return self._up().reading()

    def writing(self) -> AbstractContextManager[Transaction]:
        return self._up().writing()

    def _up(self) -> Database:
        if self.is_down:
            raise DatabaseFailed("the database failed: it is switched off")
        return self.database


def tick_context(
    database: Database,
    *,
    ping: Callable[[datetime], None] = lambda _: None,
    ranker: Ranker | None = None,
    alerts_to: str | None = KEEPER,
    wake: Callable[[], None] = lambda: None,
) -> TickContext:
    """The rounds of a process that was just started, without feeds."""
    return TickContext(
        database=database,
        ranker=ranker or NewestFirst(),
        personal_ranking=PersonalRanking(),
        identity=IDENTITY,
        hours=HOURS,
        feed_context=FeedContext(
            database=database,
            client=Nobody(),
            sources={},
            clock=FixedClock(NOW),
            processes=Neighbours(),
        ),
        enrichers=(),
        ping=ping,
        alerts_to=alerts_to,
        wake=wake,
    )


def send(database: Database, *, now: datetime) -> list[str]:
    """Send all that is due over a relay that takes everything; returns who got mail."""
    mailer = ScriptedMailer(accepting)
    deliver(
        DeliveryContext(
            judge=evidence_of_outcome,
            record_refusals=record_refusals,
            database=database,
            mailer=mailer,
            renderer=PlainRenderer(),
            sender_identity=SENDER_IDENTITY,
            keys=IDENTITY.keys,
            clock=FixedClock(now),
            processes=Neighbours(),
            lease=timedelta(minutes=15),
        )
    )
    return [envelope.recipient for envelope in mailer.offered]


def editions(database: Database) -> list[Edition]:
    """Every edition of the default list since the day before NOW, oldest first."""
    days = [NOW.date() + timedelta(days=n) for n in range(-1, 6)]
    with database.reading() as work:
        trending = work[ListStore].get("trending")
        found = [
            work[EditionStore].find(trending.id, day, str(cut)) for day in days for cut in range(4)
        ]
    return [edition for edition in found if edition is not None]
