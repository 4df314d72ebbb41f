"""Schedulers, workers and a site on one PostgreSQL: real processes, stopped, killed and put to
sleep."""

import json
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import make_url, text

from tests.databases import PostgresServer, opened, postgres
from tests.faults import SmtpSink
from tests.story.command_line import SAMPLE, CommandLine
from tests.story.forked import Process
from tests.story.killing import planned_home
from tests.story.many import NAMED
from tests.story.processes import POLITE, PoliteSink, ended, running
from tests.story.serving import free_port
from tests.waiting import until

__all__ = ["postgres"]

READERS = 300
ASKED = (
    "SELECT slot FROM slots WHERE kind = 'beat' AND slot LIKE 'scheduler/%'"
    " AND taken_at = (SELECT max(taken_at) FROM slots WHERE kind = 'tick')"
)

ANSWERED_WITHIN = 10.0
"""Seconds within which a confirmation leaves, on a machine that is busy with other tests."""


@dataclass(frozen=True)
class Machines:
    """An installation of many machines, and a look at its tables."""

    home: CommandLine
    url: str

    def rows(self, statement: str) -> list[Any]:
        with opened(self.url) as engine, engine.connect() as connection:
            return list(connection.execute(text(statement)))

    def states(self) -> Counter[str]:
        return Counter(
            dict(map(tuple, self.rows("SELECT state, count(*) FROM deliveries GROUP BY 1")))
        )


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.created() as made:
        yield made


def machines(folder: Path, url: str, sink: SmtpSink, *, readers: int) -> Machines:
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    settings = {**NAMED, "SMTP_URL": sink.url, "DATABASE_URL": address}
    if readers:
        return Machines(planned_home(folder, settings, readers), url)
    home = CommandLine(folder, settings)
    home.run("db", "upgrade")
    home.run("ingest", "--file", str(SAMPLE / "page.txt"))
    return Machines(home, url)


