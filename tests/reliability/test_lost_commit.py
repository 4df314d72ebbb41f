"""The line to PostgreSQL fails at a COMMIT: of a mark, and of what the relay said.

Nobody can know then whether it counted. A mail whose mark is in doubt gets no dot, and stays to be
sent; an answer that was heard is written down again, and counts once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import pytest

from paperround.bootstrap.mail import mailer_for
from paperround.core.errors import DatabaseFailed
from paperround.core.interfaces import Worker
from paperround.db import engine as engines
from paperround.db.schema.tables import metadata
from paperround.db.transactions import RETRY_WAITS, SqlDatabase
from paperround.delivery.ledger_model import LedgerTotals
from paperround.digests.model import DigestMail
from paperround.digests.sending import DeliveryContext, deliver
from paperround.editions.store.lists import ListStore
from tests.databases import run_on
from tests.delivery.delivering import post
from tests.delivery.publishing import send
from tests.fakes import Neighbours, PlainRenderer
from tests.faults import Late, Say, SmtpSink
from tests.reliability.accounts import books, require_balance
from tests.reliability.bad_lines import server_of, through
from tests.reliability.mindful import MindfulSink
from tests.reliability.proxy import Proxy, Tripwire
from tests.sample_database import NOW, fill, record, subscribe

READERS = ("ada", "alan", "grace")
ME = Worker(host="here", pid=1, started="boot/1")
HEARD = pytest.mark.parametrize("heard", [False, True], ids=["commit lost", "answer lost"])


class Headed(PlainRenderer):
    """Says at the head of each mail what it is called."""

    def compose(self, mail: DigestMail) -> bytes:
        return f"Message-ID: {mail.message_id}\r\n".encode() + super().compose(mail)


@dataclass(frozen=True)
class Installation:
    """A sender whose line to the database can be cut; its books are read without it."""

    line: Proxy
    database: SqlDatabase
    url: str

    def sender(self, sink: SmtpSink, *, dead: frozenset[int] = frozenset()) -> DeliveryContext:
        """One connection, so that the next COMMIT after a stage is known."""
        mailer = mailer_for(sink.url, connections=1, hostname="papers.example")
        me = replace(ME, pid=2) if dead else ME
        one = post(self.database)
        return replace(
            one, mailer=mailer, renderer=Headed(), processes=Neighbours(me, dead=set(dead))
        )

    def count(self, which: str, table: str = "deliveries") -> int:
        """How many rows there are of which a condition holds."""
        with engines.opened(self.url) as engine, engine.connect() as connection:
            counted = f"SELECT count(*) FROM {table} WHERE {which}"
            return int(connection.exec_driver_sql(counted).scalar_one())

    def settle(self, sink: SmtpSink, *, in_doubt: int) -> dict[str, int]:
        """The books balance; how many rows are in which state."""
        arrived = [message.message_id for message in sink.messages]
        assert len(arrived) == len(set(arrived))
        with engines.opened(self.url) as engine:
            found = books(engine)
        names = {one.name: 0 for one in found.all}
        for entry in found.all:
            names[entry.name] = arrived.count(entry.message_id)
        require_balance(found, planned=len(found.digests), arrived=names, in_doubt=in_doubt)
        return {state: found.count(state) for state in ("sent", "unknown", "failed")}


@pytest.fixture
def installation(postgres_url: str) -> Iterator[Installation]:
    """Three mails planned on a PostgreSQL behind a line."""
    with Proxy(server_of(postgres_url)) as line, opened(through(line, postgres_url)) as database:
        with database.writing() as work:
            work[ListStore].ensure_default(zone="UTC", now=NOW)
        fill(database, [record(1)])
        subscribe(database, *READERS)
        send(database)
        yield Installation(line, database, postgres_url)
    run_on(
        postgres_url,
        "; ".join(f"DELETE FROM {one.name}" for one in reversed(metadata.sorted_tables)),
    )


@contextmanager
def opened(url: str) -> Iterator[SqlDatabase]:
    with engines.opened(url) as engine:
        yield SqlDatabase(engine)


def lose(installation: Installation, heard: bool, *, for_good: bool = False) -> None:
    installation.line.trip(Tripwire(b"COMMIT\0", heard=heard, unplugs=for_good))


@pytest.mark.accept("R3", part="a lost commit of a mark")
@pytest.mark.accept("R2", part="a lost commit")
@HEARD
def test_a_mail_whose_mark_is_in_doubt_gets_no_dot_and_is_sent_later(
    installation: Installation, heard: bool
) -> None:
    with MindfulSink("data", lambda: lose(installation, heard)) as sink:
        one = installation.sender(sink)
        with pytest.raises(DatabaseFailed):
            deliver(one)
        assert sink.messages == [], "no dot without a mark that is known to count"
        assert deliver(one).totals == LedgerTotals(sent=len(READERS))
        assert installation.settle(sink, in_doubt=0)["sent"] == len(READERS)


@pytest.mark.accept("R2", part="a lost commit")
@HEARD
def test_one_whose_sender_then_dies_is_not_lost_silently(
    installation: Installation, heard: bool
) -> None:
    """Where the mark counts, nobody who comes after can know that there was no dot."""
    with MindfulSink("data", lambda: lose(installation, heard, for_good=True)) as sink:
        with pytest.raises(DatabaseFailed):
            deliver(installation.sender(sink))
        assert sink.messages == []
        installation.line.plug_in()
        deliver(installation.sender(sink, dead=frozenset({ME.pid})))
        found = installation.settle(sink, in_doubt=1)
    assert found["unknown"] == int(heard)
    assert found["sent"] == len(READERS) - int(heard)


@pytest.mark.accept("R3", part="a lost commit of an answer")
@pytest.mark.accept("R2", part="a lost commit")
@HEARD
def test_an_answer_whose_commit_is_in_doubt_is_written_down_again(
    installation: Installation, heard: bool
) -> None:
    """The commit is that of the answer to the first mail, and of the next one's mark."""
    with MindfulSink("dot", lambda: lose(installation, heard)) as sink:
        one = installation.sender(sink)
        with pytest.raises(DatabaseFailed):
            deliver(one)
        assert installation.count("state = 'sent' AND attempts = 1") == len(sink.messages) == 1
        assert installation.count("state IN ('claimed', 'in_data')") == 0
        assert deliver(one).totals == LedgerTotals(sent=len(READERS))
        assert installation.settle(sink, in_doubt=0)["sent"] == len(READERS)
    assert installation.count("attempts = 1") == len(READERS)


