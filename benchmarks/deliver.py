"""B1: a shared digest delivered with its ledger, against a C program that only sends.

smtp-source and smtp-sink come with Debian's postfix package; no mail server is started. The peer
sends one prepared message again and again; we claim, compose, mark, send and settle each mail.
"""

import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from benchmarks.ingest import fresh_database
from benchmarks.invented import NOW, as_jsonl, papers, store, subscribe
from benchmarks.table import Bar, Measured
from paperround.clock import FixedClock
from paperround.config import Settings
from paperround.jobs.deliver import Post, deliver
from paperround.jobs.ports import Database
from paperround.jobs.publish import publish
from paperround.sources.jsonl import read_jsonl
from paperround.wiring import Runtime

MAILS = 2000
CONNECTIONS = 10
ROUNDS = 3
PORT = 22525


def delivery_speed() -> list[Measured]:
    """Mails a second of `deliver` as a multiple of `smtp-source -d` on the same sink."""
    if missing := missing_programs():
        print(f"B1 not measured: needs {' and '.join(missing)} (Debian's postfix package)")
        return []
    with fresh_database() as database, sink(), tempfile.TemporaryDirectory() as folder:
        store(read_jsonl(as_jsonl(papers(400))), database)
        subscribe(MAILS, database)
        post = _post(database, Path(folder))
        rates = [_round(post, Path(folder), number) for number in range(ROUNDS + 1)][1:]
    ours, peer = ([rate[side] for rate in rates] for side in (0, 1))
    ratio = statistics.median(one / other for one, other in rates)
    said = f"{statistics.median(ours):,.0f} against {statistics.median(peer):,.0f} mails a second"
    measure = f"deliver / smtp-source -d, {CONNECTIONS} connections ({said})"
    return [Measured(id="B1", measure=measure, value=ratio, bar=Bar("at least", 1))]


def _round(post: Post, folder: Path, number: int) -> tuple[float, float]:
    """(our mails a second, smtp-source's), each day's digests planned outside the time."""
    now = NOW + timedelta(days=number)
    home = Runtime(_settings(folder), FixedClock(now))
    publish(
        database=post.database,
        ranker=home.ranker,
        identity=home.identity,
        list_name="trending",
        day=None,
        cut="manual",
        now=now,
    )
    begin = time.perf_counter()
    report = deliver(replace(post, clock=FixedClock(now)))
    seconds = time.perf_counter() - begin
    if report.totals.sent != MAILS:
        raise RuntimeError(f"the sink took {report.totals.sent} of {MAILS} mails")
    return MAILS / seconds, _peer(folder)


def _peer(folder: Path) -> float:
    message = folder / "message"
    if not message.exists():
        message.write_bytes(
            b"Subject: a digest\n\n" + b"words of a digest, again and again\n" * 860
        )
    command = [
        str(_program("smtp-source")), "-4", "-d", "-s", str(CONNECTIONS), "-m", str(MAILS),
        "-F", str(message), "-M", "localhost", "-f", "a@sender.example", "-t", "b@reader.example",
        f"127.0.0.1:{PORT}",
    ]  # fmt: skip
    begin = time.perf_counter()
    subprocess.run(command, check=True)
    return MAILS / (time.perf_counter() - begin)


def missing_programs() -> list[str]:
    """The programs of Debian's postfix package that are not there."""
    return [name for name in ("smtp-source", "smtp-sink") if _program(name) is None]


@contextmanager
def sink() -> Iterator[None]:
    """smtp-sink on PORT, which takes everything."""
    command = [str(_program("smtp-sink")), "-4", "-m", "4000", "-u", "nobody"]
    taking = subprocess.Popen([*command, f"127.0.0.1:{PORT}", "4096"], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        taking.terminate()
        taking.wait()


def _settings(folder: Path) -> Settings:
    url = f"smtp://127.0.0.1:{PORT}"
    return Settings(data_dir=folder, smtp_url=url, smtp_connections=CONNECTIONS)


def _post(database: Database, folder: Path) -> Post:
    home = Runtime(_settings(folder), FixedClock(NOW))
    return replace(home.post(), database=database)


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
