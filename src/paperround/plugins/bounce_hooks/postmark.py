"""Postmark: the webhooks Bounce, Spam complaint and Subscription change.

It signs nothing, but sends a password that stands in the webhook's address, or a header of one's
own. Written from postmarkapp.com/developer/webhooks, with invented values in the tests.
"""

import base64
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
    code_of,
    is_one_of,
    judged,
    kept,
    read,
    require_long,
)

WAY = "hook:postmark"
SECRET_HEADER = "x-paperround-secret"  # noqa: S105 - the name of a header

_ANSWERS = frozenset({"AutoResponder", "AddressChange", "ChallengeVerification"})
_COMPLAINT = "SpamComplaint"
_HARD = frozenset({"HardBounce", "BadEmailAddress"})
_LEFT = "Unsubscribe"

SHORTEST_SECRET = 24
"""Characters of a password that is part of an address."""


@dataclass(frozen=True, slots=True)
class PostmarkHook:
    """Hears who shows one of `secrets`."""

    secrets: Sequence[str] = field(repr=False)

    def hear(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> ReportedEvents:
        """What a request tells. Raises InvalidSignature without the secret."""
        shown = headers.get(SECRET_HEADER) or _password(headers.get("authorization", ""))
        if not is_one_of(shown, self.secrets):
            raise InvalidSignature("it does not show the secret")
        return parse(body, now=now)


def _password(authorization: str) -> str:
    """The password of basic authentication (RFC 7617), whatever the name; else nothing."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def parse(body: bytes, *, now: datetime) -> ReportedEvents:
    """What a body tells; never raises."""
    told = read(body)
    match told.text("RecordType"):
        case "Bounce":
            found = _bounce(told, now)
        case "SpamComplaint":
            found = _event(told, ReportKind.COMPLAINT, Evidence.COMPLAINT, now)
        case "SubscriptionChange":
            found = _change(told, now)
        case _:
            found = None
    return ReportedEvents(events=(found,)) if found else ReportedEvents(ignored=1)


def _bounce(told: HookFields, now: datetime) -> ReturnedEvent | None:
    kind = told.text("Type")
    if kind in _ANSWERS:
        return _event(told, ReportKind.AUTO_REPLY, Evidence.AUTO_REPLY, now)
    if kind == _COMPLAINT:
        return _event(told, ReportKind.COMPLAINT, Evidence.COMPLAINT, now)
    if kind == _LEFT:
        return _event(told, ReportKind.UNSUBSCRIBE, Evidence.NONE, now)
    if not told.text("ID"):
        return None
    most = Evidence.GONE if kind in _HARD else Evidence.PASSING
    return _event(told, ReportKind.BOUNCE, judged(told.text("Details"), most=most), now)


def _event(told: HookFields, kind: ReportKind, evidence: Evidence, now: datetime) -> ReturnedEvent:
    words = told.text("Details")
    return ReturnedEvent(
        way=WAY,
        event_id=told.text("ID")[:64] or _hash(told),
        kind=kind,
        evidence=evidence,
        happened_at=told.moment("BouncedAt", now=now),
        recipient=told.text("Email"),
        code=code_of("", words),
        said=kept(words or told.text("Name")),
    )


def _change(told: HookFields, now: datetime) -> ReturnedEvent | None:
    """An address that Postmark will mail no more. What an operator did there is no reader's wish;
    what a bounce did is told without the far end's words."""
    if told.inner("SuppressSending").value is not True:
        return None
    match told.text("SuppressionReason"), told.text("Origin"):
        case "HardBounce", _:
            kind, evidence = ReportKind.BOUNCE, Evidence.LIKELY_GONE
        case "SpamComplaint", _:
            kind, evidence = ReportKind.COMPLAINT, Evidence.COMPLAINT
        case "ManualSuppression", "Recipient":
            kind, evidence = ReportKind.UNSUBSCRIBE, Evidence.NONE
        case _:
            return None
    return ReturnedEvent(
        way=WAY,
        event_id=_hash(told),
        kind=kind,
        evidence=evidence,
        happened_at=told.moment("ChangedAt", now=now),
        recipient=told.text("Recipient"),
        said=kept(told.text("SuppressionReason")),
    )


def _hash(told: HookFields) -> str:
    """A name for what comes without an id: the same for the same change, and nobody's address."""
    names = ("RecordType", "Type", "MessageID", "Recipient", "Email", "ChangedAt", "BouncedAt",
             "SuppressionReason")  # fmt: skip
    text = "\0".join(told.text(name) for name in names)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def hook_of(
    given: Callable[[str], Sequence[str]], public_url: str, client: Callable[[], HttpClient]
) -> PostmarkHook | None:
    """The hook, None when the settings do not use this provider. Raises Misconfigured with the
    name of a setting, never its value."""
    del client
    secrets = given("postmark_hook_secret")
    if not secrets:
        return None
    require_long("POSTMARK_HOOK_SECRET", secrets, SHORTEST_SECRET)
    parts = urlsplit(public_url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise Misconfigured(
            "PAPERROUND_POSTMARK_HOOK_SECRET would cross the network in the clear: "
            "PAPERROUND_PUBLIC_URL must be https"
        )
    return PostmarkHook(secrets)
