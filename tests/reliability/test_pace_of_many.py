"""Three processes on one PostgreSQL keep one pace, as their relay sees it.

A busy machine makes mails late, and never early: so what is held against a rate is that the k-th
mail to a domain never comes before its slot, counted from the first. Whether a slow domain delays
the others is measured a few times: what delays them does so each time, a busy machine does not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from paperround.db.schema.tables import metadata
from paperround.db.transactions import SqlDatabase
from paperround.digests.publish import publish
from paperround.editions.store.lists import ListStore
from tests.databases import postgres, postgres_url, run_on
from tests.delivery.pace import LostTime, WatchfulSink, subscribe_at
from tests.faults import Accepted
from tests.reliability.fleet import home_in
from tests.reliability.installation import SETTINGS, home_at
from tests.sample_database import fill, record
from tests.story.command_line import CLOCK

__all__ = ["postgres", "postgres_url"]

FAST = ("one.example", "two.example", "three.example", "four.example")
SLOW = "slow.example"
EACH, OF_SLOW = 24, 10
RATE = 8
PROCESSES, CONNECTIONS = 3, 10
LATE = 0.6
"""Seconds by which the first mail of all may be late: from its slot to its mark."""
TRIES = 3

PACED = {
    "SMTP_RATE_DOMAIN": f"{RATE}/s",
    "SMTP_DOMAIN_CONNECTIONS": "2-5",
    "SMTP_CONNECTIONS": str(CONNECTIONS),
}


class Gatekeeper(WatchfulSink):
    """Counts the connections that are open at once, too."""

    most_open = 0

    def take(self, message: Accepted) -> None:
        self.most_open = max(self.most_open, len(self._open))
        super().take(message)


@dataclass(frozen=True)
class Office:
    """Sends a day's mails with three processes."""

    url: str
    folder: Path

    def send(self, readers: Mapping[str, int], sink: Gatekeeper) -> float:
        """Everybody's digest; returns the seconds until the fast domains had theirs."""
        now = CLOCK.now()
        self._plan(readers, now)
        settings = SETTINGS | PACED | {"DATABASE_URL": self.url, "SMTP_URL": sink.url}
        home = home_in(self.folder, settings)
        processes = [home.start("deliver", "--until-empty") for _ in range(PROCESSES)]
        for process in processes:
            _, said = process.communicate(timeout=120)
            assert process.returncode == 0, said
        assert len(sink.messages) == sum(readers.values())
        return max(sink.times[domain][-1] for domain in FAST) - sink.all_times[0]

    def _plan(self, readers: Mapping[str, int], now: datetime) -> None:
        clear(self.url)
        home = home_at(self.url, self.folder / "data", now)
        database = home.database
        assert isinstance(database, SqlDatabase)
        with database.writing() as work:
            work[ListStore].ensure_default(zone="UTC", now=now)
        fill(database, [record(1)], now - timedelta(hours=1))
        for domain, count in readers.items():
            subscribe_at(database, domain, count)
        publish(
            database=database,
            ranker=home.ranker,
            identity=home.identity,
            list_name="trending",
            day=None,
            cut="manual",
            now=now,
        )
        database.close()


def clear(url: str) -> None:
    tables = reversed(metadata.sorted_tables)
    run_on(url, "; ".join(f"DELETE FROM {table.name}" for table in tables))


@pytest.fixture
def office(postgres_url: str, tmp_path: Path) -> Iterator[Office]:
    yield Office(postgres_url, tmp_path)
    clear(postgres_url)


def require_pace(sink: Gatekeeper, lost: float) -> None:
    """No domain and no relay got more than it should, on a machine that lost so many seconds."""
    first = sink.all_times[0]
    for domain in FAST:
        early = [
            first + place / RATE - came for place, came in enumerate(sorted(sink.times[domain]))
        ]
        assert max(early) <= LATE + lost, f"{domain}: {max(early):.2f} s before its slot"
    assert all(most <= 5 for most in sink.most_at_once.values()), sink.most_at_once
    assert sink.most_open <= PROCESSES * CONNECTIONS


@pytest.mark.accept("R9", part="three processes over SMTP")
def test_three_processes_keep_one_pace_and_a_slow_domain_delays_no_other(office: Office) -> None:
    times = []
    for _ in range(TRIES):
        with Gatekeeper() as alone, Gatekeeper({SLOW: 0.4}) as beside, LostTime() as lost:
            usual = office.send(dict.fromkeys(FAST, EACH), alone)
            found = office.send({SLOW: OF_SLOW, **dict.fromkeys(FAST, EACH)}, beside)
        for sink in (alone, beside):
            require_pace(sink, lost.seconds)
        times.append((found, usual))
        if found <= 1.1 * usual + lost.seconds:
            return
    raise AssertionError(f"a slow domain delayed the others each time: {times}")
