"""Keys of the admin API: shown once, kept as a hash, limited to scopes, ended by a date."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

KeyId = NewType("KeyId", int)

_KEY = re.compile(r"pr_([a-z0-9]{8})_([A-Za-z0-9_-]{43})")


class Scope(StrEnum):
    """What a key may do. Writing includes reading the same."""

    FEEDS_READ = "feeds:read"
    FEEDS_WRITE = "feeds:write"
    DELIVERIES_READ = "deliveries:read"
    DELIVERIES_WRITE = "deliveries:write"
    CHANNELS_READ = "channels:read"
    CHANNELS_WRITE = "channels:write"
    AUDIT_READ = "audit:read"
    OUTBOX_READ = "outbox:read"
    METRICS_READ = "metrics:read"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key about to be kept: its public prefix and the SHA-256 of the whole key."""

    name: str
    prefix: str
    digest: str
    scopes: frozenset[Scope]
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey(NewKey):
    """A key as it is kept."""

    id: KeyId
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Neither revoked nor over."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def written(prefix: str, secret: str) -> str:
    """The key as its owner gets it: a prefix of 8 characters, 256 random bits in base64url."""
    return f"pr_{prefix}_{secret}"


def prefix_of(key: str) -> str | None:
    """The public prefix of what may be a key, None when it cannot be one."""
    found = _KEY.fullmatch(key)
    return found[1] if found else None


def digest_of(key: str) -> str:
    """What is kept of a key. It has 256 random bits, so a plain hash cannot be guessed back."""
    return hashlib.sha256(key.encode()).hexdigest()


def matches(key: str, kept: ApiKey) -> bool:
    """Whether `key` is the kept one, in constant time."""
    return hmac.compare_digest(digest_of(key), kept.digest)


def allows(scopes: frozenset[Scope], wanted: Scope) -> bool:
    """Whether a key with `scopes` may do what needs `wanted`."""
    what, _, _ = wanted.partition(":")
    return wanted in scopes or (wanted.endswith(":read") and f"{what}:write" in scopes)


COMMAND_LINE = "command line"
"""The actor of whatever is done on the machine itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedAction:
    """Something done. `target` names a list or an edition, never a person; `details` are numbers
    and words that go with it."""

    actor: str
    action: str
    target: str
    details: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """A deed as it was written down."""

    id: int
    at: datetime
    deed: AuditedAction


def by_key(prefix: str) -> str:
    """The actor who showed the key with this prefix."""
    return f"key {prefix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentRequest:
    """A request under a key of its sender: `key` is a hash that only this sender's key gives,
    `prints` are hashes of what was asked, of which the first is written down and each may match."""

    key: str
    prints: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """What was answered. `headers` are those that go with the body."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRequest:
    """The request that came first under a key; its answer is None while it is worked on, and for
    good when the process that worked on it died."""

    print: str
    taken_at: datetime
    answer: StoredResponse | None
