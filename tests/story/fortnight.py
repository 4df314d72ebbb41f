"""A small world for two weeks: a service that lists papers, a relay, two machines, one clock."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from urllib.parse import parse_qs, urlsplit

from paperround.bounces.classify import evidence_of_outcome
from paperround.bounces.handling import record_refusals
from paperround.core.interfaces import Worker
from paperround.db.transactions import SqlDatabase, Transaction
from paperround.delivery.model import Envelope, Outcome
from paperround.digests.plan import Hours
from paperround.digests.sending import DeliveryContext, deliver
from paperround.editions.model import DeliveryId
from paperround.editions.store.lists import ListStore
from paperround.feeds.fetcher import FeedContext
from paperround.feeds.model import NewFeed
from paperround.feeds.sources.registry import SOURCES
from paperround.feeds.store.feeds import FeedStore
from paperround.http.model import FetchRequest, Page
from paperround.ops.tick import TickContext, TickReport, tick
from paperround.personal.ranking import PersonalRanking
from paperround.subscribers.model import (
    Consent,
    Frequency,
    ImportedSubscriber,
    Preferences,
    SubscriberState,
)
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import address
from tests.fakes import SENDER_IDENTITY, Neighbours, NewestFirst, PlainRenderer, accepting
from tests.sample_database import IDENTITY

START = datetime(2026, 3, 23, tzinfo=UTC)
"""A Monday. On the next Sunday Europe's clocks go forward, on the one after Chile's go back at
midnight, and those of Sydney and Auckland go back."""

DAYS = 14
ZONES = (
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Asia/Tokyo",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Karachi",
    "Asia/Tehran",
    "Asia/Beirut",
    "Africa/Cairo",
    "Europe/Berlin",
    "Europe/London",
    "Atlantic/Azores",
    "America/Nuuk",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Santiago",
    "America/New_York",
    "America/Denver",
    "America/Los_Angeles",
    "Pacific/Honolulu",
    "Pacific/Kiritimati",
)
PEOPLE = 300
FEW = 48


@dataclass
class Present:
    """The clock of the whole world."""

    moment: datetime = START

    def now(self) -> datetime:
        """What every machine reads."""
        return self.moment

    def pause(self, seconds: float) -> None:
        """Waiting takes no time here."""


@dataclass
class DailyPapers:
    """Answers as Hugging Face does: a list for each working day, filling from seven till noon."""

    present: Present
    asked: int = 0

    def get(self, request: FetchRequest) -> Page:
        """The list of the day that is asked for, as far as it has filled by now."""
        self.asked += 1
        day = date.fromisoformat(parse_qs(urlsplit(request.url).query)["date"][0])
        rows = [] if day.weekday() >= 5 else self._rows(day)
        return Page(
            request=request,
            url=request.url,
            status=200,
            headers={"content-type": "application/json"},
            body=json.dumps(rows).encode(),
            fetched_at=self.present.now(),
        )

    def _rows(self, day: date) -> list[dict[str, object]]:
        listed = datetime.combine(day, time(7), tzinfo=UTC)
        hours = (self.present.now() - listed) / timedelta(hours=1)
        count = max(0, min(20, int(hours * 4)))
        return [_row(day, number, listed, hours) for number in range(1, count + 1)]


def _row(day: date, number: int, listed: datetime, hours: float) -> dict[str, object]:
    paper = {
        "id": f"{day:%y%m}.{day.day:02}{number:03}",
        "title": f"Paper {number} of {day.isoformat()}",
        "summary": f"We show thing {number}. It is new on {day:%d %B}.",
        "authors": [{"name": "Ada Ring", "hidden": False}],
        "publishedAt": (listed - timedelta(days=1)).isoformat().replace("+00:00", "Z"),
        "submittedOnDailyAt": listed.isoformat().replace("+00:00", "Z"),
        "upvotes": int(hours * number) if hours > 0 else 0,
    }
    return {"paper": paper, "title": paper["title"], "numComments": number % 3}


class Killed(BaseException):
    """The machine lost power. Not an Exception: nothing in the program may answer it."""


@dataclass
class Socket:
    """The database as one machine reaches it: not at all, once its power has failed."""

    database: SqlDatabase
    has_power: bool = True

    def reading(self) -> AbstractContextManager[Transaction]:
        """A snapshot."""
        return self._powered().reading()

    def writing(self) -> AbstractContextManager[Transaction]:
        """A transaction."""
        return self._powered().writing()

    def _powered(self) -> SqlDatabase:
        if not self.has_power:
            raise Killed
        return self.database


@dataclass
class Relay:
    """Takes every mail, and remembers who got it when. `cut_power` runs before mail
    `kill_after`'s final dot."""

    present: Present
    taken: list[tuple[str, str, datetime]] = field(default_factory=list)
    kill_after: int | None = None
    cut_power: Callable[[], None] = lambda: None

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
        **_: object,
    ) -> Iterator[Outcome]:
        """One after another; the power fails before the dot of mail `kill_after`, if one is."""
        for envelope in filter(None, envelopes):
            if self.kill_after is not None and len(self.taken) >= self.kill_after:
                self.cut_power()
                raise Killed
            if envelope.id in before_dot([envelope.id]):
                self.taken.append((envelope.recipient, envelope.message_id, self.present.now()))
                yield accepting(envelope)


