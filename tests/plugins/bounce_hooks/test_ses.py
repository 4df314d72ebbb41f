"""Bounces and complaints of Amazon SES, as it words them."""

import json
from datetime import UTC, datetime

import pytest

from paperround.bounces.model import ReportedEvents, ReportKind, ReturnedEvent
from paperround.delivery.model import Evidence
from paperround.plugins.bounce_hooks.ses import parse
from tests.builders import NOW
from tests.plugins.bounce_hooks.providers import (
    GONE,
    OURS,
    POLICY,
    READER,
    TAG,
    confirmation,
    ses_bounce,
    ses_complaint,
    ses_mail,
    sns,
)


def heard(message: object) -> ReportedEvents:
    return parse(json.dumps(sns(message)).encode(), now=NOW)


def only(message: object) -> ReturnedEvent:
    [event] = heard(message).events
    return event


@pytest.mark.accept("F36", part="SES")
@pytest.mark.parametrize("named", ["notificationType", "eventType"])
def test_both_forms_of_a_bounce_name_our_mail_the_reader_and_what_was_said(named: str) -> None:
    event = only(ses_bounce(named=named))
    assert event == ReturnedEvent(
        way="hook:ses",
        event_id="0107018f-aaaa-bbbb-cccc-ddddeeeeffff-000000",
        kind=ReportKind.BOUNCE,
        evidence=Evidence.GONE,
        happened_at=datetime(2026, 3, 2, 7, 0, 9, tzinfo=UTC),
        message_id=OURS,
        tag=TAG,
        recipient=READER,
        code="5.1.1",
        said="550 5.1.1 <(address)>: Recipient address rejected: User unknown",
    )


@pytest.mark.accept("F36", part="SES")
@pytest.mark.parametrize(
    ("kind", "part", "words", "status", "evidence"),
    [
        ("Permanent", "General", f"smtp; {GONE}", "5.1.1", Evidence.GONE),
        ("Permanent", "NoEmail", None, None, Evidence.GONE),
        ("Permanent", "General", None, None, Evidence.LIKELY_GONE),
        ("Permanent", "General", f"smtp; {POLICY}", "5.7.1", Evidence.PASSING),
        ("Permanent", "NoEmail", f"smtp; {POLICY}", "5.1.1", Evidence.PASSING),
        ("Permanent", "General", "smtp; 552 5.2.2 Mailbox full", "5.2.2", Evidence.PASSING),
        ("Permanent", "Suppressed", "Amazon SES has suppressed it", "5.1.1", Evidence.LIKELY_GONE),
        ("Permanent", "OnAccountSuppressionList", None, "5.1.1", Evidence.LIKELY_GONE),
        ("Permanent", "SomethingNew", f"smtp; {GONE}", "5.1.1", Evidence.PASSING),
        ("Transient", "General", f"smtp; {GONE}", "5.1.1", Evidence.PASSING),
        ("Transient", "MailboxFull", None, None, Evidence.PASSING),
        ("Transient", "ContentRejected", "smtp; 554 5.6.0 no", "5.6.0", Evidence.PASSING),
        ("Undetermined", "Undetermined", None, None, Evidence.PASSING),
        ("Undetermined", "Undetermined", f"smtp; {GONE}", "5.1.1", Evidence.LIKELY_GONE),
        ("SomethingNew", "", None, None, Evidence.PASSING),
    ],
)
def test_the_words_of_the_far_end_count_more_than_the_type_that_ses_gives(
    kind: str, part: str, words: str | None, status: str | None, evidence: Evidence
) -> None:
    event = only(ses_bounce(kind, part, words, status=status))
    assert (event.kind, event.evidence) == (ReportKind.BOUNCE, evidence)


def test_a_note_of_absence_is_no_bounce() -> None:
    event = only(ses_bounce("Transient", "General", None, status=None))
    assert (event.kind, event.evidence) == (ReportKind.AUTO_REPLY, Evidence.AUTO_REPLY)


@pytest.mark.accept("F36", part="SES")
@pytest.mark.parametrize("kind", ["abuse", "Fraud", "opt-out", None])
def test_a_complaint_is_one_also_where_its_type_was_not_told(kind: str | None) -> None:
    event = only(ses_complaint(kind))
    assert (event.kind, event.evidence) == (ReportKind.COMPLAINT, Evidence.COMPLAINT)
    assert (event.recipient, event.tag, event.message_id) == (READER, TAG, OURS)


@pytest.mark.parametrize("kind", ["auth-failure", "virus", "other"])
def test_reports_about_our_mail_are_nobodys_complaint(kind: str) -> None:
    event = only(ses_complaint(kind))
    assert (event.kind, event.evidence) == (ReportKind.REPORT, Evidence.NONE)


@pytest.mark.parametrize(
    "message",
    [
        ses_complaint("not-spam"),
        {"notificationType": "Delivery", "delivery": {}, "mail": ses_mail()},
        {"eventType": "DeliveryDelay", "deliveryDelay": {}, "mail": ses_mail()},
        {"eventType": "Open", "open": {}, "mail": ses_mail()},
        "Successfully validated SNS topic for Amazon SES event publishing.",
        {"eventType": "Bounce", "bounce": {"bouncedRecipients": ["x", 7]}},
        {"eventType": "Bounce", "bounce": "none"},
        [[]],
    ],
)
def test_what_tells_nothing_of_an_address_is_counted_and_ignored(message: object) -> None:
    assert [one for one in heard(message).events if one.recipient] == []


def test_a_delivery_is_counted_as_ignored() -> None:
    assert heard({"notificationType": "Delivery"}) == ReportedEvents(ignored=1)
    assert parse(json.dumps(confirmation()).encode(), now=NOW) == ReportedEvents(ignored=1)


def test_who_left_by_the_link_of_ses_leaves_with_the_next_mail() -> None:
    left = only(ses_bounce("Permanent", "UnsubscribedRecipient"))
    assert (left.kind, left.evidence) == (ReportKind.UNSUBSCRIBE, Evidence.NONE)


def test_of_several_recipients_none_is_taken_for_the_reader_of_the_mail() -> None:
    message = ses_bounce()
    message["bounce"]["bouncedRecipients"] *= 2
    first, second = heard(message).events
    assert first.event_id != second.event_id
    assert {first.tag, second.tag, first.message_id} == {""}
    message["bounce"]["bouncedRecipients"] *= 100
    assert len(heard(message).events) == 20


def test_an_event_that_happens_in_the_future_happened_now() -> None:
    message = ses_bounce()
    for said in ("2999-01-01T00:00:00Z", "0001-01-01T00:00:00+23:00", "soon", 1e999, None, True):
        message["bounce"]["timestamp"] = said
        assert only(message).happened_at <= NOW
