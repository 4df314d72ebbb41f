"""Mailgun: it signs a time and a token, and each token is good for one body."""

import json
from datetime import timedelta

import pytest

from paperround.bounces.model import ReportedEvents, ReportKind, ReturnedEvent
from paperround.core.errors import InvalidSignature
from paperround.delivery.model import Evidence
from paperround.plugins.bounce_hooks.mailgun import MailgunHook, Tokens, parse
from tests.builders import NOW
from tests.plugins.bounce_hooks.providers import (
    OURS,
    POLICY,
    READER,
    SIGNING_KEY,
    TAG,
    mailgun,
    mailgun_event,
    mailgun_proof,
)


def hook_of(*secrets: str) -> MailgunHook:
    return MailgunHook(secrets or (SIGNING_KEY,))


def heard(event: dict[str, object]) -> ReportedEvents:
    return parse(mailgun(event), now=NOW)


def failing(**status: object) -> dict[str, object]:
    """A failure about which the far end said something else."""
    event = mailgun_event()
    return {**event, "delivery-status": {**event["delivery-status"], **status}}


@pytest.mark.accept("F36", part="Mailgun")
def test_a_failure_names_our_mail_the_reader_and_what_was_said() -> None:
    assert heard(mailgun_event()).events == (
        ReturnedEvent(
            way="hook:mailgun",
            event_id="G9Bn5sl1TC6nu79C8C0bwg",
            kind=ReportKind.BOUNCE,
            evidence=Evidence.GONE,
            happened_at=NOW - timedelta(seconds=30),
            message_id=OURS,
            tag=TAG,
            recipient=READER,
            code="5.1.1",
            said="550 5.1.1 <(address)>: Recipient address rejected: User unknown",
        ),
    )


@pytest.mark.accept("F36", part="Mailgun")
@pytest.mark.parametrize(
    ("event", "evidence"),
    [
        (failing(message=""), Evidence.LIKELY_GONE),
        (failing(message=POLICY, **{"enhanced-code": "5.7.1"}), Evidence.PASSING),
        (failing(**{"bounce-type": "soft"}), Evidence.PASSING),
        (failing(message="", description="Mailbox is full"), Evidence.PASSING),
        ({**mailgun_event(), "reason": "generic"}, Evidence.PASSING),
        ({**mailgun_event(), "reason": "espblock"}, Evidence.PASSING),
        ({**mailgun_event(), "reason": "old"}, Evidence.PASSING),
        ({**mailgun_event(), "reason": "suppress-bounce"}, Evidence.LIKELY_GONE),
    ],
)
def test_only_a_bounce_whose_words_agree_says_that_an_address_is_gone(
    event: dict[str, object], evidence: Evidence
) -> None:
    [found] = heard(event).events
    assert (found.kind, found.evidence) == (ReportKind.BOUNCE, evidence)


@pytest.mark.accept("F36", part="Mailgun")
@pytest.mark.parametrize(
    ("event", "means"),
    [
        (mailgun_event("complained"), (ReportKind.COMPLAINT, Evidence.COMPLAINT)),
        (mailgun_event("unsubscribed"), (ReportKind.UNSUBSCRIBE, Evidence.NONE)),
        (mailgun_event(reason="suppress-complaint"), (ReportKind.COMPLAINT, Evidence.COMPLAINT)),
        (mailgun_event(reason="suppress-unsubscribe"), (ReportKind.UNSUBSCRIBE, Evidence.NONE)),
    ],
)
def test_complaints_and_those_who_leave_are_told_apart(
    event: dict[str, object], means: tuple[ReportKind, Evidence]
) -> None:
    [found] = heard(event).events
    assert (found.kind, found.evidence) == means


@pytest.mark.parametrize(
    "event",
    [
        mailgun_event(severity="temporary"),
        *(mailgun_event(name) for name in ("accepted", "delivered", "opened", "clicked", "new")),
        mailgun_event(id=None),
    ],
)
def test_what_tells_nothing_of_an_address_is_counted_and_ignored(event: dict[str, object]) -> None:
    assert heard(event) == ReportedEvents(ignored=1)


@pytest.mark.accept("F36", part="Mailgun")
@pytest.mark.parametrize("name", ["signature", "parent-signature"])
def test_what_one_of_the_keys_signed_is_heard(name: str) -> None:
    body = mailgun(mailgun_event(), mailgun_proof(name=name))
    assert hook_of("another-key-of-mailgun", SIGNING_KEY).hear(body, {}, now=NOW).events


@pytest.mark.accept("F36", part="Mailgun")
def test_what_was_altered_is_forged() -> None:
    good = mailgun_proof()
    proofs = [
        {**good, "timestamp": str(int(good["timestamp"]) + 1)},
        {**good, "token": "d" * 50},
        {
            **good,
            "token": good["timestamp"][-1] + good["token"],
            "timestamp": good["timestamp"][:-1],
        },
        {**good, "signature": good["signature"][:-1]},
        {**good, "signature": ""},
        {**good, "signature": "é"},
        mailgun_proof(key="a-key-of-a-stranger"),
        mailgun_proof(token="c" * 101),
        {},
    ]
    for proof in proofs:
        body = json.dumps({"signature": proof, "event-data": mailgun_event()}).encode()
        with pytest.raises(InvalidSignature):
            hook_of().hear(body, {}, now=NOW)
    with pytest.raises(InvalidSignature):
        MailgunHook(()).hear(mailgun(mailgun_event()), {}, now=NOW)


@pytest.mark.accept("F36", part="Mailgun")
@pytest.mark.parametrize("age", [timedelta(hours=10), timedelta(days=400), -timedelta(minutes=10)])
def test_what_was_signed_long_ago_or_will_be_is_forged(age: timedelta) -> None:
    body = mailgun(mailgun_event(), mailgun_proof(at=NOW - age))
    with pytest.raises(InvalidSignature, match="too old"):
        hook_of().hear(body, {}, now=NOW)


@pytest.mark.accept("F36", part="Mailgun")
def test_a_token_is_good_for_one_body_however_often_that_comes() -> None:
    hook = hook_of()
    delivered = mailgun(mailgun_event("delivered"))
    assert hook.hear(delivered, {}, now=NOW) == ReportedEvents(ignored=1)
    for event in (mailgun_event("complained"), mailgun_event("delivered", id="another")):
        with pytest.raises(InvalidSignature, match="token"):
            hook.hear(mailgun(event), {}, now=NOW)
    again = json.dumps(dict(reversed(json.loads(delivered).items())), indent=1).encode()
    assert hook.hear(again, {}, now=NOW + timedelta(hours=8)) == ReportedEvents(ignored=1)


def test_a_forged_body_takes_no_token() -> None:
    hook = hook_of()
    with pytest.raises(InvalidSignature):
        hook.hear(mailgun({"id": "x"}, {**mailgun_proof(), "signature": "0" * 64}), {}, now=NOW)
    assert hook.hear(mailgun(mailgun_event()), {}, now=NOW).events


def test_tokens_that_are_remembered_do_not_pile_up() -> None:
    tokens = Tokens(most=3)
    for number in range(10):
        tokens.require_own(str(number), b"1")
    tokens.require_own("0", b"2")
    with pytest.raises(InvalidSignature):
        tokens.require_own("9", b"2")


def test_no_key_shows_in_a_repr() -> None:
    assert SIGNING_KEY not in repr(hook_of())
