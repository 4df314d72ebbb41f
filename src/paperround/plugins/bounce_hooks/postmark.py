"""Postmark: the webhooks Bounce, Spam complaint and Subscription change.

Postmark signs nothing, but sends a password from the webhook's URL, or a header that you choose.
Written from postmarkapp.com/developer/webhooks, with invented values in the tests.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from paperround.bounces.model import ReportedEvents, ReportKind, ReturnedEvent
from paperround.config import LOOPBACK
from paperround.core.errors import InvalidSignature, Misconfigured
from paperround.delivery.model import Evidence
from paperround.http.model import HttpClient
from paperround.plugins.bounce_hooks.fields import (
    HookFields,
    base64_of,
    code_of,
    evidence_of_failure,
    is_one_of,
    parse_json,
    require_long,
    storable,
)

WAY = "hook:postmark"
SECRET_HEADER = "x-paperround-secret"  # noqa: S105 - the name of a header

_ANSWERED = (ReportKind.AUTO_REPLY, Evidence.AUTO_REPLY)
_MEANINGS: Mapping[str, tuple[ReportKind, Evidence]] = {
    "AutoResponder": _ANSWERED,
    "AddressChange": _ANSWERED,
    "ChallengeVerification": _ANSWERED,
    "SpamComplaint": (ReportKind.COMPLAINT, Evidence.COMPLAINT),
    "Unsubscribe": (ReportKind.UNSUBSCRIBE, Evidence.NONE),
}
_HARD = frozenset({"HardBounce", "BadEmailAddress"})

SHORTEST_SECRET = 24
"""Characters of a password that is part of a URL."""


@dataclass(frozen=True, slots=True)
class PostmarkHook:
    """Accepts requests with one of `secrets`."""

    secrets: Sequence[str] = field(repr=False)

    def hear(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> ReportedEvents:
        """Return the events of a request; raise InvalidSignature without the secret."""
        shown = headers.get(SECRET_HEADER) or _password(headers.get("authorization", ""))
        if not is_one_of(shown, self.secrets):
            raise InvalidSignature("it does not show the secret")
        return parse(body, now=now)


def _password(authorization: str) -> str:
    """Return the password of basic authentication (RFC 7617), whatever the user; else ""."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    return base64_of(encoded).decode("utf-8", "replace").partition(":")[2]


def parse(body: bytes, *, now: datetime) -> ReportedEvents:
    """Return the events of a body; never raises."""
    told = parse_json(body)
    meaning = _meaning(told)
    if meaning is None:
        return ReportedEvents(ignored=1)
    words = told.text("Details")
    event = ReturnedEvent(
        way=WAY,
        event_id=told.text("ID")[:64] or _hash(told),
        kind=meaning[0],
        evidence=meaning[1],
        happened_at=told.moment("BouncedAt", now=told.moment("ChangedAt", now=now)),
        recipient=told.text("Email") or told.text("Recipient"),
        code=code_of("", words),
        said=storable(words or told.text("Name") or told.text("SuppressionReason")),
    )
    return ReportedEvents(events=(event,))


def _meaning(told: HookFields) -> tuple[ReportKind, Evidence] | None:
    match told.text("RecordType"), told.text("Type"):
        case "Bounce", kind if kind in _MEANINGS:
            return _MEANINGS[kind]
        case "Bounce", kind if told.text("ID"):
            most = Evidence.GONE if kind in _HARD else Evidence.PASSING
            return ReportKind.BOUNCE, evidence_of_failure(told.text("Details"), most=most)
        case "SpamComplaint", _:
            return ReportKind.COMPLAINT, Evidence.COMPLAINT
        case "SubscriptionChange", _ if told.inner("SuppressSending").value is True:
            return _of_change(told)
        case _:
            return None


def _of_change(told: HookFields) -> tuple[ReportKind, Evidence] | None:
    """Return why Postmark no longer sends to an address. A suppression by an operator is not the
    reader's wish; one by a bounce comes without the server's text."""
    match told.text("SuppressionReason"), told.text("Origin"):
        case "HardBounce", _:
            return ReportKind.BOUNCE, Evidence.LIKELY_GONE
        case "SpamComplaint", _:
            return ReportKind.COMPLAINT, Evidence.COMPLAINT
        case "ManualSuppression", "Recipient":
            return ReportKind.UNSUBSCRIBE, Evidence.NONE
        case _:
            return None


def _hash(told: HookFields) -> str:
    """Return an id for an event without one: the same for the same change, without an address."""
    names = ("RecordType", "Type", "MessageID", "Recipient", "Email", "ChangedAt", "BouncedAt",
             "SuppressionReason")  # fmt: skip
    text = "\0".join(told.text(name) for name in names)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def hook_of(
    given: Callable[[str], Sequence[str]], public_url: str, client: Callable[[], HttpClient]
) -> PostmarkHook | None:
    """Return the hook; None if the settings do not use this provider. Raises Misconfigured with the
    name of a setting, never its value."""
    del client
    secrets = given("postmark_hook_secret")
    if not secrets:
        return None
    require_long("POSTMARK_HOOK_SECRET", secrets, SHORTEST_SECRET)
    parts = urlsplit(public_url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise Misconfigured(
            "PAPERROUND_POSTMARK_HOOK_SECRET would be sent unencrypted: PAPERROUND_PUBLIC_URL "
            "must be https"
        )
    return PostmarkHook(secrets)
