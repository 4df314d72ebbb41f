"""Send a day of personal digests with four processes on one machine, and check the ledger.

    python -m benchmarks.fleet 100000

One scheduler, two workers and a site share a PostgreSQL server of their own, and send to a sink on
this machine that records what it accepts. Every reader has their own topics, and is due when the
processes start: one worker freezes the edition of a thousand papers and plans, both send. Meanwhile
a visitor requests pages of the site. The output is what `docs/scale.md` shows.
"""

import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from sqlalchemy import func, select, text

from benchmarks.crowd import add_readers
from benchmarks.invented import topics_of
from benchmarks.memory import highest
from benchmarks.peer import far_sink
from benchmarks.postgres import (
    cpu_of,
    cpu_of_server,
    log_of_server,
    migrated,
    opened,
    server_to_measure,
    size_of,
    tidy,
)
from benchmarks.roles import CONNECTIONS, Role, feed_settings, role
from benchmarks.workers import ingest_papers
from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.clock import FixedClock, SystemClock
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.ops.tick import tick
from paperround.subscribers.model import Preferences
from tests.story.serving import free_port

PAPERS = 1_000
LOOK, TELL = 1.0, 15.0
"""Seconds between two checks, and between two lines of the transcript."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A measured day: `seconds` from the scheduler's first check to the last reply, and `cores`,
    the CPU seconds of all processes per second, on a machine that others used."""

    readers: int
    cores: float
    seconds: float


MEASURED = Day(readers=100_000, cores=0.44, seconds=653)
"""The day that docs/scale.md shows."""

MOST_SECONDS = 7_200.0
PAGES = ("/", "/editions", "/readyz")
MOVING = ("queued", "deferred", "claimed", "in_data")
ENDED = ("sent", "failed", "unknown", "expired", "skipped")


@dataclass
class Visitor:
    """A visitor who requests one page of the site after another."""

    port: int
    seconds: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)

    def look(self) -> None:
        """Request the next page, and count the result."""
        page = PAGES[len(self.seconds) % len(PAGES)]
        begin = time.perf_counter()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", page)
            answer = connection.getresponse()
            body = answer.read()
            is_fine = answer.status == 200
            self.answers["200" if is_fine else f"{answer.status} ({_status(body)})"] += 1
        except (OSError, HTTPException):
            self.answers["not"] += 1
        finally:
            connection.close()
        self.seconds.append(time.perf_counter() - begin)


def _status(body: bytes) -> str:
    """The problem that `/readyz` reports."""
    try:
        return str(json.loads(body)["status"])
    except (ValueError, KeyError, TypeError):
        return "a page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """PostgreSQL's CPU seconds so far, and the bytes of its log and of the database."""

    cpu: float
    log: float
    size: float


def _server_at(url: str) -> Server:
    return Server(cpu=cpu_of_server(url), log=log_of_server(url), size=size_of(url))


@dataclass(frozen=True)
class Fleet:
    """The processes, the resources they share, and the counters of what they used."""

    url: str
    database: SqlDatabase
    roles: list[Role]
    sink: int
    journal: Path
    begun: float

    def states(self) -> Counter[str]:
        """How many rows of the ledger are in each state."""
        state = db.deliveries.c.state
        with self.database.reading() as work:
            found = work.connection.execute(select(state, func.count()).group_by(state))
            return Counter(dict(map(tuple, found)))

    def say(self, words: str) -> None:
        """Print a line of the transcript."""
        minutes, seconds = divmod(int(time.monotonic() - self.begun), 60)
        print(f"{minutes:02}:{seconds:02}  {words}", flush=True)


def main(readers: int) -> int:
    """Print the transcript; return 0 if the ledger is correct and nothing was sent twice."""
    with (
        server_to_measure("the fleet") as server,
        tempfile.TemporaryDirectory() as folder,
        ExitStack() as stack,
    ):
        if server is None:
            return 1
        journal = Path(folder, "journal")
        relay, port = free_port(), free_port()
        sink = stack.enter_context(far_sink(0, journal, port=relay))
        url = stack.enter_context(migrated(server))
        settings = feed_settings(url, Path(folder), relay)
        print(_machine(url), flush=True)
        _prepare(url, settings, readers)
        database = stack.enter_context(opened(url))
        before = _server_at(url)
        begun = time.monotonic()
        roles = [stack.enter_context(one) for one in _roles(settings, port)]
        fleet = Fleet(url, database, roles, sink.pid, journal, begun)
        visitor = Visitor(port)
        _watch(fleet, visitor, readers)
        return _account(fleet, visitor, readers, before)


def _roles(settings: Settings, port: int) -> Iterator[AbstractContextManager[Role]]:
    yield role("scheduler", settings, "scheduler")
    yield role("worker 1", settings, "worker")
    yield role("worker 2", settings, "worker")
    yield role("site", settings, "serve", "--web-only", "--port", str(port))


