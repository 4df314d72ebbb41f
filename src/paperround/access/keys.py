"""Manage keys of the admin API, and authenticate requests.

After ten wrong keys within five minutes from one address, further wrong ones are refused with the
time to wait. A valid key always works: an old key in one script must not lock out the programs
beside it. Only a wrong key causes a write: a valid one costs a read.
"""

import re
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from paperround.access.model import (
    COMMAND_LINE,
    ApiKey,
    NewKey,
    Scope,
    allows,
    by_key,
    digest_of,
    key_text,
    matches,
    prefix_of,
)
from paperround.access.rate_limiter import client_and_network
from paperround.access.store import AuditStore, KeyStore
from paperround.core.errors import InvalidInput, NotFound, RateLimited
from paperround.core.rates import Rate, RateLimitStatus
from paperround.core.times import format_instant, parse_instant
from paperround.core.tokens import KeyRing
from paperround.db.limits import RateStore
from paperround.db.transactions import Database, Transaction, write

FAILURES = Rate(10, timedelta(minutes=5))
"""Wrong keys that one client may send before it has to wait."""

POLICY = "wrong-keys"
"""The name of that limit in response headers."""

NOTED_EVERY = timedelta(minutes=1)
"""The use of a key is stored no more often than this."""

LONGEST_NAME = 100

LIFE = "365d"
"""How long a key works unless you say otherwise."""

NEVER = "never"
_DAYS = re.compile(r"([1-9]\d{0,4})d", re.ASCII)

EXPIRES_SOON = timedelta(days=14)
"""How long before its end a key in use is reported."""

