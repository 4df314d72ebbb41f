"""Read the JSON of a webhook: a missing field, or one of another type, reads as empty."""

import base64
import hmac
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from paperround.bounces.classify import BounceReply, evidence_of, weaker_evidence
from paperround.bounces.model import masked
from paperround.core.errors import InvalidSignature, Misconfigured
from paperround.delivery.model import Evidence

LONGEST = 10_000
"""Characters of a text that are read."""
MOST = 1000
"""Items of a list that are read."""


@dataclass(frozen=True, slots=True)
class HookFields:
    """A JSON value, and access to its parts."""

    value: object

    def inner(self, name: str) -> "HookFields":
        """Return the value of a field; empty if there is none."""
        return (
            HookFields(self.value.get(name)) if isinstance(self.value, dict) else HookFields(None)
        )

    def items(self) -> "list[HookFields]":
        """Return the first thousand items of a list; of anything else, none."""
        return (
            [HookFields(one) for one in self.value[:MOST]] if isinstance(self.value, list) else []
        )

    def text(self, name: str) -> str:
        """Return a field's text, or its whole number as text, without lone surrogates and NUL."""
        found = self.inner(name).value
        if isinstance(found, int) and not isinstance(found, bool):
            found = str(found)
        if not isinstance(found, str):
            return ""
        return found[:LONGEST].encode("utf-8", "replace").decode().replace("\0", " ").strip()

    def moment(self, name: str, *, now: datetime) -> datetime:
        """Return the instant in a field; `now` if it holds none, or a later one."""
        return min(moment_of(self.inner(name).value) or now, now)


def parse_json(body: bytes) -> HookFields:
    """Return the value of a body; an empty one if it is not JSON, or nested too deeply."""
    try:
        return HookFields(json.loads(body.decode("utf-8-sig")))
    except (ValueError, RecursionError):
        return HookFields(None)


def base64_of(text: str) -> bytes:
    """Return the bytes that base64 text encodes; no bytes for any other text."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def moment_of(said: object) -> datetime | None:
    """Return an instant written in ISO 8601 or in seconds since 1970; None for anything else."""
    try:
        if isinstance(said, str) and not said.isdecimal():
            found = datetime.fromisoformat(said)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(said, str | int | float) and not isinstance(said, bool):
            return datetime.fromtimestamp(float(said), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


_LONGEST_SEARCHED = 300
"""Characters of a reply that are searched for its code."""

_TYPED = re.compile(r"\s*(?:smtp|x-[\w-]+|dns)\s*;\s*", re.I)
"""The type that a report writes before a server's text (RFC 3464, 2.3.6)."""
_CODE = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.]*\d)")
_TAGGED = re.compile(r"\+([a-z2-7]{32})@", re.I)
_REPLY = re.compile(r"(?<!\d)[45]\d\d(?!\d)")


def evidence_of_failure(words: str, *, status: str = "", most: Evidence) -> Evidence:
    """Return what a failure proves: what the server's text proves, never more than `most`. Without
    a text, a class that may mean that the address is gone makes it likely."""
    said = bare(words)
    if not said:
        return Evidence.LIKELY_GONE if most is Evidence.GONE else Evidence.PASSING
    return weaker_evidence(evidence_of(BounceReply(said=said, status=status)), most)


def bare(words: str) -> str:
    """Return a server's text without the type before it."""
    return _TYPED.sub("", words, count=1) if _TYPED.match(words) else words.strip()


def storable(words: str) -> str:
    """Return a text as it may be stored: short, and without addresses."""
    return masked(bare(words))


def code_of(status: str, words: str) -> str:
    """Return the status code (RFC 3463) that is stated or in the text, else the reply code (RFC
    5321)."""
    for pattern, text in ((_CODE, status), (_CODE, words), (_REPLY, words)):
        if found := pattern.search(text[:_LONGEST_SEARCHED]):
            return found[0]
    return ""


def message_id(written: str) -> str:
    """Return a Message-ID in angle brackets, as in our messages; empty if it cannot be one."""
    inside = written.strip().removeprefix("<").removesuffix(">")
    return f"<{inside}>" if "@" in inside and len(inside) < 250 and " " not in inside else ""


def tag_of(sender: str) -> str:
    """Return the tag after the plus sign of an envelope sender, if it looks like one of ours: with
    any other tag the event would match no message."""
    found = _TAGGED.search(sender)
    return found[1].lower() if found else ""


LONGEST_RETRY = timedelta(hours=25)
"""Providers retry for a day at most, some of them with the signature of the first attempt."""
AHEAD = timedelta(minutes=5)
"""How far a provider's clock may be ahead of ours."""


def is_one_of(shown: str, secrets: Iterable[str]) -> bool:
    """Return whether `shown` is one of the secrets, in constant time."""
    given = shown.encode("utf-8", "replace")
    return sum(hmac.compare_digest(given, secret.encode()) for secret in secrets) > 0


def require_fresh(at: datetime | None, *, now: datetime, within: timedelta = LONGEST_RETRY) -> None:
    """Raise InvalidSignature if it was signed longer ago than providers retry, or in the future."""
    if at is None or not now - within <= at <= now + AHEAD:
        raise InvalidSignature("its signature is too old, or from the future")


def require_long(name: str, secrets: Sequence[str], shortest: int) -> None:
    """Raise Misconfigured with the setting's name if one of its values is easy to guess."""
    if any(len(secret) < shortest for secret in secrets):
        raise Misconfigured(
            f"PAPERROUND_{name} needs {shortest} characters or more: anybody who guesses it can "
            "stop readers' email"
        )
