"""Postmark: a secret instead of a signature, and what its webhooks say."""

import json
from datetime import UTC, datetime

import pytest

from paperround.bounces.model import ReportedEvents, ReportKind, ReturnedEvent
from paperround.core.errors import InvalidSignature
from paperround.delivery.model import Evidence
from paperround.plugins.bounce_hooks.postmark import PostmarkHook, parse
from tests.builders import NOW
from tests.plugins.bounce_hooks.providers import (
    GONE,
    POLICY,
    READER,
    SECRET,
    basic,
    postmark_bounce,
    postmark_change,
)

HOOK = PostmarkHook(("the-secret-before-this-one", SECRET))


def heard(body: object) -> ReportedEvents:
    return parse(json.dumps(body).encode(), now=NOW)


def only(body: object) -> ReturnedEvent:
    [event] = heard(body).events
    return event


@pytest.mark.accept("F36", part="Postmark")
def test_a_bounce_names_the_reader_and_what_was_said() -> None:
    assert only(postmark_bounce()) == ReturnedEvent(
        way="hook:postmark",
        event_id="692560173",
        kind=ReportKind.BOUNCE,
        evidence=Evidence.GONE,
        happened_at=datetime(2026, 3, 2, 7, 0, 9, 510231, tzinfo=UTC),
        recipient=READER,
        code="5.1.1",
        said="550 5.1.1 <(address)>: Recipient address rejected: User unknown",
    )


@pytest.mark.accept("F36", part="Postmark")
@pytest.mark.parametrize(
    ("kind", "words", "evidence"),
    [
        ("HardBounce", "", Evidence.LIKELY_GONE),
        ("HardBounce", f"smtp;{POLICY}", Evidence.PASSING),
        ("HardBounce", "smtp;552 5.2.2 mailbox full", Evidence.PASSING),
        ("BadEmailAddress", "", Evidence.LIKELY_GONE),
        ("SoftBounce", f"smtp;{GONE}", Evidence.PASSING),
        ("Transient", "smtp;421 4.7.0 later", Evidence.PASSING),
        ("SpamNotification", "", Evidence.PASSING),
        ("Blocked", f"smtp;{GONE}", Evidence.PASSING),
        ("DnsError", "", Evidence.PASSING),
        ("SomethingNew", "", Evidence.PASSING),
    ],
)
def test_only_a_hard_bounce_whose_words_agree_says_that_an_address_is_gone(
    kind: str, words: str, evidence: Evidence
) -> None:
    event = only(postmark_bounce(kind, words))
    assert (event.kind, event.evidence) == (ReportKind.BOUNCE, evidence)


@pytest.mark.parametrize(
    ("kind", "means"),
    [
        ("SpamComplaint", (ReportKind.COMPLAINT, Evidence.COMPLAINT)),
        ("AutoResponder", (ReportKind.AUTO_REPLY, Evidence.AUTO_REPLY)),
        ("AddressChange", (ReportKind.AUTO_REPLY, Evidence.AUTO_REPLY)),
        ("Unsubscribe", (ReportKind.UNSUBSCRIBE, Evidence.NONE)),
    ],
)
def test_what_is_no_bounce_is_told_apart(kind: str, means: tuple[ReportKind, Evidence]) -> None:
    event = only(postmark_bounce(kind))
    assert (event.kind, event.evidence) == means
    in_a_bounce = only({**postmark_bounce(kind), "RecordType": "Bounce"})
    assert (in_a_bounce.kind, in_a_bounce.evidence) == means


@pytest.mark.accept("F36", part="Postmark")
@pytest.mark.parametrize(
    ("reason", "origin", "means"),
    [
        ("HardBounce", "Recipient", (ReportKind.BOUNCE, Evidence.LIKELY_GONE)),
        ("SpamComplaint", "Recipient", (ReportKind.COMPLAINT, Evidence.COMPLAINT)),
        ("ManualSuppression", "Recipient", (ReportKind.UNSUBSCRIBE, Evidence.NONE)),
        ("ManualSuppression", "Customer", None),
        ("ManualSuppression", "Admin", None),
        ("SomethingNew", "Recipient", None),
    ],
)
def test_an_address_that_is_mailed_no_more_says_why(
    reason: str, origin: str, means: tuple[ReportKind, Evidence] | None
) -> None:
    found = heard(postmark_change(reason, origin)).events
    assert [(one.kind, one.evidence) for one in found] == ([] if means is None else [means])
    assert heard(postmark_change(reason, origin, off=False)) == ReportedEvents(ignored=1)


def test_the_same_change_has_the_same_name_and_another_one_another() -> None:
    first, again = only(postmark_change("HardBounce")), only(postmark_change("HardBounce"))
    assert first.event_id == again.event_id
    assert READER not in first.event_id
    other = only({**postmark_change("HardBounce"), "ChangedAt": "2026-03-02T07:20:01Z"})
    assert other.event_id != first.event_id


@pytest.mark.parametrize("kind", ["Delivery", "Open", "Click", "Inbound", "SomethingNew", ""])
def test_other_kinds_are_counted_and_ignored(kind: str) -> None:
    assert heard({**postmark_bounce(), "RecordType": kind}) == ReportedEvents(ignored=1)


@pytest.mark.accept("F36", part="Postmark")
@pytest.mark.parametrize(
    "headers",
    [
        basic(SECRET),
        basic(SECRET, name=""),
        {"x-paperround-secret": SECRET},
        basic("the-secret-before-this-one"),
    ],
)
def test_who_shows_the_secret_is_heard(headers: dict[str, str]) -> None:
    assert HOOK.hear(json.dumps(postmark_bounce()).encode(), headers, now=NOW).events


@pytest.mark.accept("F36", part="Postmark")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic(""),
        basic(SECRET + "x"),
        basic(SECRET[:-1]),
        basic(SECRET.upper()),
        basic("x", name=SECRET),
        {"authorization": f"Bearer {SECRET}"},
        {"authorization": f"Basic {SECRET}"},
        {"authorization": "Basic \xff\xfe"},
        {"authorization": "Basic //4="},
        {"x-paperround-secret": f"{SECRET} "},
        {"x-paperround-secret": "\xff"},
        {"x-paperround-secret": f"the-secret-before-this-one,{SECRET}"},
        {"x-paperround-secret": "wrong", **basic(SECRET)},
    ],
)
def test_who_does_not_show_it_is_not(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidSignature):
        HOOK.hear(json.dumps(postmark_bounce()).encode(), headers, now=NOW)


def test_no_secret_shows_in_a_repr() -> None:
    assert SECRET not in repr(HOOK)
