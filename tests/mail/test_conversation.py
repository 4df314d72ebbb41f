"""One session without a socket: what is said to it, and what it comes to."""

from dataclasses import replace

import pytest

from paperround.core.smtp_url import Relay, Tls
from paperround.delivery.model import Phase
from paperround.delivery.smtp.conversation import Conversation, Stopped, Timeouts

RELAY = Relay(host="relay.example", port=587, tls=Tls.STARTTLS, user="ada", password="secret")
PLAIN = replace(RELAY, tls=Tls.NONE, user="")


def begun(relay: Relay, *, sender: str = "") -> Conversation:
    talk = Conversation(relay, hostname="papers.example", timeouts=Timeouts(), sender=sender)
    talk.begin(0.0)
    return talk


def said(talk: Conversation, line: str) -> bytes:
    """What `talk` writes once the server has said `line`."""
    talk.receive(line.encode() + b"\r\n", 0.0)
    written = talk.output
    talk.flushed()
    return written


def test_a_session_opens_step_by_step_and_logs_in_under_tls_only() -> None:
    talk = begun(RELAY)
    assert said(talk, "220 hello") == b"EHLO papers.example\r\n"
    assert said(talk, "250-relay\r\n250-AUTH PLAIN\r\n250 STARTTLS") == b"STARTTLS\r\n"
    assert said(talk, "220 go ahead") == b""
    assert talk.wants_tls
    talk.protected(0.0)
    assert talk.output == b"EHLO papers.example\r\n"
    talk.flushed()
    assert said(talk, "250-relay\r\n250 AUTH PLAIN") == b"AUTH PLAIN AGFkYQBzZWNyZXQ=\r\n"
    assert not talk.is_open
    assert said(talk, "235 welcome") == b""
    assert talk.is_idle


@pytest.mark.parametrize(("answer", "code"), [("250 ok", None), ("553 5.1.8 not yours", 553)])
def test_a_session_that_only_asks_names_the_sender_and_nobody_else(
    answer: str, code: int | None
) -> None:
    talk = begun(PLAIN, sender="digest@papers.example")
    said(talk, "220 hello")
    assert said(talk, "250 relay") == b"MAIL FROM:<digest@papers.example>\r\n"
    assert said(talk, answer) == b""
    assert talk.is_idle == (code is None)
    assert [
        (event.phase, event.reply and event.reply.code)
        for event in talk.events
        if isinstance(event, Stopped)
    ] == [(Phase.MAIL, code)] * (code is not None)


def test_a_session_that_is_left_while_it_opens_has_not_failed() -> None:
    talk = begun(PLAIN)
    talk.leave()
    assert talk.over
    assert talk.events == []