def _machine(url: str) -> str:
    with opened(url) as database, database.reading() as work:
        version = work.connection.execute(text("SHOW server_version")).scalar_one()
        synced = work.connection.execute(text("SHOW synchronous_commit")).scalar_one()
    return (
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; Python"
        f" {platform.python_version()}; PostgreSQL {version}, synchronous_commit={synced}"
    )


def _prepare(url: str, settings: Settings, readers: int) -> None:
    """Write today's papers and the readers, all of them due within the last two hours."""
    now = SystemClock().now()
    before, hour = now - timedelta(hours=12), (now - timedelta(hours=1)).hour
    with opened(url) as database:
        ingest_papers(database, PAPERS, before - timedelta(hours=6))
        add_readers(
            readers,
            database,
            wish=lambda number: Preferences(hour=hour, topics=topics_of(number)),
            now=before,
        )
    tidy(url)
    home = AppContext(settings, FixedClock(before))
    tick(home.tick_context, now=before)
    home.engine.dispose()
    tidy(url)
    print(f"{readers:,} readers and {PAPERS:,} papers are there; everybody is due", flush=True)


def _watch(fleet: Fleet, visitor: Visitor, readers: int) -> None:
    told, end = 0.0, time.monotonic() + MOST_SECONDS
    while time.monotonic() < end:
        states = fleet.states()
        is_over = states.total() >= readers and not any(states[one] for one in MOVING)
        if is_over or time.monotonic() - told >= TELL:
            told = time.monotonic()
            load = os.getloadavg()[0]
            fleet.say(f"planned {states.total():>9,}  sent {states['sent']:>9,}  load {load:.1f}")
        if is_over:
            return
        for one in fleet.roles:
            one.require()
        visitor.look()
        time.sleep(LOOK)
    raise RuntimeError(f"not over after {MOST_SECONDS:.0f} s: {dict(fleet.states())}")


def _account(fleet: Fleet, visitor: Visitor, readers: int, before: Server) -> int:
    after, states = _server_at(fleet.url), fleet.states()
    parts = " + ".join(f"{states[one]:,} {one}" for one in ENDED)
    adds_up = states.total() == readers == sum(states[one] for one in ENDED)
    print(f"\nplanned {states.total():,} = {parts}: {'adds up' if adds_up else 'DOES NOT ADD UP'}")
    taken = Counter(fleet.journal.read_bytes().split())
    twice, notices = taken.total() - len(taken), _notices(fleet.database)
    print(
        f"the sink took {taken.total():,} mails, {notices:,} of them to the operator, and"
        f" {len(taken):,} different: {twice} doubles"
    )
    first, last, due = _times(fleet.database)
    sending = (last - first).total_seconds()
    print(
        f"from the first look of the scheduler to the last answer {due:.0f} s; sending took"
        f" {sending:.0f} s of it: {states['sent'] / sending:,.0f} mails a second over"
        f" {2 * CONNECTIONS} connections"
    )
    log, size = after.log - before.log, after.size - before.size
    print(
        f"PostgreSQL wrote {log / 1e6:,.0f} MB of log; the database grew by {size / 1e6:,.0f} MB"
        f" to {after.size / 1e6:,.0f} MB: {log / readers:,.0f} and {size / readers:,.0f} bytes a"
        " reader"
    )
    answers = ", ".join(f"{code} {count} times" for code, count in sorted(visitor.answers.items()))
    slow = statistics.quantiles(visitor.seconds, n=20)[-1] if len(visitor.seconds) > 1 else 0.0
    print(
        f"the site answered {answers}; in {1000 * statistics.median(visitor.seconds):.0f} ms, the"
        f" slowest twentieth in {1000 * slow:.0f} ms and more"
    )
    print(f"\n{'process':<12}{'CPU s':>8}{'MB at most':>12}")
    for one in fleet.roles:
        print(f"{one.name:<12}{one.cpu:>8.1f}{highest(one.process.pid):>12.0f}")
    theirs = after.cpu - before.cpu
    print(f"{'PostgreSQL':<12}{theirs:>8.1f}")
    print(f"{'the sink':<12}{cpu_of(fleet.sink):>8.1f}")
    mine = sum(one.cpu for one in fleet.roles)
    print(
        f"\nCPU a reader: {1e6 * mine / readers:.0f} µs of ours and"
        f" {1e6 * theirs / readers:.0f} µs of PostgreSQL's"
    )
    return 0 if adds_up and not twice and len(taken) - notices == states["sent"] else 1


def _notices(database: SqlDatabase) -> int:
    """The number of other messages sent, which are alerts."""
    with database.reading() as work:
        return work[NoticeLedger].totals(now=SystemClock().now()).sent


def _times(database: SqlDatabase) -> tuple[datetime, datetime, float]:
    """The first mark, the last reply, and the seconds from the scheduler's first check."""
    c, slots = db.deliveries.c, db.slots.c
    with database.reading() as work:
        first, last = work.connection.execute(
            select(func.min(c.in_data_at), func.max(c.sent_at))
        ).one()
        asked = work.connection.execute(
            select(func.min(slots.taken_at)).where(slots.kind == "tick")
        ).scalar_one()
    return first, last, (last - asked).total_seconds()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
