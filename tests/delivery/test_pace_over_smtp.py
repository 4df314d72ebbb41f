"""Rates and connections as a relay sees them: by the moments at which mails come."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Event

import pytest

from paperround.bootstrap.mail import mailer_for
from paperround.core.clock import StartedClock
from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.rate_state import (
    Pacing,
    parse_domain_pace,
)
from paperround.digests.sending import deliver
from tests.delivery.delivering import post
from tests.delivery.pace import LostTime, WatchfulSink, most_within, subscribe_at
from tests.delivery.publishing import send
from tests.faults import Say, SmtpSink
from tests.sample_database import NOW, fill, record

FAST = ("one.example", "two.example", "three.example", "four.example")
SLOW = "slow.example"
EACH = 12
TOMORROW = NOW + timedelta(days=1)

NOISE = 0.15
"""Seconds that a busy machine may lose over a run."""

SECOND = 1 - 0.1
"""What a rate is measured over: a busy machine may bring a mail a tenth of a second late."""


def planned(database: SqlDatabase, readers: Mapping[str, int]) -> None:
    fill(database, [record(1)])
    for domain, count in readers.items():
        subscribe_at(database, domain, count)
    send(database)


def planned_anew(database: SqlDatabase, readers: Mapping[str, int]) -> None:
    """The digests of the next day."""
    fill(database, [record(2)], TOMORROW)
    for domain, count in readers.items():
        subscribe_at(database, domain, count)
    send(database, days=1)


def sent(
    database: SqlDatabase, sink: WatchfulSink, pacing: Pacing, now: datetime = NOW
) -> LedgerTotals:
    stopping = Event()
    one = replace(
        post(database),
        mailer=mailer_for(sink.url, connections=20, hostname="papers.example"),
        clock=StartedClock(now),
        pacing=pacing,
        stopping=stopping.is_set,
        wait=stopping.wait,
    )
    return deliver(one).totals


def took(sink: WatchfulSink) -> float:
    """Seconds until the last of the fast domains had all its mails."""
    return max(sink.times[domain][-1] for domain in FAST) - sink.all_times[0]


@pytest.mark.postgres
@pytest.mark.accept("R9")
def test_no_domain_gets_more_than_its_rate_and_a_slow_one_delays_no_other(
    database: SqlDatabase,
) -> None:
    pacing = Pacing(domains=parse_domain_pace("8/s"), connections=2)
    planned(database, dict.fromkeys(FAST, EACH))
    with WatchfulSink() as alone:
        assert sent(database, alone, pacing) == LedgerTotals(sent=4 * EACH)
    planned_anew(database, {SLOW: 10, **dict.fromkeys(FAST, EACH)})
    with WatchfulSink({SLOW: 0.4}) as beside, LostTime() as lost:
        sent(database, beside, pacing, now=TOMORROW)
    assert len(beside.messages) == 4 * EACH + 10
    for sink in (alone, beside):
        assert all(most_within(sink.times[domain], SECOND) <= 8 for domain in FAST)
        assert all(most <= 2 for most in sink.most_at_once.values())
    assert beside.most_at_once[SLOW] == 2
    assert took(beside) <= took(alone) * 1.1 + NOISE + lost.seconds


@dataclass
class Storm:
    """So many mails go well, and then each is refused for what we are."""

    calm: int
    refused: int = 0

    def __iter__(self) -> Iterator[Say | None]:
        yield from [None] * self.calm
        while True:
            self.refused += 1
            yield Say("550 5.7.26 unauthenticated mail is not accepted")


@pytest.mark.postgres
@pytest.mark.accept("R14", part="mails in hand")
@pytest.mark.parametrize("stage", ["rcpt", "dot"])
@pytest.mark.parametrize("connections", [10, 20])
def test_a_storm_ends_with_the_dots_that_are_open(
    database: SqlDatabase, stage: str, connections: int
) -> None:
    planned(database, {"one.example": 150})
    storm = Storm(calm=40)
    with SmtpSink({stage: storm}, offers=("PIPELINING",)) as sink:
        one = replace(
            post(database),
            mailer=mailer_for(sink.url, connections=connections, hostname="papers.example"),
        )
        report = deliver(one)
    assert report.stopped is not None
    assert "policy-refusal" in report.stopped
    assert storm.refused <= 10 + connections
    assert report.totals.sent == len(sink.messages) <= 40
    assert report.totals.deferred == storm.refused
    assert report.totals.unknown == 0
