"""Whatever a request holds: no parser raises, and what is kept of it names nobody."""

import json
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.bounces.model import ReportedEvents
from paperround.plugins.bounce_hooks import mailgun, postmark, sendgrid, ses
from paperround.plugins.bounce_hooks.fields import code_of, message_id, storable, tag_of
from tests.builders import NOW
from tests.plugins.bounce_hooks.providers import (
    SENDER,
    TAG,
    mailgun_event,
    postmark_bounce,
    postmark_change,
    sendgrid_event,
    ses_bounce,
    ses_complaint,
)
from tests.plugins.bounce_hooks.providers import mailgun as mailgun_body

Parse = Callable[..., ReportedEvents]
PARSERS: tuple[Parse, ...] = (ses.parse, postmark.parse, sendgrid.parse, mailgun.parse)


def notification(told: object) -> bytes:
    message = {"Type": "Notification", "MessageId": "1", "Message": json.dumps(told)}
    return json.dumps(message).encode()


def plain(told: object) -> bytes:
    return json.dumps(told).encode()


GOOD: tuple[tuple[Parse, Callable[[Any], bytes], Any], ...] = (
    (ses.parse, notification, ses_bounce()),
    (ses.parse, notification, ses_complaint()),
    (postmark.parse, plain, postmark_bounce()),
    (postmark.parse, plain, postmark_change("HardBounce")),
    (sendgrid.parse, plain, [sendgrid_event()]),
    (mailgun.parse, mailgun_body, mailgun_event()),
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(["\ud800", "\0", "9" * 4000, "a@b@c", "0001-01-01T00:00:00+23:59", 1e999]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every field of a value, however deep: who holds it, and under what name."""
    if isinstance(value, dict):
        pairs: list[tuple[Any, Any]] = list(value.items())
    else:
        pairs = list(enumerate(value)) if isinstance(value, list) else []
    return [place for name, inner in pairs for place in [(value, name), *places(inner)]]


def usable(event_id: str, happened_at: datetime, *texts: str) -> bool:
    """Whether a database takes it."""
    return (
        0 < len(event_id) <= 160
        and happened_at <= NOW
        and not any(unicodedata.category(one) == "Cc" for text in texts for one in text)
        and all(text.encode() is not None for text in (event_id, *texts))
    )


@pytest.mark.accept("F36", part="hostile")
@pytest.mark.parametrize("parse", PARSERS)
@given(body=st.binary(max_size=300))
def test_no_body_raises(parse: Parse, body: bytes) -> None:
    found = parse(body, now=NOW)
    assert found.ignored + len(found.events) > 0


@pytest.mark.accept("F36", part="hostile")
@given(case=st.sampled_from(GOOD), value=VALUES, data=st.data())
def test_no_field_of_another_shape_raises_or_gets_through(
    case: tuple[Parse, Callable[[Any], bytes], Any], value: object, data: st.DataObject
) -> None:
    parse, written, good = case
    told = json.loads(json.dumps(good))
    holder, name = data.draw(st.sampled_from(places(told)))
    holder[name] = value
    found = parse(written(told), now=NOW)
    assert found.ignored + len(found.events) > 0
    for one in found.events:
        assert usable(one.event_id, one.happened_at, one.said, one.code, one.message_id)


@pytest.mark.accept("F36", part="hostile")
@pytest.mark.parametrize("case", GOOD, ids=lambda case: case[0].__module__.rpartition(".")[2])
def test_no_text_that_a_database_refuses_gets_through(
    case: tuple[Parse, Callable[[Any], bytes], Any],
) -> None:
    parse, written, good = case
    for number in range(len(places(good))):
        told = json.loads(json.dumps(good))
        holder, name = places(told)[number]
        holder[name] = "a\ud800\0b@c"
        for one in parse(written(told), now=NOW).events:
            texts = (one.event_id, one.recipient, one.message_id, one.tag, one.code, one.said)
            assert "\0" not in "".join(texts).encode().decode()


@pytest.mark.accept("F36", part="hostile")
@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 500_000,
        b'{"a":' * 100_000,
        b'{"Type": "Notification", "MessageId": "1", "Message": "' + b"[" * 100_000 + b'"}',
        b'{"RecordType": ' + b"9" * 5000 + b"}",
        b'[{"event": "bounce"},' + b"{}," * 100_000 + b"{}]",
        b"\xff\xfe[\x00]\x00",
        b"\xef\xbb\xbf[]",
        b"NaN",
        b"",
    ],
    ids=["lists", "objects", "inside", "digits", "items", "utf-16", "bom", "nan", "empty"],
)
def test_a_body_as_deep_or_as_long_as_it_may_be_is_ignored(parse: Parse, body: bytes) -> None:
    assert parse(body, now=NOW).events == ()


@pytest.mark.accept("P1", part="provider's words")
@pytest.mark.parametrize(
    "words",
    [
        "550 5.1.1 <ada@mail.example>: unknown",
        "550 ada@mail.example... no such user",
        "550 RCPT TO:<ada@mail.example> failed",
        'smtp; 550 "ada@mail.example" unknown',
        "550 mailbox=ada@mail.example;ada@mail.example",
        "550 ADA@MAIL.EXAMPLE,ada+x@mail.example",
    ],
)
def test_what_is_kept_of_a_servers_words_holds_no_address(words: str) -> None:
    said = storable(words)
    assert "@" not in said
    assert "ada" not in said.lower()
    assert said.startswith("550 ")
    assert len(storable(words * 100)) <= 300


@pytest.mark.parametrize(
    ("status", "words", "code"),
    [
        ("5.1.1", "550 5.7.1 no", "5.1.1"),
        ("", "550 5.7.1 no", "5.7.1"),
        ("none", "smtp; 421 later", "421"),
        ("", "from 10.5.1.1 or 5.1.1.9", ""),
        ("", "", ""),
    ],
)
def test_the_code_is_the_one_that_was_stated_or_the_first_in_the_words(
    status: str, words: str, code: str
) -> None:
    assert code_of(status, words) == code


def test_names_of_mails_are_written_as_ours_are() -> None:
    assert message_id(" a@b ") == message_id("<a@b>") == "<a@b>"
    assert message_id("a") == message_id("a b@c") == message_id("x" * 300 + "@b") == ""


def test_only_what_looks_like_our_signature_is_a_tag() -> None:
    assert tag_of(SENDER) == tag_of(SENDER.upper()) == tag_of(f"Name <{SENDER}>") == TAG
    for other in ("digest@x.example", "digest+news@x.example", f"{TAG}@x.example", TAG, ""):
        assert tag_of(other) == ""
    assert tag_of(SENDER.replace("+", "+a")) == ""
