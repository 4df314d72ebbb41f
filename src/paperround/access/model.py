"""Values of API access: keys, scopes, audit entries, idempotent requests."""

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

KeyId = NewType("KeyId", int)

_KEY = re.compile(r"pr_([a-z0-9]{8})_([A-Za-z0-9_-]{43})")


class Scope(StrEnum):
    """What a key permits. Writing includes reading the same."""

    FEEDS_READ = "feeds:read"
    FEEDS_WRITE = "feeds:write"
    LISTS_READ = "lists:read"
    LISTS_WRITE = "lists:write"
    SUBSCRIBERS_READ = "subscribers:read"
    SUBSCRIBERS_WRITE = "subscribers:write"
    SUPPRESSIONS_READ = "suppressions:read"
    SUPPRESSIONS_WRITE = "suppressions:write"
    EDITIONS_READ = "editions:read"
    EDITIONS_WRITE = "editions:write"
    DELIVERIES_READ = "deliveries:read"
    DELIVERIES_WRITE = "deliveries:write"
    CHANNELS_READ = "channels:read"
    CHANNELS_WRITE = "channels:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    STATS_READ = "stats:read"
    AUDIT_READ = "audit:read"
    OUTBOX_READ = "outbox:read"
    METRICS_READ = "metrics:read"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key to be stored: its public prefix and the SHA-256 of the whole key. `parent` is the key
    that made it, None if a person did."""

    name: str
    prefix: str
    digest: str
    scopes: frozenset[Scope]
    expires_at: datetime | None
    parent: KeyId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey(NewKey):
    """A stored key."""

    id: KeyId
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Return whether it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def key_text(prefix: str, secret: str) -> str:
    """Return the text of a key: a prefix of 8 characters, 256 random bits in base64url."""
    return f"pr_{prefix}_{secret}"


def prefix_of(key: str) -> str | None:
    """Return the public prefix of a key, None if it is malformed."""
    found = _KEY.fullmatch(key)
    return found[1] if found else None


def digest_of(key: str) -> str:
    """Return the hash of a key. With 256 random bits, a plain hash cannot be reversed by
    guessing."""
    return hashlib.sha256(key.encode()).hexdigest()


def matches(key: str, kept: ApiKey) -> bool:
    """Return whether `key` is the stored one, in constant time."""
    return hmac.compare_digest(digest_of(key), kept.digest)


def allows(scopes: frozenset[Scope], wanted: Scope) -> bool:
    """Return whether `scopes` include `wanted`."""
    what, _, _ = wanted.partition(":")
    return wanted in scopes or (wanted.endswith(":read") and f"{what}:write" in scopes)


COMMAND_LINE = "command line"
"""The actor of a command whose account is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedAction:
    """An action to audit. `target` names a list, an edition, a feed, a key or a channel, and a
    person by number; `details` are numbers and words about it. Neither holds an address."""

    actor: str
    action: str
    target: str
    details: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry(AuditedAction):
    """A stored action."""

    id: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Which entries of the audit log are wanted; None means any. A target includes what is below
    it: `trending` also finds `trending/2026-01-30/0`."""

    action: str | None = None
    target: str | None = None
    actor: str | None = None


def by_key(prefix: str) -> str:
    """Return the name of the key with this prefix, as actor and as target."""
    return f"key {prefix}"


def by_operator(number: int) -> str:
    """Return the actor for the operator with this number."""
    return f"operator {number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A person who runs this installation and may log in to its admin pages."""

    id: int
    email: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginLink:
    """A link that logs an operator in once. Its token is signed, and bound to `nonce`."""

    id: int
    operator_id: int
    key_id: str
    nonce: str
    created_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSession:
    """A browser in which an operator is logged in."""

    id: int
    operator_id: int
    created_at: datetime
    seen_at: datetime


def describe_edit(
    before: Mapping[str, object], after: Mapping[str, object], *, shown: Collection[str] = ()
) -> dict[str, str | int]:
    """Return the details of an edit: the names of the changed fields, and the values of those in
    `shown`. Other values stay out, because they may hold an address or a secret."""
    changed = [name for name in after if before.get(name) != after[name]]
    details: dict[str, str | int] = {"changed": ", ".join(changed)}
    harmless = [name for name in changed if name in shown]
    for moment, values in (("before", before), ("after", after)):
        if harmless:
            details[moment] = ", ".join(f"{name} {_word(values.get(name))}" for name in harmless)
    return details


def _word(value: object) -> str:
    """Return a value as a person writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unset" if value is None else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentRequest:
    """A request with an idempotency key. `key` is a hash specific to the sender; `prints` are
    hashes of the request, of which the first is stored and any may match."""

    key: str
    prints: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """A response. `headers` are those stored with the body."""

    status: int
    headers: Mapping[str, str]
    body: str
