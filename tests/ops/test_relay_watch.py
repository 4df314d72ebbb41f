"""A relay that dies while no email is due, and an alert that does not need it."""

import json
import logging
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from paperround.bootstrap.mail import why_unreached
from paperround.config import Settings
from paperround.db.slots import SlotStore
from paperround.db.transactions import SqlDatabase
from paperround.delivery.model import Outcome, Phase, Reply
from paperround.delivery.rate_limits import unreached
from paperround.delivery.store.rates import PaceStore
from paperround.delivery.system_mail_model import Alert
from paperround.editions.model import DeliveryId
from paperround.http.model import FetchRequest
from paperround.ops.alerts import EPISODE_GAP
from paperround.ops.tick import AlertHook, publish_round
from tests.listening import Listener
from tests.ops.ticking import DAY, HOUR, MINUTE, Nobody, send, tick_context
from tests.sample_database import NOW, fill, record, subscribe

DEAD = "no-session: refused: Connection refused"
REFUSED = Outcome(id=DeliveryId(1), phase=Phase.MAIL, reply=Reply(550, "5.7.1", "no"))


class Watched:
    """An installation whose relay answers or is dead, and which looks at it every minute."""

    def __init__(self, database: SqlDatabase) -> None:
        self.now, self.reason = NOW, ""
        self.looks, self.posted = list[datetime](), list[Alert]()
        self.context = replace(
            tick_context(database), why_unreached=self.look, post_alert=self.posted.append
        )

    def look(self) -> str:
        self.looks.append(self.now)
        return self.reason

    def wait(self, duration: timedelta, step: timedelta = MINUTE) -> list[str]:
        """Let time pass; returns what was posted meanwhile."""
        until, before = self.now + duration, len(self.posted)
        while self.now < until:
            self.now += step
            publish_round(self.context, now=self.now)
        return [one.subject for one in self.posted[before:]]


@pytest.mark.postgres
@pytest.mark.accept("O10", part="noticed")
def test_a_dead_relay_is_told_within_five_minutes_though_no_mail_is_due(
    database: SqlDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(database)
    assert watched.wait(10 * MINUTE) == []
    assert len(watched.looks) == 3
    watched.reason = DEAD
    assert watched.wait(5 * MINUTE) == ["The relay cannot be reached: refused: Connection refused"]
    with database.reading() as work:
        assert unreached(work, now=watched.now) == DEAD
    assert watched.wait(DAY, 5 * MINUTE) == [watched.posted[0].subject]  # once a day
    watched.reason = ""
    assert watched.wait(9 * MINUTE) == []
    assert watched.wait(6 * MINUTE) == [f"Over: {watched.posted[0].subject}"]
    assert watched.wait(EPISODE_GAP, 5 * MINUTE) == []
    with database.reading() as work:
        assert unreached(work, now=watched.now) is None
    warned = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert warned == ["the relay cannot be reached: refused: Connection refused"]


@pytest.mark.accept("O10", part="noticed")
def test_a_problem_that_comes_back_after_it_was_over_is_told_again(database: SqlDatabase) -> None:
    watched = Watched(database)
    for _ in range(2):
        watched.reason = DEAD
        assert [one[:4] for one in watched.wait(6 * MINUTE)] == ["The "]
        watched.reason = ""
        assert [one[:4] for one in watched.wait(16 * MINUTE)] == ["Over"]


@pytest.mark.accept("O10", part="noticed")
def test_no_session_is_opened_just_after_email_left_unless_the_relay_was_dead(
    database: SqlDatabase,
) -> None:
    fill(database, [record(1)], NOW - HOUR)
    subscribe(database, "ada")
    watched = Watched(database)
    publish_round(watched.context, now=NOW + MINUTE)
    watched.now = datetime(2026, 1, 31, 7, tzinfo=UTC)
    publish_round(watched.context, now=watched.now)
    watched.now += MINUTE * 3
    assert send(database, now=watched.now) == ["ada@example.org"]
    watched.looks.clear()
    watched.wait(4 * MINUTE)  # 07:05 among them
    assert watched.looks == []
    watched.now -= MINUTE * 4
    with database.writing() as work:
        work[PaceStore].note_session(DEAD, now=watched.now)
        work[SlotStore].give_back("relay", "2026-01-31T07:05")
    watched.wait(4 * MINUTE)
    assert len(watched.looks) == 1


def test_no_session_is_opened_while_one_email_probes_the_relay(database: SqlDatabase) -> None:
    watched = Watched(database)
    with database.writing() as work:
        work[PaceStore].record_outcomes([REFUSED] * 10, now=NOW)
        assert work[PaceStore].relay().is_probing
    watched.wait(6 * MINUTE)
    assert watched.looks == []


class Greeter(Listener):
    """A relay that opens a session and notes the commands."""

    heard = b""

    def hang_up(self) -> None:
        """None is open: each ends with its QUIT."""

    def meet(self, client: socket.socket) -> None:
        with client, client.makefile("rwb") as talk:
            for answer in (b"220 relay.example", b"250 relay.example", b"221 bye"):
                talk.write(answer + b"\r\n")
                talk.flush()
                self.heard += talk.readline()


@pytest.mark.accept("O10", part="noticed")
def test_a_session_is_opened_without_naming_a_sender_and_a_closed_port_is_the_reason() -> None:
    with Greeter("relay") as relay:
        settings = Settings(smtp_url=f"smtp://127.0.0.1:{relay.port}")
        assert why_unreached(settings) == ""
        second = Settings(smtp_url=f"smtp://127.0.0.1:1,smtp://127.0.0.1:{relay.port}")
        assert why_unreached(second) == ""
    said = sorted(one[:4] for one in relay.heard.splitlines())
    assert said == [b"EHLO", b"EHLO", b"QUIT", b"QUIT"]
    assert (why_unreached(settings) or "").startswith("no-session: network: ")
    assert why_unreached(Settings()) is None


class Service(Nobody):
    """Takes what is posted."""

    def __init__(self) -> None:
        self.sent: list[FetchRequest] = []

    def get(self, request: FetchRequest):  # type: ignore[no-untyped-def]
        self.sent.append(request)


@pytest.mark.accept("O10", part="another way")
def test_an_alert_is_posted_as_json_and_a_failure_is_only_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    alert, service = Alert(key="a/b", subject="Late", lines=("Why.",)), Service()
    AlertHook("https://chat.example/hook", service).post(alert)
    AlertHook(None, service).post(alert)
    [sent] = service.sent
    assert sent.content is not None
    assert json.loads(sent.content) == {
        "key": "a/b",
        "subject": "Late",
        "lines": ["Why."],
        "text": "Late\nWhy.",
    }
    AlertHook("https://chat.example/hook", Nobody()).post(alert)
    assert "an alert could not be posted" in caplog.text
    assert "chat.example" not in caplog.text
