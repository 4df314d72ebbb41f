"""SendGrid: events that are signed together with their time."""

import json
from datetime import timedelta
from typing import Any

import pytest

from paperround.bounces.model import ReportedEvents, ReportKind, ReturnedEvent
from paperround.core.errors import InvalidSignature
from paperround.delivery.model import Evidence
from paperround.plugins.bounce_hooks.sendgrid import SIGNATURE, TIMESTAMP, SendGridHook, parse
from tests.builders import NOW
from tests.plugins.bounce_hooks.providers import (
    OURS,
    POLICY,
    READER,
    ec_key,
    sendgrid_event,
    sendgrid_headers,
)

BODY = json.dumps([sendgrid_event()]).encode()
KEYS = [ec_key(name).public_key() for name in ("before", "sendgrid")]
HOOK = SendGridHook(KEYS)


def heard(*events: object) -> ReportedEvents:
    return parse(json.dumps(events).encode(), now=NOW)


@pytest.mark.accept("F36", part="SendGrid")
def test_a_bounce_names_our_mail_the_reader_and_what_was_said() -> None:
    assert heard(sendgrid_event()).events == (
        ReturnedEvent(
            way="hook:sendgrid",
            event_id="ZGVtby1bounce",
            kind=ReportKind.BOUNCE,
            evidence=Evidence.GONE,
            happened_at=NOW - timedelta(minutes=1),
            message_id=OURS,
            recipient=READER,
            code="5.1.1",
            said="550 5.1.1 <(address)>: Recipient address rejected: User unknown",
        ),
    )


@pytest.mark.accept("F36", part="SendGrid")
@pytest.mark.parametrize(
    ("fields", "evidence"),
    [
        ({"reason": ""}, Evidence.LIKELY_GONE),
        ({"reason": POLICY, "status": "5.7.1"}, Evidence.PASSING),
        ({"type": "blocked"}, Evidence.PASSING),
        ({"type": "expired", "reason": ""}, Evidence.PASSING),
        ({"type": "something new"}, Evidence.PASSING),
        ({"reason": "552 5.2.2 mailbox full", "status": "5.2.2"}, Evidence.PASSING),
    ],
)
def test_only_a_bounce_whose_words_agree_says_that_an_address_is_gone(
    fields: dict[str, Any], evidence: Evidence
) -> None:
    [event] = heard(sendgrid_event(**fields)).events
    assert (event.kind, event.evidence) == (ReportKind.BOUNCE, evidence)


@pytest.mark.accept("F36", part="SendGrid")
@pytest.mark.parametrize(
    ("event", "reason", "means"),
    [
        ("dropped", "Bounced Address", (ReportKind.BOUNCE, Evidence.LIKELY_GONE)),
        ("dropped", "Invalid", (ReportKind.BOUNCE, Evidence.LIKELY_GONE)),
        ("dropped", "Spam Reporting Address", (ReportKind.COMPLAINT, Evidence.COMPLAINT)),
        ("dropped", "Unsubscribed Address", (ReportKind.UNSUBSCRIBE, Evidence.NONE)),
        ("spamreport", "", (ReportKind.COMPLAINT, Evidence.COMPLAINT)),
        ("unsubscribe", "", (ReportKind.UNSUBSCRIBE, Evidence.NONE)),
        ("group_unsubscribe", "", (ReportKind.UNSUBSCRIBE, Evidence.NONE)),
    ],
)
def test_complaints_and_those_who_leave_are_told_apart(
    event: str, reason: str, means: tuple[ReportKind, Evidence]
) -> None:
    [found] = heard(sendgrid_event(event, reason=reason)).events
    assert (found.kind, found.evidence) == means


def test_of_a_batch_the_events_about_addresses_are_taken_and_the_others_counted() -> None:
    names = ("processed", "delivered", "deferred", "open", "click", "group_resubscribe", "new")
    others = [sendgrid_event(name) for name in names]
    others.append(sendgrid_event("dropped", reason="Spam Content (if spam checker app enabled)"))
    found = heard(*others, sendgrid_event(), 7, None, [[]], {"event": "bounce"})
    assert [one.kind for one in found.events] == [ReportKind.BOUNCE]
    assert found.ignored == len(others) + 4
    assert heard() == ReportedEvents(ignored=1)


@pytest.mark.accept("F36", part="SendGrid")
@pytest.mark.parametrize("name", ["sendgrid", "before"])
def test_what_one_of_the_keys_signed_is_heard(name: str) -> None:
    headers = sendgrid_headers(BODY, key=ec_key(name))
    assert HOOK.hear(BODY, headers, now=NOW).events
    late = NOW + timedelta(hours=24)
    assert HOOK.hear(BODY, headers, now=late).events


@pytest.mark.accept("F36", part="SendGrid")
def test_what_was_altered_is_forged() -> None:
    good = sendgrid_headers(BODY)
    forged = [
        (BODY + b" ", good),
        (BODY.replace(b"ada", b"bob"), good),
        (BODY, {}),
        (BODY, {**good, TIMESTAMP: str(int(good[TIMESTAMP]) + 1)}),
        (BODY, {**good, TIMESTAMP: good[TIMESTAMP] + ".0"}),
        (BODY, {**good, TIMESTAMP: f" {good[TIMESTAMP]}"}),
        (BODY, {**good, SIGNATURE: good[SIGNATURE][:-4]}),
        (BODY, {**good, SIGNATURE: ""}),
        (BODY, {**good, SIGNATURE: "\xff"}),
        (BODY, sendgrid_headers(b"")),
        (BODY, sendgrid_headers(BODY, key=ec_key("a stranger's"))),
    ]
    for body, headers in forged:
        with pytest.raises(InvalidSignature):
            HOOK.hear(body, headers, now=NOW)


@pytest.mark.accept("F36", part="SendGrid")
@pytest.mark.parametrize("age", [timedelta(hours=26), timedelta(days=400), -timedelta(minutes=10)])
def test_what_was_signed_long_ago_or_will_be_is_forged(age: timedelta) -> None:
    headers = sendgrid_headers(BODY, at=NOW - age)
    with pytest.raises(InvalidSignature, match="too old"):
        HOOK.hear(BODY, headers, now=NOW)


@pytest.mark.parametrize("stamped", ["", "x", "9" * 400, "-1", "nan", "inf", "1e999", "\xb2"])
def test_a_time_that_is_none_is_forged(stamped: str) -> None:
    with pytest.raises(InvalidSignature):
        HOOK.hear(BODY, {**sendgrid_headers(BODY), TIMESTAMP: stamped}, now=NOW)