@dataclass
class World:
    """Everything, and the two machines that tick in turn."""

    database: SqlDatabase
    present: Present = field(default_factory=Present)
    step: timedelta = timedelta(minutes=30)
    people: int = PEOPLE
    together: int = 1
    """At every how many steps both machines tick; at the others they take turns."""
    dead: set[int] = field(default_factory=set)
    chance: Random = field(default_factory=lambda: Random(7))  # noqa: S311 - a fixed world
    booted: int = 0

    def __post_init__(self) -> None:
        self.service = DailyPapers(self.present)
        self.relay = Relay(self.present)
        self.alerts: list[str] = []
        self.machines = [self._boot(), self._boot()]
        self.restarts = 0

    def _boot(self) -> "Machine":
        self.booted += 1
        worker = Worker(host="here", pid=self.booted, started=f"boot/{self.booted}")
        return Machine(self, worker, Socket(self.database))

    def settle_in(self) -> dict[str, Preferences]:
        """A feed, and people with hours of their own in 24 zones; returns who wants what."""
        wishes = {f"reader{number}": self._wish(number) for number in range(self.people)}
        with self.database.writing() as work:
            trending = work[ListStore].ensure_default(zone="UTC", now=START)
            work[FeedStore].create(NewFeed(name="daily", kind="hf-daily"), now=START)
            for name, wish in wishes.items():
                person = ImportedSubscriber(
                    address=address(name),
                    state=SubscriberState.ACTIVE,
                    consent=Consent(at=START, source="tests"),
                    preferences=wish,
                    nonce=name,
                )
                work[SubscriberStore].put(person, trending.id, now=START)
        return wishes

    def _wish(self, number: int) -> Preferences:
        frequency = (Frequency.DAILY, Frequency.DAILY, Frequency.WEEKDAYS, Frequency.WEEKLY)
        return Preferences(
            timezone=ZONES[number % len(ZONES)],
            hour=self.chance.randrange(24),
            frequency=frequency[number % 4],
            weekday="wed" if number % 4 == 3 else None,
            size=self.chance.choice([None, 5, 30]),
        )

    def live(self, days: int = DAYS) -> None:
        """Let the days pass. Once a day a machine loses power in the middle of its mails."""
        end = START + timedelta(days=days)
        while self.present.moment < end:
            if self.present.moment.hour == 6 and self.present.moment.minute == 0:
                self.relay.kill_after = len(self.relay.taken) + self.chance.randrange(1, 5)
            number = (self.present.moment - START) // self.step
            every = range(len(self.machines))
            for place in every if number % self.together == 0 else [number % len(every)]:
                self._turn(place)
            self.present.moment += self.step

    def _turn(self, place: int) -> None:
        machine = self.machines[place]
        self.relay.cut_power = machine.lose_power
        try:
            report = machine.tick()
            self.alerts += [alert.subject for alert in report.alerts]
        except Killed:
            self.relay.kill_after = None
            self.dead.add(machine.worker.pid)
            self.machines[place] = self._boot()
            self.restarts += 1


@dataclass
class Machine:
    """One process: ticks and then sends, until it is killed."""

    world: World
    worker: Worker
    socket: Socket

    def lose_power(self) -> None:
        """From now on nothing this machine does is kept."""
        self.socket.has_power = False

    def tick(self) -> TickReport:
        """One minute's work."""
        world = self.world
        report = tick(self._rounds(), now=world.present.now())
        deliver(self._post())
        return report

    def _rounds(self) -> TickContext:
        world = self.world
        return TickContext(
            database=self.socket,
            ranker=NewestFirst(),
            personal_ranking=PersonalRanking(),
            identity=IDENTITY,
            hours=Hours(hour=7),
            enrichers=(),
            feed_context=FeedContext(
                database=self.socket,
                client=world.service,
                sources=SOURCES,
                clock=world.present,
                processes=Neighbours(me=self.worker, dead=world.dead),
                pause=world.present.pause,
            ),
            alerts_to=None,
            wake=lambda: None,
        )

    def _post(self) -> DeliveryContext:
        world = self.world
        return DeliveryContext(
            judge=evidence_of_outcome,
            record_refusals=record_refusals,
            database=self.socket,
            mailer=world.relay,
            renderer=PlainRenderer(),
            sender_identity=SENDER_IDENTITY,
            keys=IDENTITY.keys,
            clock=world.present,
            processes=Neighbours(me=self.worker, dead=world.dead),
            lease=timedelta(minutes=15),
        )
