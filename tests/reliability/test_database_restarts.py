"""PostgreSQL is restarted under traffic, and nobody restarts Paperround for it.

A site that also ticks and sends serves readers, takes sign-ups and their confirmations. Its
database is stopped again and again, in order and in the middle of everything. Until it is back
requests are refused, quickly; then they are answered again, by the same process.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from functools import partial
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import func, select

from paperround.db import engine as engines
from paperround.db.schema import tables as db
from paperround.delivery.outbox import file_name
from paperround.subscribers.model import SubscriberState
from tests.databases import PostgresServer
from tests.faults import SmtpSink
from tests.reliability.accounts import books, require_balance
from tests.reliability.bad_lines import server_of, through
from tests.reliability.fleet import EXPECTED, home_in, surprises
from tests.reliability.installation import SETTINGS, durable_server, prepare
from tests.reliability.proxy import Proxy
from tests.reliability.restarts import PATIENCE, is_over, served
from tests.story.command_line import CLOCK
from tests.story.forked import Process
from tests.story.serving import free_port
from tests.waiting import until

RECOVERED = 5.0
"""Seconds after which every request is answered again, counted from the database's return."""

LONGEST = 15.0
"""Seconds that a request may take meanwhile, whatever its answer."""

UNLIMITED = {f"RATE_SIGNUP_{what}": "off" for what in ("ADDRESS", "IP", "NET", "DOMAIN", "TOTAL")}
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
LINK = re.compile(r"/confirm/([\w-]{40})")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with durable_server() as found:
        yield found


@dataclass(frozen=True)
class Answer:
    """What a visitor heard (0: nothing at all), and when."""

    what: str
    status: int
    began: float
    ended: float


@dataclass
class Traffic:
    """Visitors of a site who read, sign up and confirm, each kind in a thread of its own."""

    port: int
    sink: SmtpSink
    answers: list[Answer] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    confirmed: set[str] = field(default_factory=set)
    stopping: Event = field(default_factory=Event)
    _links: dict[str, str] = field(default_factory=dict)
    _opened: int = 0

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """While this lasts."""
        threads = [
            Thread(target=self._go_on, args=(do,)) for do in (self._read, self._join, self._agree)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            for thread in threads:
                thread.join()

    def ask(self, what: str, path: str, body: str | None = None, kind: str = FORM) -> int:
        """Ask for a page, or post a body, and keep how that was answered."""
        began = time.monotonic()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(
                "GET" if body is None else "POST", path, body, {"Content-Type": kind}
            )
            status = connection.getresponse().status
        except OSError:
            status = 0
        finally:
            connection.close()
        self.answers.append(Answer(what, status, began, time.monotonic()))
        return status

    def _go_on(self, do: Callable[[int], None]) -> None:
        for number in count():
            if self.stopping.wait(0.05):
                return
            do(number)

    def _read(self, number: int) -> None:
        self.ask("read", ("/", "/search?q=paper", "/editions")[number % 3])

    def _join(self, number: int) -> None:
        email = f"newcomer{number}@example.org"
        body = json.dumps({"email": email})
        if self.ask("sign up", "/api/v1/subscriptions", body, JSON) == 202:
            self.taken.append(email)

    def _agree(self, _: int) -> None:
        self.confirm()

    def confirm(self) -> bool:
        """Use the link of every confirmation that came and was not used yet; whether everybody
        who was mailed one, or whose sign-up was taken, is confirmed now.

        A sign-up that was refused can be mailed one: the database can stop after it kept the
        row and before it said so.
        """
        links = self.links()
        for email, token in links.items():
            if email not in self.confirmed and self.ask("confirm", f"/confirm/{token}", "") == 200:
                self.confirmed.add(email)
        return self.confirmed >= {*self.taken, *links}

    def links(self) -> dict[str, str]:
        """The token that each newcomer was mailed."""
        for mail in self.sink.messages[self._opened :]:
            self._opened += 1
            read = message_from_bytes(mail.content, policy=policy.default)
            body = read.get_body(("plain",))
            match = LINK.search(body.get_content()) if body is not None else None
            if match is not None:
                self._links[mail.recipients[0]] = match[1]
        return self._links

    def answered(self, what: str, *, since: float) -> Answer | None:
        """The first good answer to what was asked after `since`."""
        good = (one for one in list(self.answers) if one.what == what and one.status in (200, 202))
        return next((one for one in good if one.began >= since), None)


def survive(server: PostgresServer, folder: Path, *, restarts: int, readers: int) -> None:
    """The site outlives so many restarts of its database, and loses no sign-up and no digest."""
    assert server.crash is not None
    assert server.restart is not None
    port, log = free_port(), folder / "log"
    with server.created() as url, SmtpSink() as sink, Proxy(server_of(url)) as line:
        prepare(url, folder / "data", readers=readers, now=CLOCK.now())
        reached = {
            "DATABASE_URL": through(line, url),
            "SMTP_URL": sink.url,
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
        }
        traffic = Traffic(port, sink)
        with served(home_in(folder, SETTINGS | UNLIMITED | reached), port, log) as process:
            until(lambda: traffic.ask("start", "/healthz") == 200, process=process)
            until(lambda: len(sink.messages) > 0, process=process)
            with traffic.flowing():
                back = time.monotonic()
                for number in range(restarts):
                    for what in ("read", "sign up"):
                        until(
                            partial(traffic.answered, what, since=back),
                            process=process,
                        )
                    (server.crash if number % 2 else server.restart)()
                    back = time.monotonic()
                    require_recovery(process, traffic, back)
            until(traffic.confirm, process=process)
            until(
                lambda: is_over(url, readers + len(traffic.confirmed)),
                process=process,
            )
        require_order(traffic, log.read_text())
        require_everybody(url, traffic, readers)


def require_recovery(process: Process, traffic: Traffic, back: float) -> None:
    """Soon after the database is back requests are answered as before."""
    for what in ("read", "sign up"):
        answer = until(partial(traffic.answered, what, since=back), process=process)
        assert answer.ended - back <= RECOVERED, f"{what}: {answer.ended - back:.1f} s"


def require_order(traffic: Traffic, log: str) -> None:
    """Nobody waited for long, and nobody heard anything but a yes or that it is not ready."""
    answers = [one for one in traffic.answers if one.what != "start"]
    odd = [one for one in answers if one.status not in (200, 202, 503)]
    assert not odd, odd
    slowest = max(answers, key=lambda one: one.ended - one.began)
    assert slowest.ended - slowest.began <= LONGEST, slowest
    assert all(error in EXPECTED for error in surprises(log)), log


def require_everybody(url: str, traffic: Traffic, readers: int) -> None:
    """Whoever confirmed is active and has one digest, and nobody was mailed anything twice."""
    people = readers + len(traffic.confirmed)
    subjects = Counter(one.message_id for one in traffic.sink.messages)
    assert set(subjects.values()) == {1}
    active = select(func.count()).where(db.subscriptions.c.state == SubscriberState.ACTIVE)
    with engines.opened(url) as engine, engine.connect() as connection:
        assert connection.execute(active).scalar_one() == people
    with engines.opened(url) as engine:
        taken = {file_name(message_id): 1 for message_id in subjects}
        require_balance(books(engine), planned=people, arrived=taken, in_doubt=0)


@pytest.mark.early
@pytest.mark.accept("D11")
def test_a_database_that_is_restarted_is_met_again_by_the_same_process(
    server: PostgresServer, tmp_path: Path, long_form: bool
) -> None:
    survive(server, tmp_path, restarts=20 if long_form else 3, readers=200 if long_form else 30)