def asked(port: int, path: str, body: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    """What a process answers; 0 while nobody listens."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        if body is None:
            connection.request("GET", path)
        else:
            head = {"Content-Type": "application/json"}
            connection.request("POST", path, json.dumps(body), head)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")
    except ConnectionError:
        return 0, {}
    finally:
        connection.close()


# --- asked to stop -------------------------------------------------------------------------------


@pytest.mark.accept("O4", part="a worker")
def test_a_worker_that_is_asked_to_stop_finishes_the_mails_in_hand(
    tmp_path: Path, url: str
) -> None:
    with PoliteSink(at=40) as sink:
        many = machines(tmp_path, url, sink, readers=READERS)
        with running(many.home, "worker") as process:
            sink.victim = process
            ended(process)
        assert sink.asked_at is not None
        assert monotonic() - sink.asked_at < POLITE
        taken = len(sink.messages)
        assert 40 <= taken < READERS
        assert many.states() == {"sent": taken, "queued": READERS - taken}
        many.home.run("deliver", "--until-empty")
        assert many.states() == {"sent": READERS}
        assert len({message.message_id for message in sink.messages}) == READERS
    assert many.rows("SELECT * FROM slots WHERE slot LIKE 'worker/%'") == []


@pytest.mark.accept("O4", part="a scheduler")
def test_a_scheduler_that_is_asked_to_stop_ends_at_once(tmp_path: Path, url: str) -> None:
    port = free_port()
    with SmtpSink() as sink:
        many = machines(tmp_path, url, sink, readers=0)
        with running(many.home, "scheduler", "--health", str(port)) as process:
            until(lambda: asked(port, "/readyz")[0] == 200, process=process)
            process.send_signal(signal.SIGTERM)
            err = ended(process)
    assert "this scheduler starts the periodic jobs" in err
    assert many.rows("SELECT * FROM slots WHERE slot LIKE 'scheduler/%'") == []
    assert {row[0] for row in many.rows("SELECT status FROM procrastinate_jobs")} == {"todo"}


# --- working together ----------------------------------------------------------------------------


@pytest.mark.quick
@pytest.mark.accept("F33", part="a confirmation over many machines")
@pytest.mark.accept("F47", part="a site and a worker")
def test_a_confirmation_leaves_within_seconds_though_nothing_ticks(
    tmp_path: Path, url: str
) -> None:
    """The row of the mail asks for its sender: no scheduler has to look."""
    port = free_port()
    with SmtpSink() as sink:
        many = machines(tmp_path, url, sink, readers=0)
        with (
            running(many.home, "serve", "--web-only", "--port", str(port)) as site,
            running(many.home, "worker", "--queues", "notices"),
        ):
            until(lambda: asked(port, "/healthz")[0] == 200, process=site)
            status, answer = asked(port, "/readyz")
            assert (status, "paperround scheduler" in answer["status"]) == (503, True)
            until(lambda: worker_is_heard(port), process=site)
            began = monotonic()
            assert asked(port, "/api/v1/subscriptions", {"email": "ada@example.org"})[0] == 202
            until(lambda: len(sink.messages) == 1, process=site)
            assert monotonic() - began < ANSWERED_WITHIN


def worker_is_heard(port: int) -> bool:
    return bool(asked(port, "/readyz")[1].get("workers") == 1)


@pytest.mark.accept("F47", part="three roles make a whole")
def test_a_scheduler_a_site_and_two_workers_are_ready_together(tmp_path: Path, url: str) -> None:
    port = free_port()
    with SmtpSink() as sink:
        many = machines(tmp_path, url, sink, readers=0)
        with (
            running(many.home, "serve", "--web-only", "--port", str(port)) as site,
            running(many.home, "scheduler"),
            running(many.home, "worker", "--queues", "notices,mail"),
            running(many.home, "worker", "--queues", "posts,editions,papers,upkeep"),
        ):
            until(lambda: asked(port, "/readyz")[0] == 200, process=site)
            answer = asked(port, "/readyz")[1]
            assert (answer["schedulers"], answer["workers"]) == (1, 2)
            assert {one["workers"] for one in answer["queues"].values()} == {1}


@pytest.mark.accept("F47", part="one process on PostgreSQL")
def test_one_process_on_postgresql_is_a_whole_installation(tmp_path: Path, url: str) -> None:
    port = free_port()
    with SmtpSink() as sink:
        many = machines(tmp_path, url, sink, readers=20)
        with running(many.home, "serve", "--port", str(port)) as site:
            until(lambda: asked(port, "/readyz")[0] == 200, process=site)
            until(lambda: len(sink.messages) == 20, process=site)
            site.terminate()
            ended(site)
    assert many.states() == {"sent": 20}


@pytest.mark.accept("R4", part="a worker is killed")
def test_what_a_killed_worker_had_in_hand_is_sent_by_another(tmp_path: Path, url: str) -> None:
    with PoliteSink(at=40) as sink:
        many = machines(tmp_path, url, sink, readers=READERS)
        with running(many.home, "worker") as first:
            until(lambda: len(sink.messages) >= 40, process=first)
            first.kill()
        with running(many.home, "worker") as second, running(many.home, "scheduler"):
            until(lambda: not set(many.states()) - {"sent", "unknown"}, process=second)
        found = many.states()
    assert found["sent"] + found["unknown"] == READERS
    assert found["unknown"] <= int(NAMED["SMTP_CONNECTIONS"])
    assert max(Counter(one.message_id for one in sink.messages).values()) == 1
    assert len(sink.messages) >= found["sent"]


# --- schedulers in the long form -----------------------------------------------------------------


def ticks(many: Machines) -> list[tuple[str, Any]]:
    """The periods that were asked for, and when."""
    found = many.rows("SELECT slot, taken_at FROM slots WHERE kind = 'tick' ORDER BY taken_at")
    return [(row[0], row[1]) for row in found]


def await_tick(many: Machines, crowd: list[Process]) -> Process:
    """The scheduler that asked for the next period: it looked and took it at one instant."""
    before = len(ticks(many))
    pids: list[int] = []

    def look() -> bool:
        pids[:] = [int(row[0].rpartition("/")[2]) for row in many.rows(ASKED)]
        return len(ticks(many)) > before and bool(pids)

    until(look, process=crowd[-1])
    return next(one for one in crowd if one.pid == pids[0])


@pytest.mark.long
@pytest.mark.accept("T6", part="the leader is killed, and put to sleep")
def test_a_leader_that_is_killed_or_asleep_is_replaced_within_a_minute(
    tmp_path: Path, url: str
) -> None:
    with SmtpSink() as sink:
        many = machines(tmp_path, url, sink, readers=0)
        with (
            running(many.home, "scheduler") as first,
            running(many.home, "scheduler") as second,
            running(many.home, "scheduler") as third,
            running(many.home, "worker", "--queues", "upkeep") as bystander,
        ):
            crowd = [first, second, third, bystander]
            await_tick(many, crowd).kill()
            await_tick(many, crowd)
            sleeper = await_tick(many, crowd)
            sleeper.send_signal(signal.SIGSTOP)
            await_tick(many, crowd)
            assert await_tick(many, crowd) is not sleeper
            sleeper.send_signal(signal.SIGCONT)
            await_tick(many, crowd)
    moments = [at for _, at in ticks(many)]
    assert max((later - at).total_seconds() for at, later in pairwise(moments)) <= 60
    assert len({period for period, _ in ticks(many)}) == len(moments)
