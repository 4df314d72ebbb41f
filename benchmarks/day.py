"""B13: a whole day of personal digests, against a C program that only sends as many messages; on
SQLite and on PostgreSQL.

An edition is published, and a personal digest for every reader planned and delivered, in one
process and unsigned. smtp-source and smtp-sink are from Debian's postfix package. The peer sends
one of our messages repeatedly. Each day runs in its own process, to measure its memory, and another
with a tenth of the readers shows how cost and memory grow.
"""

import gc
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from benchmarks import postgres
from benchmarks.crowd import add_readers
from benchmarks.homes import publish_now
from benchmarks.ingest import empty_file, opened
from benchmarks.invented import NOW, as_jsonl, papers, store, subscribe, topics_of
from benchmarks.memory import can_measure_memory, highest
from benchmarks.peer import PORT, lacks_peer, near_sink, seconds_of_peer
from benchmarks.postgres import server_to_measure
from benchmarks.table import Bar, Measured
from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.clock import FixedClock
from paperround.db.transactions import Database
from paperround.digests.publish import draft, freeze
from paperround.digests.sending import deliver
from paperround.feeds.formats.jsonl import read_jsonl
from paperround.ranking.rank import rank_list
from paperround.subscribers.model import Address, Preferences
from tests.databases import PostgresServer

