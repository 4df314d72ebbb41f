"""Mailgun: the webhooks Permanent failure, Spam complaint and Unsubscribe.

Mailgun signs the time and a token with HMAC-SHA256, but not the event, and repeats the signature
when it retries. So a token is bound to the first body that it came with. Written from
"Securing Webhooks" and "Event structure" of its documentation, with invented values in the tests.
"""

import hashlib
import hmac
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from paperround.bounces.model import ReportedEvents, ReportKind, ReturnedEvent
from paperround.core.errors import InvalidSignature
from paperround.delivery.model import Evidence
from paperround.http.model import HttpClient
from paperround.plugins.bounce_hooks.fields import (
    HookFields,
    code_of,
    evidence_of_failure,
    is_one_of,
    message_id,
    moment_of,
    parse_json,
    require_fresh,
    require_long,
    storable,
    tag_of,
)

WAY = "hook:mailgun"
WINDOW = timedelta(hours=9)
"""It retries for eight hours. A shorter window would lose events of a time when our database was
down."""
MOST_TOKENS = 20_000
"""The number of tokens that are remembered, the newest ones."""
_LONGEST_TOKEN = 100

_SUPPRESSED: Mapping[str, tuple[ReportKind, Evidence]] = {
    "suppress-bounce": (ReportKind.BOUNCE, Evidence.LIKELY_GONE),
    "suppress-complaint": (ReportKind.COMPLAINT, Evidence.COMPLAINT),
    "suppress-unsubscribe": (ReportKind.UNSUBSCRIBE, Evidence.NONE),
}
"""Why Mailgun did not try to deliver. It knows a bounce from an earlier message, maybe not ours."""


class Tokens:
    """The recent tokens, each with the hash of its body. Thread-safe."""

    def __init__(self, *, most: int = MOST_TOKENS) -> None:
        self._most = most
        self._lock = Lock()
        self._bodies: OrderedDict[str, bytes] = OrderedDict()

    def require_own(self, token: str, body: bytes) -> None:
        """Raise InvalidSignature if the token came with another body before."""
        # Hash the value, whatever the order of its fields and its spaces.
        try:
            said = json.dumps(parse_json(body).value, sort_keys=True)
        except RecursionError:
            raise InvalidSignature("it is nested too deeply") from None
        digest = hashlib.sha256(said.encode()).digest()
        with self._lock:
            first = self._bodies.setdefault(token, digest)
            while len(self._bodies) > self._most:
                self._bodies.popitem(last=False)
        if not hmac.compare_digest(first, digest):
            raise InvalidSignature("its token came with another body before")


SHORTEST_KEY = 16
"""Characters of a key; those that Mailgun makes are longer."""


@dataclass(frozen=True, slots=True)
class MailgunHook:
    """Accepts requests signed with one of `secrets`, the webhook signing keys."""

    secrets: Sequence[str] = field(repr=False)
    tokens: Tokens = field(default_factory=Tokens)

    def hear(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> ReportedEvents:  # noqa: ARG002 - proves by its body
        """Return the events of a request; raise InvalidSignature if its signature is wrong, old or
        used."""
        proof = parse_json(body).inner("signature")
        stamp, token = proof.text("timestamp"), proof.text("token")
        require_fresh(moment_of(stamp), now=now, within=WINDOW)
        shown = (proof.text("signature"), proof.text("parent-signature"))
        made = [_signature(secret, stamp + token) for secret in self.secrets]
        if len(token) > _LONGEST_TOKEN or not any(is_one_of(one, made) for one in shown):
            raise InvalidSignature("its signature does not match the key")
        self.tokens.require_own(token, body)
        return parse(body, now=now)


def _signature(secret: str, signed: str) -> str:
    return hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()


def parse(body: bytes, *, now: datetime) -> ReportedEvents:
    """Return the events of a body; never raises."""
    told = parse_json(body).inner("event-data")
    meaning = _meaning(told)
    if meaning is None or not told.text("id"):
        return ReportedEvents(ignored=1)
    status, words = told.inner("delivery-status"), _words(told)
    event = ReturnedEvent(
        way=WAY,
        event_id=told.text("id")[:128],
        kind=meaning[0],
        evidence=meaning[1],
        happened_at=told.moment("timestamp", now=now),
        message_id=message_id(told.inner("message").inner("headers").text("message-id")),
        tag=tag_of(told.inner("envelope").text("sender")),
        recipient=told.text("recipient"),
        code=code_of(status.text("enhanced-code"), f"{status.text('code')} {words}"),
        said=storable(words),
    )
    return ReportedEvents(events=(event,))


def _meaning(told: HookFields) -> tuple[ReportKind, Evidence] | None:
    """Return what an event means for an address; None if nothing, as a temporary failure: Mailgun
    retries."""
    match told.text("event"), told.text("severity"):
        case "failed", "permanent":
            return _SUPPRESSED.get(told.text("reason")) or (ReportKind.BOUNCE, _of_failure(told))
        case "complained", _:
            return ReportKind.COMPLAINT, Evidence.COMPLAINT
        case "unsubscribed", _:
            return ReportKind.UNSUBSCRIBE, Evidence.NONE
        case _:
            return None


def _of_failure(told: HookFields) -> Evidence:
    """Only a failure that Mailgun calls a bounce, and not a soft one, can prove that an
    address is gone."""
    status = told.inner("delivery-status")
    is_hard = told.text("reason") == "bounce" and status.text("bounce-type") != "soft"
    return evidence_of_failure(
        _words(told),
        status=status.text("enhanced-code"),
        most=Evidence.GONE if is_hard else Evidence.PASSING,
    )


def _words(told: HookFields) -> str:
    """Return the server's text, which is in one of two fields."""
    status = told.inner("delivery-status")
    return status.text("message") or status.text("description")


def hook_of(
    given: Callable[[str], Sequence[str]], public_url: str, client: Callable[[], HttpClient]
) -> MailgunHook | None:
    """Return the hook; None if the settings do not use this provider. Raises Misconfigured with the
    name of a setting, never its value."""
    del public_url, client
    keys = given("mailgun_hook_key")
    if keys:
        require_long("MAILGUN_HOOK_KEY", keys, SHORTEST_KEY)
    return MailgunHook(keys) if keys else None
