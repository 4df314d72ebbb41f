"""Mailgun: the webhooks Permanent failure, Spam complaint and Unsubscribe.

It signs the time and a token with HMAC-SHA256, but not what it tells, and sends the same signature
again when it tries again. So a token belongs to the first body that came with it. Written from
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
    is_one_of,
    judged,
    kept,
    message_id,
    moment_of,
    read,
    require_fresh,
    require_long,
    tag_of,
)

WAY = "hook:mailgun"
WINDOW = timedelta(hours=9)
"""Its tries end eight hours after the first one. A shorter window would lose what it could not tell
us while our database was down."""
MOST_TOKENS = 20_000
"""Tokens that are remembered; of more, those that came last."""
_LONGEST_TOKEN = 100

_SUPPRESSED: Mapping[str, tuple[ReportKind, Evidence]] = {
    "suppress-bounce": (ReportKind.BOUNCE, Evidence.LIKELY_GONE),
    "suppress-complaint": (ReportKind.COMPLAINT, Evidence.COMPLAINT),
    "suppress-unsubscribe": (ReportKind.UNSUBSCRIBE, Evidence.NONE),
}
"""Why Mailgun did not even try. Of a bounce it knows from an earlier mail, maybe not ours."""


class Tokens:
    """The tokens that came lately, each with the body it came with. Safe to share by threads."""

    def __init__(self, *, most: int = MOST_TOKENS) -> None:
        self._most = most
        self._lock = Lock()
        self._bodies: OrderedDict[str, bytes] = OrderedDict()

    def require_own(self, token: str, body: bytes) -> None:
        """Raise InvalidSignature for a token that came with another body."""
        # Of what a body says, in whatever order and with whatever spaces it is written.
        try:
            said = json.dumps(read(body).value, sort_keys=True)
        except RecursionError:
            raise InvalidSignature("it is nested too deeply") from None
        digest = hashlib.sha256(said.encode()).digest()
        with self._lock:
            first = self._bodies.setdefault(token, digest)
            while len(self._bodies) > self._most:
                self._bodies.popitem(last=False)
        if first != digest:
            raise InvalidSignature("its token came with another body before")


SHORTEST_KEY = 16
"""Characters of a key that Mailgun makes; theirs are longer."""


@dataclass(frozen=True, slots=True)
class MailgunHook:
    """Hears what one of `secrets`, the webhook signing keys, signed."""

    secrets: Sequence[str] = field(repr=False)
    tokens: Tokens = field(default_factory=Tokens)

    def hear(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> ReportedEvents:  # noqa: ARG002 - proves by its body
        """What a request tells. Raises InvalidSignature for one that is wrong, old or used."""
        proof = read(body).inner("signature")
        stamp, token = proof.text("timestamp"), proof.text("token")
        require_fresh(moment_of(stamp), now=now, within=WINDOW)
        shown = (proof.text("signature"), proof.text("parent-signature"))
        made = [_signature(secret, stamp + token) for secret in self.secrets]
        if len(token) > _LONGEST_TOKEN or not any(is_one_of(one, made) for one in shown):
            raise InvalidSignature("its signature is not that of the key")
        self.tokens.require_own(token, body)
        return parse(body, now=now)


def _signature(secret: str, signed: str) -> str:
    return hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()


def parse(body: bytes, *, now: datetime) -> ReportedEvents:
    """What a body tells; never raises."""
    told = read(body).inner("event-data")
    meaning = _meaning(told)
    if meaning is None or not told.text("id"):
        return ReportedEvents(ignored=1)
    return ReportedEvents(events=(_event(told, *meaning, now),))


def _event(told: HookFields, kind: ReportKind, evidence: Evidence, now: datetime) -> ReturnedEvent:
    status, words = told.inner("delivery-status"), _words(told)
    return ReturnedEvent(
        way=WAY,
        event_id=told.text("id")[:128],
        kind=kind,
        evidence=evidence,
        happened_at=told.moment("timestamp", now=now),
        message_id=message_id(told.inner("message").inner("headers").text("message-id")),
        tag=tag_of(told.inner("envelope").text("sender")),
        recipient=told.text("recipient"),
        code=code_of(status.text("enhanced-code"), f"{status.text('code')} {words}"),
        said=kept(words),
    )


def _meaning(told: HookFields) -> tuple[ReportKind, Evidence] | None:
    """What an event says of an address; None for what says nothing, a temporary failure among it:
    Mailgun goes on trying."""
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
    """Only what Mailgun calls a bounce, and no soft one, may name the address."""
    status = told.inner("delivery-status")
    is_hard = told.text("reason") == "bounce" and status.text("bounce-type") != "soft"
    return judged(
        _words(told),
        status=status.text("enhanced-code"),
        most=Evidence.GONE if is_hard else Evidence.PASSING,
    )


def _words(told: HookFields) -> str:
    """The server's words; Mailgun keeps some of them under another name."""
    status = told.inner("delivery-status")
    return status.text("message") or status.text("description")


def hook_of(
    given: Callable[[str], Sequence[str]], public_url: str, client: Callable[[], HttpClient]
) -> MailgunHook | None:
    """The hook, None when the settings do not use this provider. Raises Misconfigured with the
    name of a setting, never its value."""
    del public_url, client
    keys = given("mailgun_hook_key")
    if keys:
        require_long("MAILGUN_HOOK_KEY", keys, SHORTEST_KEY)
    return MailgunHook(keys) if keys else None
