"""Three workers and two schedulers share one PostgreSQL while everything that can break breaks.

Nothing is lost silently and nothing comes twice: planned = sent + failed + unknown + expired +
skipped, held against the journal of the relay.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, func, select

from paperround.db import engine as engines
from paperround.db.schema import tables as db
from tests.databases import PostgresServer
from tests.faults import SmtpSink
from tests.reliability.accounts import require_balance_at
from tests.reliability.bad_lines import server_of, through
from tests.reliability.fleet import CONNECTIONS, Fleet, home_in
from tests.reliability.installation import SETTINGS, durable_server, prepare
from tests.reliability.proxy import Proxy
from tests.reliability.toxics import (
    Bandwidth,
    Latency,
    LimitData,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
)
from tests.reliability.weather import Weather
from tests.story.command_line import CLOCK
from tests.story.killing import journalled

ENOUGH_LATER = timedelta(minutes=80)
"""By then every mail that had to wait for another try may go."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of these tests' own, which keeps its promises when it is killed."""
    with durable_server() as found:
        yield found


Toxics = tuple[Toxic, ...]


@dataclass(frozen=True)
class Lines:
    """The lines of a fleet to its database and to its relay: the toxics of each, there and back.
    A connection has each of them with probability `share`."""

    database: tuple[Toxics, Toxics] = ((), ())
    relay: tuple[Toxics, Toxics] = ((), ())
    share: float = 0.3

    def to_database(self, url: str) -> Proxy:
        """A line to the PostgreSQL of a database's URL."""
        there, back = self.database
        return Proxy(server_of(url), to_server=there, to_client=back, share=self.share, seed=26)

    def to_relay(self, sink: SmtpSink) -> Proxy:
        """A line to a relay."""
        there, back = self.relay
        server = ("127.0.0.1", sink.port)
        return Proxy(server, to_server=there, to_client=back, share=self.share, seed=27)


GOOD = Lines()
BAD = Lines(
    database=(
        (Latency(0.002, jitter=0.002), Slicer(200, vary=150), ResetPeer(150_000)),
        (Bandwidth(2_000_000), Timeout(1.0, after=250_000), LimitData(400_000)),
    ),
    relay=(
        (Slicer(700, vary=600), Latency(0.001), LimitData(120_000), Timeout(1.0, after=250_000)),
        (Slicer(5, vary=4), SlowClose(0.2), ResetPeer(6_000)),
    ),
)


@dataclass(frozen=True)
class Day:
    """A day on which `readers` get their digest, and how it went."""

    engine: Engine
    readers: int

    def is_over(self) -> bool:
        """Whether everybody has a row, and each has ended, waits for a later try, or has the mark
        of a worker that lives on and lost the database while it sent: that one lasts for fifteen
        minutes."""
        states = self.states()
        return states.total() >= self.readers and not (states["queued"] or states["claimed"])

    def states(self) -> Counter[str]:
        state = db.deliveries.c.state
        counted = select(state, func.count().label("rows")).group_by(state)
        with self.engine.connect() as connection:
            return Counter({row.state: row.rows for row in connection.execute(counted)})


def survive(
    server: PostgresServer,
    folder: Path,
    strokes: Mapping[str, int],
    *,
    readers: int,
    lines: Lines = GOOD,
    crash_every: float | None = None,
) -> Weather:
    """Everybody's digest through everything; the books balance at the end."""
    assert server.crash is not None
    chance, journal = Random(20261126), folder / "journal"  # noqa: S311 - the same every time
    now = CLOCK.now()
    with (
        server.created() as url,
        engines.opened(url) as engine,
        SmtpSink(journal=journal, offers=("PIPELINING",)) as sink,
        lines.to_database(url) as database,
        lines.to_relay(sink) as relay,
    ):
        day = Day(engine, readers)
        prepare(url, folder / "data", readers=readers, now=now)
        reached = {
            "DATABASE_URL": through(database, url),
            "SMTP_URL": f"smtp://127.0.0.1:{relay.port}",
        }
        fleet = Fleet(home_in(folder, SETTINGS | reached), chance)
        weather = Weather(fleet, sink, server.crash, database, relay, crash_every=crash_every)
        try:
            fleet.tend()
            weather.rage(strokes)
            weather.calm_down(day.is_over)
        finally:
            fleet.abandon()
        finish(url, sink, fleet)
        in_doubt = weather.most_in_doubt + relay.lost + CONNECTIONS * database.lost
        require_balance_at(url, planned=readers, taken=journalled(journal), in_doubt=in_doubt)
        states = day.states()
    assert states["sent"] + states["unknown"] == readers
    return weather


def finish(url: str, sink: SmtpSink, fleet: Fleet) -> None:
    """What was put off before its dot goes out later, over good lines."""
    later = (CLOCK.now() + ENOUGH_LATER).isoformat(timespec="seconds")
    direct = {"DATABASE_URL": url.replace("+psycopg", ""), "SMTP_URL": sink.url}
    calm = home_in(fleet.home.folder, fleet.home.settings | direct)
    calm.run("deliver", "--until-empty", "--now", later)


@pytest.mark.early
@pytest.mark.accept("R4", part="a fleet, short")
@pytest.mark.accept("R2", part="a fleet")
@pytest.mark.accept("T6", part="a fleet")
@pytest.mark.parametrize(
    ("strokes", "lines"),
    [
        ({"kill": 4, "crash": 1}, GOOD),
        ({"cut the database": 3, "cut the relay": 3}, BAD),
        ({"sleep": 2, "kill": 1}, GOOD),
    ],
    ids=["kills and crashes", "bad lines", "sleepers"],
)
def test_whatever_befalls_a_fleet_nothing_is_lost_or_doubled(
    server: PostgresServer, tmp_path: Path, strokes: Mapping[str, int], lines: Lines
) -> None:
    weather = survive(server, tmp_path, strokes, readers=100, lines=lines)
    assert weather.struck == strokes


@pytest.mark.long
@pytest.mark.accept("R4", part="a fleet, a crash every two seconds")
@pytest.mark.accept("R2", part="a fleet, long")
def test_hundreds_of_kills_and_a_crash_every_two_seconds(
    server: PostgresServer, tmp_path: Path
) -> None:
    weather = survive(server, tmp_path, {"kill": 280}, readers=6000, crash_every=2.0)
    assert weather.struck["crash"] >= 40
