"""A relay that refuses us is left alone for a while."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from paperround.bootstrap.workers import PAUSE, BackoffSender
from paperround.db.transactions import SqlDatabase
from paperround.delivery.model import Envelope, Outcome, Phase, Reply
from tests.delivery.delivering import post
from tests.delivery.publishing import send
from tests.fakes import ScriptedMailer, accepting
from tests.sample_database import NOW, fill, record, subscribe

SECONDS = timedelta(seconds=5)


@dataclass
class Clock:
    """Stands where it is put."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


def refused(envelope: Envelope) -> Outcome:
    return Outcome(id=envelope.id, phase=Phase.MAIL, reply=Reply(550, "5.7.26", "no"))


@pytest.fixture
def crowd(database: SqlDatabase) -> SqlDatabase:
    fill(database, [record(1)])
    subscribe(database, *(f"reader{n}" for n in range(60)))
    send(database)
    return database


@pytest.mark.postgres
@pytest.mark.accept("R14", part="rest")
def test_a_relay_that_refuses_us_is_asked_again_after_a_rest(
    crowd: SqlDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    clock, mailer = Clock(), ScriptedMailer(refused)
    sending = BackoffSender(lambda: replace(post(crowd), mailer=mailer, clock=clock), clock)
    with caplog.at_level(logging.ERROR):
        for _ in range(50):
            sending.send()
            clock.moment += SECONDS
    asked = len(mailer.offered)
    assert asked <= 20
    [said] = [one.getMessage() for one in caplog.records]
    assert "sending rests for 5 minutes: the relay refuses our mail" in said
    clock.moment = NOW + PAUSE
    sending.send()
    assert len(mailer.offered) > asked


def test_a_rest_does_not_last_longer_when_the_clock_is_put_back(crowd: SqlDatabase) -> None:
    clock, mailer = Clock(), ScriptedMailer(refused)
    sending = BackoffSender(lambda: replace(post(crowd), mailer=mailer, clock=clock), clock)
    sending.send()
    clock.moment -= timedelta(hours=1)
    sending.send()
    asked = len(mailer.offered)
    clock.moment = NOW + PAUSE
    sending.send()
    assert len(mailer.offered) > asked


def test_where_all_goes_well_there_is_no_rest(crowd: SqlDatabase) -> None:
    clock, mailer = Clock(), ScriptedMailer(accepting)
    sending = BackoffSender(lambda: replace(post(crowd), mailer=mailer, clock=clock), clock)
    sending.send()
    subscribe(crowd, "late")
    send(crowd)
    sending.send()
    assert len(mailer.offered) == 61


def test_others_may_join_in_once_mail_leaves_and_not_where_none_does(crowd: SqlDatabase) -> None:
    clock, joined = Clock(), list[str]()
    mailer = ScriptedMailer(accepting)
    sending = BackoffSender(
        lambda: replace(post(crowd), mailer=mailer, clock=clock),
        clock,
        on_first=lambda: joined.append(f"after {len(mailer.offered)}"),
    )
    sending.send()
    assert len(mailer.offered) == 60
    sending.send()  # nothing is left: asking others would never end
    assert len(joined) == 1
