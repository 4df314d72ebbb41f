"""SendGrid: the signed event webhook.

SendGrid signs the time and the body with ECDSA on P-256 (SHA-256, DER), in two headers; the public
key is in its settings. Written from the Event Webhook Reference and "Event Webhook
Security Features" of its documentation, with invented values in the tests.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import exceptions as cryptography_errors
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from paperround.bounces.model import ReportedEvents, ReportKind, ReturnedEvent
from paperround.core.errors import InvalidSignature, Misconfigured
from paperround.delivery.model import Evidence
from paperround.http.model import HttpClient
from paperround.plugins.bounce_hooks.fields import (
    HookFields,
    base64_of,
    code_of,
    evidence_of_failure,
    message_id,
    moment_of,
    parse_json,
    require_fresh,
    storable,
)

WAY = "hook:sendgrid"
SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"

_DROPPED: Mapping[str, tuple[ReportKind, Evidence]] = {
    "bounced address": (ReportKind.BOUNCE, Evidence.LIKELY_GONE),
    "invalid": (ReportKind.BOUNCE, Evidence.LIKELY_GONE),
    "spam reporting address": (ReportKind.COMPLAINT, Evidence.COMPLAINT),
    "unsubscribed address": (ReportKind.UNSUBSCRIBE, Evidence.NONE),
}
"""Why SendGrid did not try to deliver. The first two are known from earlier messages, maybe not
ours."""
_LEFT = frozenset({"unsubscribe", "group_unsubscribe"})


@dataclass(frozen=True, slots=True)
class SendGridHook:
    """Accepts requests signed with one of `keys`."""

    keys: Sequence[EllipticCurvePublicKey]

    def hear(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> ReportedEvents:
        """Return the events of a request; raise InvalidSignature if it is not signed or old."""
        stamp = headers.get(TIMESTAMP, "")
        require_fresh(moment_of(stamp), now=now)
        signed = stamp.encode("utf-8", "replace") + body
        signature = base64_of(headers.get(SIGNATURE, ""))
        if not any(_is_signed(signed, signature, key) for key in self.keys):
            raise InvalidSignature("its signature does not match the key")
        return parse(body, now=now)


def _is_signed(signed: bytes, signature: bytes, key: EllipticCurvePublicKey) -> bool:
    try:
        key.verify(signature, signed, ECDSA(SHA256()))
    except cryptography_errors.InvalidSignature:
        return False
    return True


def parse(body: bytes, *, now: datetime) -> ReportedEvents:
    """Return the events of a body; never raises."""
    items = parse_json(body).items()
    events = tuple(found for one in items if (found := _event(one, now)))
    return ReportedEvents(events=events, ignored=max(len(items), 1) - len(events))


def _event(told: HookFields, now: datetime) -> ReturnedEvent | None:
    found = _meaning(told)
    if found is None or not told.text("sg_event_id"):
        return None
    words = told.text("reason")
    return ReturnedEvent(
        way=WAY,
        event_id=told.text("sg_event_id")[:128],
        kind=found[0],
        evidence=found[1],
        happened_at=told.moment("timestamp", now=now),
        message_id=message_id(told.text("smtp-id")),
        recipient=told.text("email"),
        code=code_of(told.text("status"), words),
        said=storable(words),
    )


def _meaning(told: HookFields) -> tuple[ReportKind, Evidence] | None:
    """Return what an event means for an address; None if nothing, as a deferral."""
    match told.text("event"):
        case "bounce":
            # Only the type `bounce` is about the address; `blocked` and `expired` are about
            # delivery.
            is_hard = told.text("type") == "bounce"
            return ReportKind.BOUNCE, evidence_of_failure(
                told.text("reason"),
                status=told.text("status"),
                most=Evidence.GONE if is_hard else Evidence.PASSING,
            )
        case "dropped":
            return _DROPPED.get(told.text("reason").lower())
        case "spamreport":
            return ReportKind.COMPLAINT, Evidence.COMPLAINT
        case name if name in _LEFT:
            return ReportKind.UNSUBSCRIBE, Evidence.NONE
        case _:
            return None


def hook_of(
    given: Callable[[str], Sequence[str]], public_url: str, client: Callable[[], HttpClient]
) -> SendGridHook | None:
    """Return the hook; None if the settings do not use this provider. Raises Misconfigured with the
    name of a setting, never its value."""
    del public_url, client
    keys = given("sendgrid_hook_key")
    return SendGridHook([_public_key(text) for text in keys]) if keys else None


def _public_key(text: str) -> EllipticCurvePublicKey:
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise Misconfigured(
            "PAPERROUND_SENDGRID_HOOK_KEY is not a P-256 public key: copy the Verification Key of "
            "SendGrid's signed event webhook, one line of base64"
        )
    return key
