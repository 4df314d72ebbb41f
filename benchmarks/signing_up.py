"""B10: sign-ups by API, against a page that says hello, served by the same application; and how
long they take while digests are published and sent on the same SQLite database.

32 clients on keep-alive connections send requests from their own process, to both contenders in
turns. Each sign-up is for a new address, from a network not seen before, as headers of a trusted
proxy say. The limits per address, client and network are the defaults; those per domain and in
total are too high to be reached, but are counted. The response to a sign-up means that the request
and the counts are on disk: the rows at the end must match the responses.

Hello is a plain `def` handler, and the first route. In the first part, no worker processes the
sign-ups. In the second, the process does the same as `paperround serve`: it freezes the edition,
plans every digest and sends it to smtp-sink, of Debian's postfix package, together with the
confirmations. The clients then have a fixed rate, because confirmations are sent before digests.
"""

import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path

from fastapi.responses import PlainTextResponse

from benchmarks.clients import HELLO, Responses, ask, asking, responses_of
from benchmarks.cpu import can_measure_cpu, cpu_seconds_in_all
from benchmarks.crowd import add_readers
from benchmarks.invented import NOW, as_jsonl, papers, store
from benchmarks.peer import PORT, lacks_peer, near_sink
from benchmarks.rounds import turned
from benchmarks.table import Bar, Measured
from paperround.bootstrap import AppContext
from paperround.cli.process import freeze_startup_objects
from paperround.cli.server import server
from paperround.config import Settings
from paperround.core.clock import FixedClock, StartedClock
from paperround.db.transactions import SqlDatabase
from paperround.digests.plan import Hours, plan_due
from paperround.feeds.formats.jsonl import read_jsonl
from paperround.scheduler import Scheduler
from paperround.subscribers.model import Preferences
from paperround.web.app import create_app

REQUESTS = 800
"""Requests per contender and round."""
ROUNDS = 7
READERS, LONG = 5_000, 100_000
MOST_SECONDS = 900
LOOK = 0.25
FILE = "paperround.db"
PACE = 50
"""Sign-ups per second while digests are sent. Their confirmations go first, so without a limit no
digest would ever be sent."""
PAPERS = 200
CONNECTIONS = 10
MANY = "9999999/h"
STATUS = {"hello": 200, "signup": 202}
KEPT = {
    "requests, and mails written for them": """
        SELECT (SELECT count(*) FROM signup_requests)
             + (SELECT count(*) FROM notices WHERE kind = 'confirm')""",
    "counts": "SELECT sum(count) FROM rate_windows WHERE key LIKE 'signup/net/%'",
}
"""The rows that every accepted sign-up writes."""


@dataclass(slots=True)
class _Round:
    """The cost of one contender in one round: CPU seconds of the serving process, and the
    responses."""

    cpu: float
    responses: Responses


@dataclass(slots=True)
class _Contender:
    rounds: list[_Round] = field(default_factory=list)

    @property
    def cpu_each(self) -> float:
        """CPU microseconds of the serving process per request."""
        return 1e6 * statistics.median(one.cpu / len(one.responses.each) for one in self.rounds)

    @property
    def a_second(self) -> float:
        return statistics.median(
            len(one.responses.each) / one.responses.seconds for one in self.rounds
        )


def signing_up() -> list[Measured]:
    """Sign-ups against hellos, and sign-ups while 5,000 digests are sent."""
    return [*_against_hello(), *_under_load(READERS)]


def signing_up_long() -> list[Measured]:
    """The same while 100,000 digests are sent."""
    return [*_against_hello(), *_under_load(LONG)]


# --- against hello -------------------------------------------------------------------------------


def _against_hello() -> list[Measured]:
    if not can_measure_cpu("B10"):
        return []
    with tempfile.TemporaryDirectory() as folder, _serving(folder, "hello") as (process, port):
        hello, signup = _rounds(process, port)
        _require_kept(folder, sum(len(one.responses.each) for one in signup.rounds))
    return [
        _ratio(
            f"sign-ups / hellos, CPU time ({signup.cpu_each:.0f} and {hello.cpu_each:.0f} µs)",
            [a.cpu / b.cpu for a, b in zip(hello.rounds, signup.rounds, strict=True)],
            Bar("at least", 0.15),
        ),
        _ratio(
            f"sign-ups / hellos a second ({signup.a_second:,.0f} and {hello.a_second:,.0f})",
            [
                a.responses.seconds / b.responses.seconds
                for a, b in zip(hello.rounds, signup.rounds, strict=True)
            ],
            Bar("at least", 0.15),
        ),
    ]


def _ratio(measure: str, ratios: list[float], bar: Bar) -> Measured:
    return Measured(id="B10", measure=measure, value=statistics.median(ratios), bar=bar)