PAPERS = 1_000
READERS = 5_000
LONG = 100_000
CONNECTIONS = 10
BAR, POSTGRES_BAR = 8, 12
FILE = "paperround.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The cost of one day: wall seconds of each part, CPU seconds of the process, and the MB by
    which its memory grew during planning and delivery."""

    publish: float
    plan: float
    deliver: float
    cpu_of_plan: float
    cpu_of_deliver: float
    grown: float

    @property
    def seconds(self) -> float:
        """The whole day."""
        return self.publish + self.plan + self.deliver


def whole_day() -> list[Measured]:
    """A day of personal digests as a multiple of `smtp-source -d`, and how it grows."""
    return _measured(READERS)


def whole_day_long() -> list[Measured]:
    """The same for a hundred thousand readers."""
    return _measured(LONG)


def whole_day_on_postgres() -> list[Measured]:
    """The same on PostgreSQL."""
    return _measured_on_postgres(READERS)


def whole_day_on_postgres_long() -> list[Measured]:
    """The same for a hundred thousand readers on PostgreSQL."""
    return _measured_on_postgres(LONG)


def _measured(readers: int) -> list[Measured]:
    if lacks_peer("B13") or not can_measure_memory("B13"):
        return []
    return _against_peer(readers, "", _day)


def _measured_on_postgres(readers: int) -> list[Measured]:
    if lacks_peer("B13") or not can_measure_memory("B13"):
        return []
    with server_to_measure("B13") as server:
        if server is None:
            return []
        return _against_peer(readers, "PostgreSQL, ", partial(_day_on_postgres, server))


def _against_peer(readers: int, where: str, live: Callable[[Path, int], Day]) -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder, near_sink():
        homes = {size: Path(folder, str(size)) for size in (readers // 10, readers)}
        for home in homes.values():
            home.mkdir()
        tenth, whole = (live(home, size) for size, home in homes.items())
        message = homes[readers] / "message"
        peer = seconds_of_peer(message, mails=readers, connections=CONNECTIONS)
    return _rows(readers, where, tenth, whole, peer)


def _rows(readers: int, where: str, tenth: Day, whole: Day, peer: float) -> list[Measured]:
    parts = f"publish {whole.publish:.1f}, plan {whole.plan:.1f}, deliver {whole.deliver:.1f} s"
    each = 1e6 / readers
    cpu = f"CPU a reader {whole.cpu_of_plan * each:.0f} and {whole.cpu_of_deliver * each:.0f} µs"
    said = f"{where}{readers:,} personal digests / smtp-source -d ({parts}; {peer:.1f} s)"
    grown = f"{where}memory of that day / of a tenth ({tenth.grown:.1f}, {whole.grown:.1f} MB)"
    bar = Bar("at most", POSTGRES_BAR if where else BAR)
    return [
        Measured(id="B13", measure=said, value=whole.seconds / peer, bar=bar),
        _exponent(f"{where}plan", cpu, math.log10(whole.cpu_of_plan / tenth.cpu_of_plan)),
        _exponent(f"{where}deliver", cpu, math.log10(whole.cpu_of_deliver / tenth.cpu_of_deliver)),
        Measured(id="B12", measure=grown, value=whole.grown / tenth.grown, bar=Bar("at most", 1.2)),
    ]


def _exponent(part: str, said: str, value: float) -> Measured:
    measure = f"{part} personal digests, a tenth and all: exponent of CPU time ({said})"
    return Measured(id="B16", measure=measure, value=value, bar=Bar("at most", 1.05))


def _day(home: Path, readers: int) -> Day:
    with empty_file() as empty:
        shutil.copy(empty, home / FILE)
    with opened(home / FILE) as database:
        store(read_jsonl(as_jsonl(papers(PAPERS))), database)
        subscribe(readers, database, tastes=True)
    return _lived(home, readers)


def _day_on_postgres(server: PostgresServer, home: Path, readers: int) -> Day:
    with postgres.migrated(server) as url:
        with postgres.opened(url) as database:
            store(read_jsonl(as_jsonl(papers(PAPERS))), database)
            add_readers(
                readers,
                database,
                wish=lambda number: Preferences(topics=topics_of(number)),
                now=NOW,
            )
        postgres.tidy(url)
        return _lived(home, readers, postgres.address_of(url))


def _lived(home: Path, readers: int, *url: str) -> Day:
    command = [sys.executable, "-m", "benchmarks.day", str(home), str(readers), *url]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Day(**json.loads(done.stdout))


def _spend(folder: Path, readers: int, url: str | None = None) -> Day:
    """Run one day in this process, with the installation opened beforehand; on the PostgreSQL
    database at `url` if given."""
    home = AppContext(_settings(folder, url), FixedClock(NOW))
    database = home.database
    begin = time.perf_counter()
    _freeze(home, database)
    published = time.perf_counter()
    gc.collect()
    before, cpu = highest(), time.process_time()
    publish_now(home, database)
    planned, cpu_planned = time.perf_counter(), time.process_time()
    gc.freeze()  # as the command does
    report = deliver(home.post())
    delivered, cpu_delivered = time.perf_counter(), time.process_time()
    if report.totals.sent != readers:
        raise RuntimeError(f"the sink took {report.totals.sent} of {readers} mails")
    grown = highest() - before
    (folder / "message").write_bytes(_one_mail(home).replace(b"\r\n", b"\n"))
    return Day(
        publish=published - begin,
        plan=planned - published,
        deliver=delivered - planned,
        cpu_of_plan=cpu_planned - cpu,
        cpu_of_deliver=cpu_delivered - cpu_planned,
        grown=grown,
    )


def _freeze(home: AppContext, database: Database) -> None:
    ranked = rank_list(
        database=database, ranker=home.ranker, list_name="trending", day=None, now=NOW
    )
    freeze(database, draft(ranked, "manual", NOW))


def _one_mail(home: AppContext) -> bytes:
    """The first reader's message as it was sent."""
    written = "reader0@reader0.example"
    shown = home.previewer.preview(
        "trending",
        reader=Address(written=written, mailed=written),
        now=NOW,
    )
    if shown.mail is None:
        raise RuntimeError("the first reader got no mail")
    return home.renderer.compose(shown.mail)


def _settings(folder: Path, database_url: str | None) -> Settings:
    url = f"smtp://127.0.0.1:{PORT}"
    return Settings(
        data_dir=folder,
        database_url=database_url,
        secret_key="only-for-measuring-" * 2,
        operator="A benchmark",
        contact="keeper@example.org",
        postal_address="1 Paper Street, Pressburg",
        smtp_url=url,
        smtp_connections=CONNECTIONS,
    )


if __name__ == "__main__":
    print(json.dumps(asdict(_spend(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))))