IN_USE = timedelta(days=30)
"""A key is in use if it was used within this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedKey:
    """A new key, and its text, which cannot be shown again."""

    key: ApiKey
    text: str = field(repr=False)


def create_key(
    database: Database,
    name: str,
    scopes: Iterable[Scope],
    *,
    expires_at: datetime | None,
    now: datetime,
    maker: ApiKey | None = None,
    by: str = COMMAND_LINE,
) -> CreatedKey:
    """Create a key of 256 random bits; only its hash is stored.

    The new key cannot exceed its `maker`, the key that requests it: it ends no later, whatever
    `expires_at` says. Raises InvalidInput, with the field as its code, for an unprintable, empty or
    long name, for no scope or one that its maker lacks, and for an expiry in the past.
    """
    if not (name.strip() and name.isprintable() and len(name) <= LONGEST_NAME):
        raise InvalidInput(
            f"give the key a name of up to {LONGEST_NAME} characters, such as laptop", code="name"
        )
    allowed = frozenset(scopes)
    if not allowed:
        raise InvalidInput(f"say what the key may do: {', '.join(Scope)}", code="scopes")
    beyond = sorted(one for one in allowed if maker is not None and not allows(maker.scopes, one))
    if beyond:
        raise InvalidInput(
            f"a key can only grant its own scopes, which do not include {', '.join(beyond)}",
            code="scopes",
        )
    if expires_at is not None and expires_at <= now:
        raise InvalidInput("the key would already be expired", code="expires")
    ends = (expires_at, None if maker is None else maker.expires_at)
    expires_at = min((one for one in ends if one is not None), default=None)

    def add(work: Transaction) -> CreatedKey:
        prefix = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8))
        text = key_text(prefix, secrets.token_urlsafe(32))
        new = NewKey(
            name=name,
            prefix=prefix,
            digest=digest_of(text),
            scopes=allowed,
            expires_at=expires_at,
            parent=None if maker is None else maker.id,
        )
        created = CreatedKey(key=work[KeyStore].add(new, now=now), text=text)
        details = {"scopes": ", ".join(sorted(allowed)), "expires": _words_of(expires_at)}
        work[AuditStore].add(by, "create key", by_key(prefix), details, now=now)
        return created

    return write(database, add)


def read_expiry(text: str, *, now: datetime) -> datetime | None:
    """Return the end of a key from `never`, a number of days like `90d`, or a date or instant.

    Raises InvalidInput for anything else.
    """
    if text == NEVER:
        return None
    if days := _DAYS.fullmatch(text):
        return now + timedelta(days=int(days[1]))
    try:
        return parse_instant(text)
    except InvalidInput:
        raise InvalidInput(
            f"{text!r:.40} is not an expiry: write a date like 2027-01-31, days like 90d, "
            f"or {NEVER}",
            code="expires",
        ) from None


def _words_of(expires_at: datetime | None) -> str:
    return NEVER if expires_at is None else format_instant(expires_at)


def expiring_keys(work: Transaction, *, now: datetime) -> list[ApiKey]:
    """Return the keys in use that expire within `EXPIRES_SOON`, the first to expire first."""
    soon = [
        (key.expires_at, key)
        for key in work[KeyStore].all()
        if key.is_live(now)
        and key.expires_at is not None
        and key.expires_at - now <= EXPIRES_SOON
        and key.last_used_at is not None
        and now - key.last_used_at <= IN_USE
    ]
    return [key for _, key in sorted(soon, key=lambda one: one[0])]


def list_keys(database: Database) -> list[ApiKey]:
    """Return every key, newest first, without their texts."""
    with database.reading() as work:
        return work[KeyStore].all()


def find_key(database: Database, prefix: str) -> ApiKey:
    """Return the key with this prefix, live or not. Raises NotFound."""
    with database.reading() as work:
        return _find(work, prefix)


def _find(work: Transaction, prefix: str) -> ApiKey:
    found = work[KeyStore].find(prefix)
    if found is None:
        raise NotFound(f"there is no key {prefix!r:.60}: `paperround keys list` shows them")
    return found


def revoke_key(
    database: Database, prefix: str, *, now: datetime, by: str = COMMAND_LINE
) -> list[str]:
    """Revoke the key with this prefix and all keys that it made; return the prefixes of those that
    were not revoked before. Raises NotFound."""

    def end(work: Transaction) -> list[str]:
        ended = work[KeyStore].revoke(_find(work, prefix).id, now=now)
        for one in ended:
            work[AuditStore].add(by, "revoke key", by_key(one), now=now)
        return ended

    return write(database, end)


def authenticate(
    database: Database, ring: KeyRing, shown: str | None, *, client: str | None, now: datetime
) -> ApiKey | None:
    """Return the live key whose text is `shown`; None if it is missing, wrong, expired or revoked.

    A missing key does not count as an attempt. Raises RateLimited for a wrong key if `client`, an
    IP address, had too many attempts, counted under a keyed hash. The prefix is not secret; the
    rest is compared in constant time.
    """
    if shown is None:
        return None
    counter = _failures_key(ring, client)
    with database.reading() as work:
        failures = work[RateStore].count(counter, FAILURES.period, now=now)
        found = work[KeyStore].find(prefix_of(shown) or "")
        is_live = work[KeyStore].is_live(found, now)
    if found is not None and matches(shown, found) and is_live:
        if found.last_used_at is None or now - found.last_used_at >= NOTED_EVERY:
            id_ = found.id
            write(database, lambda work: work[KeyStore].touch(id_, now=now))
        return found
    if failures >= FAILURES.count:
        raise _too_many(FAILURES.period.total_seconds())
    wait = write(database, lambda work: work[RateStore].hit(counter, [FAILURES], now=now))
    if wait is not None:
        raise _too_many(wait)
    return None


def tries_left(
    database: Database, ring: KeyRing, client: str | None, *, now: datetime
) -> RateLimitStatus:
    """Return how many wrong keys a client may still send."""
    with database.reading() as work:
        left = work[RateStore].rate_limit_status(_failures_key(ring, client), FAILURES, now=now)
    return replace(left, policy=POLICY)


def _failures_key(ring: KeyRing, client: str | None) -> str:
    """Return the key of a client's counter. An IPv6 client counts as its /56, the network of one
    customer."""
    address, network = client_and_network(client)
    return f"keys/{ring.digest('rate', network if ':' in network else address)}"


def _too_many(seconds: float) -> RateLimited:
    return RateLimited(
        "too many invalid keys from your address: use a valid one, or wait", retry_after=seconds
    )