def _rounds(process: int, port: int) -> tuple[_Contender, _Contender]:
    """Hellos and sign-ups in turns, after some sign-ups to create what is created once."""
    each = {"hello": _Contender(), "signup": _Contender()}
    first = count(0, REQUESTS)
    for number in range(-1, ROUNDS):
        for name in turned(list(each), number):
            before = cpu_seconds_in_all(process)
            answers = ask(port, name, first=next(first), requests=REQUESTS)
            each[name].rounds.append(_Round(cpu_seconds_in_all(process) - before, answers))
            _require_answered(answers, STATUS[name])
    return each["hello"], each["signup"]


def _require_answered(answers: Responses, status: int) -> None:
    if set(answers.statuses) != {status}:
        raise RuntimeError(f"not all were answered {status}: {answers.statuses}")


def _require_kept(folder: str, answered: int) -> None:
    """Raise RuntimeError unless every accepted sign-up left its request or its message, and was
    counted for its own network."""
    for what, query in KEPT.items():
        with closing(sqlite3.connect(Path(folder, FILE))) as file:
            found: int = file.execute(query).fetchone()[0]
        if found != answered:
            raise RuntimeError(f"{answered} sign-ups were answered, and {found} {what} are there")


# --- while digests are sent ----------------------------------------------------------------------


def _under_load(readers: int) -> list[Measured]:
    if lacks_peer("B10"):
        return []
    with (
        tempfile.TemporaryDirectory() as folder,
        near_sink(),
        _serving(folder, "load", readers) as (_, port),
    ):
        begin = time.monotonic()
        client = asking(port, "signup", first=0, pace=PACE)
        try:
            _until_sent(folder, readers)
            took = time.monotonic() - begin
        finally:
            answers = responses_of(client)
        _require_kept(folder, answers.statuses.get(STATUS["signup"], 0))
    said = f"at {PACE} a second while {readers:,} digests are published and sent in {took:.1f} s"
    fine = answers.statuses.get(STATUS["signup"], 0)
    return [
        Measured(
            id="B10",
            measure=f"p99 of {len(answers.each):,} sign-ups {said} "
            f"(p50 {1e3 * answers.percentile(0.5):.0f}, all {1e3 * max(answers.each):.0f})",
            value=1e3 * answers.percentile(0.99),
            bar=Bar("at most", 150),
            unit="ms",
        ),
        Measured(
            id="B10",
            measure="errors among them",
            value=len(answers.each) - fine,
            bar=Bar("at most", 0),
        ),
    ]


def _until_sent(folder: str, readers: int) -> None:
    query = "SELECT count(*) FROM deliveries WHERE state = 'sent'"
    end = time.monotonic() + MOST_SECONDS
    with closing(sqlite3.connect(Path(folder, FILE), isolation_level=None)) as file:
        while time.monotonic() < end:
            if file.execute(query).fetchone()[0] >= readers:
                return
            time.sleep(LOOK)
    raise RuntimeError(f"not sent after {MOST_SECONDS} s")


# --- the process that serves ---------------------------------------------------------------------


@contextmanager
def _serving(folder: str, mode: str, readers: int = 0) -> Iterator[tuple[int, int]]:
    """The process and its port, once it responds."""
    command = [sys.executable, "-m", "benchmarks.signing_up", folder, mode, str(readers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            yield program.pid, int(program.stdout.readline())
        finally:
            program.terminate()


def _serve(folder: str, mode: str, readers: int) -> None:
    home = _home(folder, FixedClock(NOW - timedelta(days=1)))
    if mode == "load":
        _prepare(home, readers)
    home = _home(folder, StartedClock(NOW))
    site = create_app(home)
    site.add_api_route(HELLO, _hello)
    site.router.routes.insert(0, site.router.routes.pop())
    minutes = Scheduler(home) if mode == "load" else None
    with socket.create_server(("127.0.0.1", 0)) as door:
        port: int = door.getsockname()[1]
        running = server(site, host="127.0.0.1", port=port, on_ready=lambda: _ready(port, minutes))
        freeze_startup_objects()
        running.run(sockets=[door])
    if minutes is not None:
        minutes.stop(drain_seconds=10)


def _ready(port: int, minutes: Scheduler | None) -> None:
    print(port, flush=True)
    if minutes is not None:
        minutes.start()


def _home(folder: str, clock: FixedClock | StartedClock) -> AppContext:
    settings = Settings(
        data_dir=Path(folder),
        smtp_url=f"smtp://127.0.0.1:{PORT}",
        smtp_connections=CONNECTIONS,
        enrich="off",
        public_url="http://localhost",
        trusted_proxies="127.0.0.1",
        rate_signup_domain=MANY,
        rate_signup_total=MANY,
    )
    return AppContext(settings, clock)


def _prepare(home: AppContext, readers: int) -> None:
    """Write papers, and readers with due times."""
    database = home.database
    assert isinstance(database, SqlDatabase)
    store(read_jsonl(as_jsonl(papers(PAPERS))), database)
    add_readers(readers, database, wish=lambda _: Preferences(), now=home.clock.now())
    plan_due(
        database=database,
        identity=home.identity,
        hours=Hours(hour=NOW.hour),
        now=home.clock.now() + timedelta(hours=2),
    )


def _hello() -> PlainTextResponse:
    return PlainTextResponse("hello, world")


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
