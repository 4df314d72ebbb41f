"""Amazon SES: bounces and complaints that it publishes to a topic of Amazon SNS.

Both of its forms are read: feedback notifications of an identity (`notificationType`) and events of
a configuration set (`eventType`). Written from "Amazon SNS notification contents for Amazon SES"
and "Contents of event data that SES publishes", with invented values in the tests.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from paperround.bounces.model import ReportedEvents, ReportKind, ReturnedEvent
from paperround.delivery.model import Evidence
from paperround.http.model import HttpClient
from paperround.plugins.bounce_hooks.fields import (
    HookFields,
    bare,
    code_of,
    evidence_of_failure,
    message_id,
    parse_json,
    storable,
    tag_of,
)
from paperround.plugins.bounce_hooks.sns import (
    CONFIRMATION,
    NOTIFICATION,
    Authority,
    topic_of,
)

WAY = "hook:ses"
MOST_RECIPIENTS = 20
"""Recipients of a message that are read. Our messages have one."""

_SUPPRESSED = frozenset({"Suppressed", "OnAccountSuppressionList"})
"""SES did not try to deliver: it knows from an earlier message, maybe not ours."""
_LEFT = "UnsubscribedRecipient"
_NAMING = frozenset({"General", "NoEmail"})
_ABUSE = frozenset({"", "abuse", "fraud", "opt-out", "opt-out-list"})
"""Types of reports that are complaints; SES leaves the type out if the provider does."""
_PRAISE = "not-spam"

Meaning = tuple[ReportKind, Evidence]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SesHook:
    """Accepts messages that SNS signed for the configured topics, and confirms their
    subscriptions."""

    authority: Authority

    def hear(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> ReportedEvents:  # noqa: ARG002 - proves by its body
        """Return the events of a request; raise InvalidSignature, or FetchFailed if SNS does not
        answer."""
        message = parse_json(body)
        topic = self.authority.topic_of(message, now=now)
        if message.text("Type") == CONFIRMATION:
            self.authority.confirm(message, topic)
            log.info("the subscription of the SES topic is confirmed")
        return parse(body, now=now)


def parse(body: bytes, *, now: datetime) -> ReportedEvents:
    """Return the events of a message of SNS; never raises."""
    message = parse_json(body)
    if message.text("Type") != NOTIFICATION:
        return ReportedEvents(ignored=1)
    inner = message.inner("Message").value
    told = (
        parse_json(inner.encode("utf-8", "replace")) if isinstance(inner, str) else HookFields(None)
    )
    events = tuple(_events(told, message.text("MessageId")[:64], now))
    return ReportedEvents(events=events, ignored=0 if events else 1)


def _events(told: HookFields, name: str, now: datetime) -> Iterator[ReturnedEvent]:
    match told.text("eventType") or told.text("notificationType"):
        case "Bounce":
            block, who = told.inner("bounce"), "bouncedRecipients"
        case "Complaint":
            block, who = told.inner("complaint"), "complainedRecipients"
        case _:
            return
    recipients = block.inner(who).items()[:MOST_RECIPIENTS]
    for place, recipient in enumerate(recipients):
        meaning = _complaint(block) if who.startswith("c") else _bounce(block, recipient)
        if meaning is not None and name:
            mail = told.inner("mail") if len(recipients) == 1 else HookFields(None)
            identity = block.text("feedbackId")[:100] or name
            event_id = f"{identity}:{place}" if place else identity
            yield _event(block, recipient, mail, meaning, event_id, now)


def _event(
    block: HookFields,
    recipient: HookFields,
    mail: HookFields,
    meaning: Meaning,
    event_id: str,
    now: datetime,
) -> ReturnedEvent:
    """Return one event. `mail` is empty for several recipients: it would name one of them."""
    words = recipient.text("diagnosticCode")
    # Our Message-ID: SES replaces it in the message, and keeps the original here.
    usual = mail.inner("commonHeaders").text("messageId")
    given = (
        one.text("value")
        for one in mail.inner("headers").items()
        if one.text("name").lower() == "message-id"
    )
    return ReturnedEvent(
        way=WAY,
        event_id=event_id,
        kind=meaning[0],
        evidence=meaning[1],
        happened_at=block.moment("timestamp", now=now),
        message_id=message_id(next(given, "") or usual),
        tag=tag_of(mail.text("source")),
        recipient=recipient.text("emailAddress"),
        code=code_of(recipient.text("status"), words),
        said=storable(words or f"{block.text('bounceType')} {block.text('bounceSubType')}"),
    )


def _bounce(block: HookFields, recipient: HookFields) -> Meaning | None:
    kind, part = block.text("bounceType"), block.text("bounceSubType")
    words, status = recipient.text("diagnosticCode"), recipient.text("status")
    match kind:
        case "Permanent" if part == _LEFT:
            return ReportKind.UNSUBSCRIBE, Evidence.NONE
        case "Permanent" if part in _SUPPRESSED:
            return ReportKind.BOUNCE, Evidence.LIKELY_GONE
        case "Permanent":
            return ReportKind.BOUNCE, _permanent(part, words, status)
        case "Transient" if not words and not status and part == "General":
            # An out-of-office reply: it comes without a delivery report.
            return ReportKind.AUTO_REPLY, Evidence.AUTO_REPLY
        case "Transient":
            return ReportKind.BOUNCE, Evidence.PASSING
        case _:
            found = evidence_of_failure(words, status=status, most=Evidence.LIKELY_GONE)
            return ReportKind.BOUNCE, found


def _permanent(part: str, words: str, status: str) -> Evidence:
    """SES calls many policy refusals permanent, so the server's text decides. Without one, SES
    knows best whether there is such a mailbox."""
    if part == "NoEmail" and not bare(words):
        return Evidence.GONE
    most = Evidence.GONE if part in _NAMING else Evidence.PASSING
    return evidence_of_failure(words, status=status, most=most)


def _complaint(block: HookFields) -> Meaning | None:
    kind = block.text("complaintFeedbackType").lower()
    if kind == _PRAISE:
        return None
    if kind in _ABUSE:
        return ReportKind.COMPLAINT, Evidence.COMPLAINT
    return ReportKind.REPORT, Evidence.NONE


def hook_of(
    given: Callable[[str], Sequence[str]], public_url: str, client: Callable[[], HttpClient]
) -> SesHook | None:
    """Return the hook; None if the settings do not use this provider. Raises Misconfigured with the
    name of a setting, never its value."""
    del public_url
    topics = given("ses_topic_arn")
    return SesHook(Authority(map(topic_of, topics), client())) if topics else None
