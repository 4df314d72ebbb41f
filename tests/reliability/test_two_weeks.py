"""Sixty editions while everything goes wrong that can.

Processes die or fail at any step, the relay is away for hours, and clocks are set forward and back.
The clock is the test's: fifteen days take minutes.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from shutil import copy
from typing import Any

import pytest
from sqlalchemy import Engine

from paperround.core.interfaces import Worker
from paperround.db import engine as engines
from paperround.db.transactions import SqlDatabase
from paperround.delivery.model import Envelope, Outcome, Phase
from paperround.delivery.outbox import file_name
from paperround.digests.sending import DeliveryContext, deliver
from paperround.editions.manage_lists import edit_list
from paperround.editions.model import DeliveryId
from paperround.editions.store.lists import ListStore
from paperround.ops.tick import publish_round
from paperround.subscribers.model import Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import imported
from tests.fakes import accepting
from tests.ops.ticking import tick_context
from tests.reliability.accounts import books, require_balance
from tests.reliability.day import Machine
from tests.reliability.faults import Faults, faulty_postgres, faulty_sqlite
from tests.sample_database import NOW, fill, record

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START = NOW.replace(hour=0)
PAPERS = 15
"""New papers every six hours; a digest holds twelve."""

CUTS = ("00:00", "06:00", "12:00", "18:00")
MOST_STEPS = {"sqlite": 300, "postgresql": 30}
"""A fault strikes at one of so many first steps of a round; on PostgreSQL, commits are steps."""


@dataclass
class Relay:
    """Takes every mail, unless it `is_away`. The line may break, and the process die, before and
    after the final dot."""

    present: Callable[[], Faults]
    is_away: bool = False
    arrived: Counter[str] = field(default_factory=Counter)

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
        **_: object,
    ) -> Iterator[Outcome]:
        for envelope in filter(None, envelopes):
            if self.is_away:
                yield Outcome(id=envelope.id, phase=Phase.CONNECT, error="nobody answers")
            elif envelope.id in before_dot([envelope.id]):
                yield self._dot(envelope)

    def _dot(self, envelope: Envelope) -> Outcome:
        try:
            self.present().step("before the dot", OSError)
            self.arrived[file_name(envelope.message_id)] += 1
            self.present().step("after the dot", OSError)
        except OSError:
            return Outcome(id=envelope.id, phase=Phase.DOT, error="the connection broke")
        return accepting(envelope)


@dataclass
class Installation(Machine):
    """A machine whose mail goes to a relay."""

    relay: Relay = field(init=False)
    plans: bool = True

    def __post_init__(self) -> None:
        self.relay = Relay(lambda: self.faults)
        self.outbox.mkdir()  # the send mark is there

    def _day(self, database: SqlDatabase, me: Worker, now: datetime) -> None:
        if self.plans:
            publish_round(tick_context(database), now=now)
        deliver(self.post(database, me, now=now))

    def post(self, database: SqlDatabase, me: Worker, *, now: datetime) -> DeliveryContext:
        """What this process delivers with."""
        return replace(super().post(database, me, now=now), mailer=self.relay)


@dataclass
class Weeks:
    """Days with four editions each, and a round every half hour."""

    installation: Installation
    days: int
    chance: Random
    met: Counter[str] = field(default_factory=Counter)
    _away_until: datetime = START

    def live(self) -> Iterator[int]:
        """Live them; yields the memory of this process, in kilobytes, at the end of each day."""
        me = self.installation.new_process()
        self.installation.live(me, Faults(), now=START - MINUTE)  # sets everybody's first hour
        for number in range(48 * self.days):
            now = START + number * HOUR / 2
            if not number % 12:
                self._bring_papers(now, number // 12 * PAPERS)
            me = self._live_round(me, now + MINUTE)
            if number % 48 == 47:
                yield memory()

    def come_to_an_end(self) -> None:
        """Plan what is due, and try what waits until its time is over."""
        end, me = START + self.days * DAY - MINUTE, self.installation.new_process()
        self.installation.relay.is_away = False
        assert self.installation.live(me, Faults(), now=end)
        self.installation.plans = False
        for hour in range(1, 25):
            assert self.installation.live(me, Faults(), now=end + hour * HOUR)

    def _bring_papers(self, now: datetime, before: int) -> None:
        self.installation.faults = Faults()
        papers = [record(before + number) for number in range(1, PAPERS + 1)]
        fill(SqlDatabase(self.installation.engine), papers, now - HOUR)

    def _live_round(self, me: Worker, now: datetime) -> Worker:
        """Live one round with whatever befalls it; return the process that lives after it."""
        chance, relay = self.chance, self.installation.relay
        if chance.random() < 0.01:
            self._away_until = now + chance.randint(1, 8) * HOUR / 2
            self.met["the relay is away"] += 1
        relay.is_away = now < self._away_until
        if chance.random() < 0.03:
            now += chance.choice((-1, 1)) * chance.randint(1, 50) * MINUTE
            self.met["the clock is set"] += 1
        faults = Faults()
        if chance.random() < 0.2:
            last = MOST_STEPS[self.installation.engine.dialect.name]
            faults = Faults(at=chance.randint(1, last), dies=chance.random() < 0.5)
        self.installation.live(me, faults, now=now)
        if faults.struck:
            self.met["a step fails"] += 1
        return self.installation.new_process() if faults.is_dead else me


def memory() -> int:
    """What this process has in memory, in kilobytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0])


@pytest.fixture(params=["sqlite", "postgres"])
def installation(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path
) -> Iterator[Installation]:
    """An installation that can fail anywhere, on each engine."""
    found: list[Installation] = []
    breaks: Any = faulty_sqlite
    if request.param == "postgres":
        breaks, url = faulty_postgres, request.getfixturevalue("postgres_url")
    else:
        url = f"sqlite:///{copy(sqlite_template, tmp_path / 'paperround.db')}"
    with engines.opened(url) as engine:
        found.append(Installation(engine, tmp_path / "outbox"))
        breaks(engine, lambda: found[0].faults)
        yield found[0]


def open_list(engine: Engine, readers: int) -> None:
    """A list with four editions a day, and readers at every hour."""
    database = SqlDatabase(engine)
    with database.writing() as work:
        mailing_list = work[ListStore].ensure_default(zone="UTC", now=START - DAY)
        for number in range(readers):
            reader = imported(f"r{number}", preferences=Preferences(hour=number % 24))
            work[SubscriberStore].put(reader, mailing_list.id, now=START - DAY)
    edit_list(database, "trending", {"cuts": CUTS}, by="shell tests", now=START - DAY)


@pytest.mark.slow
@pytest.mark.accept("O5", mutant="a-dead-process-sends-again")
@pytest.mark.parametrize(
    ("readers", "days"), [(24, 2), pytest.param(10_000, 15, marks=pytest.mark.long)]
)
def test_whatever_happens_in_two_weeks_everybody_gets_each_digest_once(
    installation: Installation, readers: int, days: int
) -> None:
    open_list(installation.engine, readers)
    weeks = Weeks(installation, days, Random(31))  # noqa: S311 - the same weeks every time
    sizes = list(weeks.live())
    weeks.come_to_an_end()
    found = books(installation.engine)
    planned = Counter(one.day for one in found.digests)
    assert list(planned.values()) == [readers] * days
    require_balance(
        found,
        planned=readers * days,
        arrived=installation.relay.arrived,
        in_doubt=weeks.met["a step fails"],
    )
    assert weeks.met["a step fails"] > days
    assert sizes[-1] < 1.1 * sizes[days // 3] + 10_000
