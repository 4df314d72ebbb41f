"""B14: two and four workers on one PostgreSQL, against one, and whether anything is sent twice.

    digests planned ─► workers run and wait ─► the job is put ─► first mark ... last answer

The workers are real processes (`paperround worker --queues mail`), each with ten connections to a
sink that is 50 ms away. There are as many messages per worker for any number of workers, so that
all runs take equally long. A second measurement uses two connections each, where the cores are not
the limit. The time is that of the ledger, from the first mark to the last reply, which includes the
start of the other workers and the wait for the last one. The sink records what it accepts.
"""

import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, text

from benchmarks.crowd import add_readers
from benchmarks.homes import home_to_measure
from benchmarks.invented import as_jsonl, papers
from benchmarks.peer import far_sink
from benchmarks.postgres import (
    copy_of,
    cpu_of_server,
    migrated,
    opened,
    server_to_measure,
    tidy,
)
from benchmarks.roles import CONNECTIONS, Role, feed_settings, role
from benchmarks.rounds import turned
from benchmarks.table import Bar, Measured
from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.clock import SystemClock
from paperround.core.jobs import DELIVER, QueueName
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.digests.publish import publish
from paperround.feeds.formats.jsonl import read_jsonl
from paperround.feeds.ingest import ingest
from paperround.ops.cluster import cluster_status
from paperround.subscribers.model import Preferences
from tests.databases import PostgresServer
from tests.story.serving import free_port

MAILS, MAILS_LONG = 1_500, 6_000
"""Messages per worker."""

CREWS = (1, 2, 4)
BARS = {2: 1.8}
ROUNDS = 2
ROUND_TRIP = 0.05
FEW = 2
"""Connections of each worker if the machine should not be the limit."""

PAPERS = 60
LOOK = 0.25
"""Seconds between two checks of the ledger."""

