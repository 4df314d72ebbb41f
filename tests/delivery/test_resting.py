"""A relay that refuses us is left alone for a while."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from paperround.bootstrap.workers import send_digests
from paperround.db.transactions import SqlDatabase
from paperround.delivery.model import Envelope, Outcome, Phase, Reply
from paperround.delivery.rate_state import FIRST_REST, Pacing
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
    context = replace(post(crowd), mailer=mailer, clock=clock, pacing=Pacing())
    with caplog.at_level(logging.ERROR):
        for _ in range(50):
            send_digests(context, on_first=lambda: None)
            clock.moment += SECONDS
    asked = len(mailer.offered)
    assert asked <= 20
    [said] = [one.getMessage() for one in caplog.records]
    assert "sending stopped: the relay refuses our email" in said
    clock.moment = NOW + FIRST_REST
    send_digests(context, on_first=lambda: None)
    assert len(mailer.offered) > asked


def test_others_may_join_in_once_mail_leaves_and_not_where_none_does(crowd: SqlDatabase) -> None:
    joined, mailer = list[str](), ScriptedMailer(accepting)
    context = replace(post(crowd), mailer=mailer)
    for _ in range(2):  # the second time nothing is left: asking others would never end
        send_digests(context, on_first=lambda: joined.append(f"after {len(mailer.offered)}"))
    assert len(mailer.offered) == 60
    assert len(joined) == 1
