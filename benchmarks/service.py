"""B19: the peak memory of one process that runs the whole service for a day.

The database has papers of earlier days, some with votes, and readers who will be due. The process
serves pages, ingests the new papers, trains the model, freezes the edition, plans every digest and
delivers it to an outbox, all in its usual threads.
"""

import os
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic

from benchmarks.invented import NOW, as_jsonl, store, subscribe
from benchmarks.memory import can_measure_memory, highest
from benchmarks.table import Bar, Measured
from benchmarks.whole_run import earlier, todays
from paperround.bootstrap import AppContext
from paperround.bootstrap.workers import LEARN, PUBLISH
from paperround.cli.server import server
from paperround.config import Settings
from paperround.core.clock import FixedClock
from paperround.core.jobs import DELIVER
from paperround.db.slots import SlotStore
from paperround.delivery.store.ledger import Ledger
from paperround.digests.plan import Hours, plan_due
from paperround.feeds.formats.jsonl import read_jsonl
from paperround.ranking.learn import NIGHTS
from paperround.web.app import create_app

MOST_SECONDS = 900
VISIT_SECONDS = 0.5
"""Seconds between two page requests, for a moderate load."""

PAGES = ("/", "/trending", "/search?q=tari", "/editions", "/feeds/trending.atom", "/readyz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The numbers of papers and readers. The model is trained on at most 8,000 papers."""

    papers: int
    voted: int
    new: int
    readers: int


SIZES = {
    "small": Scale(papers=10_000, voted=1_000, new=200, readers=2_000),
    "whole": Scale(papers=100_000, voted=8_000, new=1_000, readers=10_000),
}
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - where the outbox's twenty thousand syncs are free


def memory_of_the_service() -> list[Measured]:
    """The peak in MB of a new process, with a tenth of the papers and a fifth of the readers."""
    return _memory("small")


def memory_of_the_service_long() -> list[Measured]:
    """The same with all of them."""
    return _memory("whole")


def _memory(size: str) -> list[Measured]:
    if not can_measure_memory("B19"):
        return []
    fast = IN_MEMORY if IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) else None
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory(dir=fast) as outbox,
    ):
        told = [_child(step, size, folder, outbox) for step in ("prepare", "live")]
    scale = SIZES[size]
    what = f"{scale.papers:,} papers, {scale.new:,} new, {scale.readers:,} readers"
    return [
        Measured(
            id="B19",
            measure=f"a day of the service: {what}",
            value=float(told[1]),
            bar=Bar("at most", 512),
            unit="MB",
        )
    ]


def _child(*arguments: str) -> str:
    command = [sys.executable, "-m", "benchmarks.service", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _home(folder: str, outbox: str) -> AppContext:
    settings = Settings(
        data_dir=Path(folder),
        smtp_url=f"outbox:{outbox}",
        smtp_connections=20,
        enrich="off",
        public_url="http://localhost:8000",
    )
    return AppContext(settings, FixedClock(NOW))


def prepare(home: AppContext, scale: Scale) -> None:
    """Write the papers with their votes, and readers with due times."""
    rows = earlier(scale.papers)
    for number, row in enumerate(rows[: scale.voted]):
        row["upvotes"] = number * 7919 % 60
    store(read_jsonl(as_jsonl(rows)), home.database)
    subscribe(scale.readers, home.database)
    hours = Hours(hour=NOW.hour)
    yesterday = NOW.replace(day=NOW.day - 1, hour=NOW.hour + 2)
    plan_due(database=home.database, identity=home.identity, hours=hours, now=yesterday)


def live(home: AppContext, scale: Scale) -> None:
    """Run the day."""
    home.prepare_to_serve()
    with socket.create_server(("127.0.0.1", 0)) as door:
        host, port = door.getsockname()
        running = server(create_app(home), host=host, port=port)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [door]})
        thread.start()
        try:
            home.queue.put(LEARN)
            home.queue.start()
            store(read_jsonl(todays(scale.new)), home.database)
            _until_it_is_over(home, f"{host}:{port}", scale.readers)
        finally:
            home.queue.stop(drain_seconds=30)
            running.should_exit = True
            thread.join()


def _until_it_is_over(home: AppContext, place: str, readers: int) -> None:
    """Tick, and request pages, until every reader's digest is sent and the night's training is
    done."""
    end = monotonic() + MOST_SECONDS
    sent, learned = 0, False
    while monotonic() < end:
        home.queue.put(PUBLISH)
        home.queue.put(DELIVER)
        for page in PAGES:
            _visit(place, page)
        threading.Event().wait(VISIT_SECONDS)
        with home.database.reading() as work:
            sent = work[Ledger].totals(now=NOW).sent
            learned = work[SlotStore].taken_at(NIGHTS, f"{NOW:%Y-%m-%d}") is not None
        if sent == readers and learned:
            return
    raise RuntimeError(f"not over after {MOST_SECONDS} s: {sent} sent, learned: {learned}")


def _visit(place: str, page: str) -> None:
    connection = HTTPConnection(place, timeout=60)
    with suppress(OSError):  # not up yet
        connection.request("GET", page)
        connection.getresponse().read()
    connection.close()


if __name__ == "__main__":
    step, named, *places = sys.argv[1:]
    at_home = _home(*places)
    if step == "prepare":
        prepare(at_home, SIZES[named])
    else:
        live(at_home, SIZES[named])
        print(highest())