MOST_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The result of a run: messages per second, and CPU microseconds per message of the workers and
    of the database. `wrong` counts the messages that arrived more than once or not at all."""

    rate: float
    cpu: float
    cpu_of_server: float
    wrong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The environment of the runs: a server, a folder, the port of a relay, and its journal."""

    server: PostgresServer
    folder: Path
    relay: int
    journal: Path
    connections: int = CONNECTIONS

    def taken(self) -> list[bytes]:
        """The Message-ID of each message that the relay accepted, in order."""
        return self.journal.read_bytes().splitlines()

    def settings(self, url: str) -> Settings:
        """The settings for the database at `url`, with its own data folder: the send marks of one
        database would make the next look like an older copy."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        return feed_settings(url, folder, self.relay, connections=self.connections)


def many_workers() -> list[Measured]:
    """The messages per second of two and four workers as a multiple of one; measured again with so
    few connections that two cores are not the limit."""
    return [*_measured(CONNECTIONS, MAILS), *_measured(FEW, MAILS * FEW // CONNECTIONS)]


def many_workers_long() -> list[Measured]:
    """The same with four times the messages."""
    mails = MAILS_LONG
    return [*_measured(CONNECTIONS, mails), *_measured(FEW, mails * FEW // CONNECTIONS)]


def _measured(connections: int, mails: int) -> list[Measured]:
    with server_to_measure("B14") as server, tempfile.TemporaryDirectory() as folder:
        if server is None:
            return []
        journal, relay = Path(folder, "journal"), free_port()
        with far_sink(ROUND_TRIP, journal, port=relay):
            place = Place(
                server=server,
                folder=Path(folder),
                relay=relay,
                journal=journal,
                connections=connections,
            )
            found = run(place, mails=mails, rounds=ROUNDS)
    planned = mails * sum(CREWS) * ROUNDS
    return rows_of(found, planned=planned, connections=connections)


def rows_of(
    found: list[dict[int, Sent]],
    *,
    planned: int,
    connections: int = CONNECTIONS,
) -> list[Measured]:
    """The rows of the table, given the results by number of workers for each round."""
    usual = {crew: statistics.median(one[crew].rate for one in found) for crew in CREWS}
    cpu = ", ".join(
        f"{statistics.median(one[crew].cpu for one in found):.0f} + "
        f"{statistics.median(one[crew].cpu_of_server for one in found):.0f}"
        for crew in CREWS
    )
    said = ", ".join(f"{usual[crew]:,.0f}" for crew in CREWS)
    print(
        f"B14: CPU a mail of workers and of PostgreSQL, {_spoken(CREWS)} workers of {connections}"
        f" connections: {cpu} µs"
    )
    ratios = [
        Measured(
            id="B14",
            measure=f"{crew} workers / one, {connections} connections each of 50 ms ({said} mails"
            f" a second with {_spoken(CREWS)})",
            value=statistics.median(one[crew].rate / one[1].rate for one in found),
            bar=Bar("at least", bound),
        )
        for crew, bound in BARS.items()
    ]
    wrong = sum(one.wrong for crews in found for one in crews.values())
    measure = f"mails that came twice or not at all, of {planned:,}"
    return [*ratios, Measured(id="B14", measure=measure, value=wrong, bar=Bar("at most", 0))]


def _spoken(crews: tuple[int, ...]) -> str:
    return ", ".join(map(str, crews))


def run(
    place: Place,
    *,
    mails: int,
    rounds: int,
    crews: tuple[int, ...] = CREWS,
) -> list[dict[int, Sent]]:
    """The results by number of workers for each round, in turns, with `mails` messages per
    worker."""
    with ExitStack() as stack:
        planned = {crew: stack.enter_context(_planned(place, crew * mails)) for crew in crews}
        return [
            {crew: _send(place, planned[crew], crew) for crew in turned(crews, number)}
            for number in range(rounds)
        ]


@contextmanager
def _planned(place: Place, readers: int) -> Iterator[str]:
    """A database in which every digest is planned, and no job to send them is queued."""
    now = SystemClock().now()
    with migrated(place.server) as url:
        with opened(url) as database:
            ingest_papers(database, PAPERS, now)
            add_readers(readers, database, wish=lambda _: Preferences(), now=now)
            home = home_to_measure()  # its copies have no data folder yet
            publish(
                database=database,
                ranker=home.ranker,
                identity=home.identity,
                list_name="trending",
                day=None,
                cut="manual",
                now=now,
            )
        tidy(url)
        yield url


def ingest_papers(database: SqlDatabase, count: int, now: datetime) -> None:
    """Ingest `count` papers that were announced today."""
    rows = papers(count)
    for row in rows:
        row["listed_on"] = now.date().isoformat()
        row["published_at"] = (now - timedelta(hours=19)).isoformat()
    ingest(
        read_jsonl(as_jsonl(rows)),
        database=database,
        feed_name="file:jsonl",
        feed_kind="file",
        source="invented",
        captured_at=now,
        now=now,
    )


def _send(place: Place, planned: str, crew: int) -> Sent:
    with copy_of(place.server, planned) as url, ExitStack() as stack:
        settings = place.settings(url)
        home = AppContext(settings, SystemClock())
        workers = [
            stack.enter_context(
                role(f"worker-{crew}-{number}", settings, "worker", "--queues", "mail")
            )
            for number in range(crew)
        ]
        with opened(url) as database:
            until(lambda: _serving(database) == crew, workers)
            before = len(place.taken())
            cpu, of_server = sum(one.cpu for one in workers), cpu_of_server(url)
            home.queue.put(DELIVER)
            until(lambda: _is_over(database), workers)
            cpu, of_server = sum(one.cpu for one in workers) - cpu, cpu_of_server(url) - of_server
            mails, seconds = _told(database)
        for one in workers:
            one.stop()
        home.engine.dispose()
    taken, each = Counter(place.taken()[before:]), 1e6 / mails
    return Sent(
        rate=mails / seconds,
        cpu=cpu * each,
        cpu_of_server=of_server * each,
        wrong=taken.total() - len(taken) + abs(mails - len(taken)),
    )


def until(look: Callable[[], bool], roles: list[Role]) -> None:
    """Wait until `look` returns true. Raises RuntimeError if one of `roles` has exited."""
    end = time.monotonic() + MOST_SECONDS
    while not look():
        for one in roles:
            one.require()
        if time.monotonic() > end:
            raise RuntimeError(f"not over after {MOST_SECONDS:.0f} s")
        time.sleep(LOOK)


def _serving(database: SqlDatabase) -> int:
    with database.reading() as work:
        return cluster_status(work, now=SystemClock().now()).serving(QueueName.MAIL)


def _is_over(database: SqlDatabase) -> bool:
    moving = text("state IN ('queued', 'deferred', 'claimed', 'in_data')")
    with database.reading() as work:
        return (
            work.connection.execute(select(db.deliveries.c.id).where(moving).limit(1)).first()
            is None
        )


def _told(database: SqlDatabase) -> tuple[int, float]:
    """The number of messages sent, and the seconds from the first mark to the last reply."""
    c = db.deliveries.c
    with database.reading() as work:
        row = work.connection.execute(
            select(func.count(), func.min(c.in_data_at), func.max(c.sent_at)).where(
                c.state == "sent"
            )
        ).one()
    return row[0], (row[2] - row[1]).total_seconds()