@pytest.mark.accept("R2", part="a lost commit")
@HEARD
def test_a_refusal_that_is_written_down_again_counts_once_against_the_reader(
    installation: Installation, heard: bool
) -> None:
    """It is written down once the last email was accepted, with a COMMIT of its own."""
    refusal, lost = Say("550 5.1.1 no such user"), partial(lose, installation, heard)
    with MindfulSink("dot", lost, after=1, rcpt=[refusal]) as sink:
        one = installation.sender(sink)
        deliver(one)
        assert installation.line.lost == 1
        deliver(one)
        assert installation.settle(sink, in_doubt=0) == {"sent": 2, "unknown": 0, "failed": 1}
    assert installation.count("state = 'failed' AND attempts = 1") == 1
    assert installation.count("TRUE", table="returned") == 1


@pytest.mark.accept("R2", part="a lost commit")
def test_an_answer_heard_while_the_database_is_away_is_written_down_when_it_is_back(
    installation: Installation,
) -> None:
    naps: list[float] = []

    def nap(seconds: float) -> bool:
        naps.append(seconds)
        if len(naps) == 3:
            installation.line.plug_in()
        return False

    with MindfulSink("dot", lambda: lose(installation, heard=False, for_good=True)) as sink:
        one = replace(installation.sender(sink), wait=nap)
        with pytest.raises(DatabaseFailed):
            deliver(one)
        assert installation.count("state = 'sent'") == len(sink.messages) == 1
        assert installation.count("state = 'queued'") == 2
        assert naps == list(RETRY_WAITS[:3])


@pytest.mark.accept("R2", part="a long outage")
def test_all_that_were_at_their_dots_when_the_line_broke_are_heard(
    installation: Installation,
) -> None:
    """A mail is under way on each connection; one is taken and one refused a while after."""
    late = [None, Late(0.2), Late(0.4, Say("554 5.6.0 looks like spam"))]
    with MindfulSink("dot", installation.line.pull_the_plug, dot=late) as sink:
        mailer = mailer_for(sink.url, connections=len(READERS), hostname="papers.example")
        one = replace(installation.sender(sink), mailer=mailer)
        with pytest.raises(DatabaseFailed):
            deliver(one)
        assert installation.count("state = 'in_data'") > 0
        installation.line.plug_in()
        deliver(one)
        found = installation.settle(sink, in_doubt=0)
    assert found == {"sent": 2, "unknown": 0, "failed": 1}


@pytest.mark.accept("R2", part="a lost commit")
def test_a_database_that_stays_away_is_waited_for_once(installation: Installation) -> None:
    naps: list[float] = []

    def nap(seconds: float) -> bool:
        naps.append(seconds)
        return False

    with MindfulSink("dot", lambda: lose(installation, heard=False, for_good=True)) as sink:
        with pytest.raises(DatabaseFailed):
            deliver(replace(installation.sender(sink), wait=nap))
        assert naps == list(RETRY_WAITS)
        installation.line.plug_in()
        deliver(installation.sender(sink, dead=frozenset({ME.pid})))
        found = installation.settle(sink, in_doubt=1)
    assert found == {"sent": 2, "unknown": 1, "failed": 0}
