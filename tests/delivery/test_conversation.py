"""One session without a socket: what is said to it, and what it comes to."""

from dataclasses import replace

import pytest

from paperround.core.smtp_url import Relay, Tls
from paperround.delivery.model import Phase
from paperround.delivery.smtp.conversation import Conversation, Stopped, Timeouts

RELAY = Relay(host="relay.example", port=587, tls=Tls.STARTTLS, user="ada", password="secret")
PLAIN = replace(RELAY, tls=Tls.NONE, user="")


def begun(relay: Relay, *, sender: str = "") -> Conversation:
    conversation = Conversation(
        relay, hostname="papers.example", timeouts=Timeouts(), sender=sender
    )
    conversation.connected(0.0)
    return conversation


def said(conversation: Conversation, line: str) -> bytes:
    """What `talk` writes once the server has said `line`."""
    conversation.receive(line.encode() + b"\r\n", 0.0)
    written = conversation.output
    conversation.flushed()
    return written


def test_a_session_opens_step_by_step_and_logs_in_under_tls_only() -> None:
    conversation = begun(RELAY)
    assert said(conversation, "220 hello") == b"EHLO papers.example\r\n"
    assert said(conversation, "250-relay\r\n250-AUTH PLAIN\r\n250 STARTTLS") == b"STARTTLS\r\n"
    assert said(conversation, "220 go ahead") == b""
    assert conversation.wants_tls
    conversation.tls_started(0.0)
    assert conversation.output == b"EHLO papers.example\r\n"
    conversation.flushed()
    assert said(conversation, "250-relay\r\n250 AUTH PLAIN") == b"AUTH PLAIN AGFkYQBzZWNyZXQ=\r\n"
    assert not conversation.is_open
    assert said(conversation, "235 welcome") == b""
    assert conversation.is_idle


@pytest.mark.parametrize(("answer", "code"), [("250 ok", None), ("553 5.1.8 not yours", 553)])
def test_a_session_that_only_asks_names_the_sender_and_nobody_else(
    answer: str, code: int | None
) -> None:
    conversation = begun(PLAIN, sender="digest@papers.example")
    said(conversation, "220 hello")
    assert said(conversation, "250 relay") == b"MAIL FROM:<digest@papers.example>\r\n"
    assert said(conversation, answer) == b""
    assert conversation.is_idle == (code is None)
    assert [
        (event.phase, event.reply and event.reply.code)
        for event in conversation.events
        if isinstance(event, Stopped)
    ] == [(Phase.MAIL, code)] * (code is not None)


def test_a_session_that_is_left_while_it_opens_has_not_failed() -> None:
    conversation = begun(PLAIN)
    conversation.drop()
    assert conversation.over
    assert conversation.events == []
