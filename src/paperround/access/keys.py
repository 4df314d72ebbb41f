"""Manage keys of the admin API, and authenticate requests.

After ten wrong keys within five minutes from one address, further wrong ones are refused with the
time to wait. A valid key always works: an old key in one script must not lock out the programs
beside it. Only a wrong key causes a write: a valid one costs a read.
"""

import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from paperround.access.model import ApiKey, NewKey, Scope, digest_of, key_text, matches, prefix_of
from paperround.access.rate_limiter import client_and_network
from paperround.access.store import KeyStore
from paperround.core.errors import InvalidInput, NotFound, RateLimited
from paperround.core.rates import Rate, RateLimitStatus
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
) -> CreatedKey:
    """Create a key of 256 random bits; only its hash is stored.

    Raises InvalidInput, its code the field, for an unprintable, empty or long name, for no scope,
    and for an expiry in the past.
    """
    if not (name.strip() and name.isprintable() and len(name) <= LONGEST_NAME):
        raise InvalidInput(
            f"give the key a name of up to {LONGEST_NAME} characters, such as laptop", code="name"
        )
    allowed = frozenset(scopes)
    if not allowed:
        raise InvalidInput(f"say what the key may do: {', '.join(Scope)}", code="scopes")
    if expires_at is not None and expires_at <= now:
        raise InvalidInput("the key would have expired already", code="expires_at")

    def add(work: Transaction) -> CreatedKey:
        prefix = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8))
        text = key_text(prefix, secrets.token_urlsafe(32))
        new = NewKey(
            name=name, prefix=prefix, digest=digest_of(text), scopes=allowed, expires_at=expires_at
        )
        return CreatedKey(key=work[KeyStore].add(new, now=now), text=text)

    return write(database, add)


def list_keys(database: Database) -> list[ApiKey]:
    """Return every key, newest first, without their texts."""
    with database.reading() as work:
        return work[KeyStore].all()


def revoke_key(database: Database, prefix: str, *, now: datetime) -> bool:
    """Revoke the key with this prefix; return False if it already was. Raises NotFound."""

    def end(work: Transaction) -> bool:
        found = work[KeyStore].find(prefix)
        if found is None:
            raise NotFound(f"there is no key {prefix!r:.60}: `paperround keys list` shows them")
        return work[KeyStore].revoke(found.id, now=now)

    return write(database, end)


def authenticate(
    database: Database, ring: KeyRing, shown: str | None, *, client: str | None, now: datetime
) -> ApiKey | None:
    """Return the live key whose text is `shown`; None if it is missing, wrong, expired or revoked.

    A missing key is no attempt. Raises RateLimited for a wrong key if `client`, an IP address, had
    too many attempts, counted under a keyed hash. The prefix is no secret; the rest is compared in
    constant time.
    """
    if shown is None:
        return None
    counter = _failures_key(ring, client)
    with database.reading() as work:
        failures = work[RateStore].count(counter, FAILURES.period, now=now)
        found = work[KeyStore].find(prefix_of(shown) or "")
    if found is not None and matches(shown, found) and found.is_live(now):
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
        left = work[RateStore].standing(_failures_key(ring, client), FAILURES, now=now)
    return replace(left, policy=POLICY)


def _failures_key(ring: KeyRing, client: str | None) -> str:
    """Return the key of a client's counter: an IPv6 client counts as its /56, which one customer
    has."""
    address, network = client_and_network(client)
    return f"keys/{ring.digest('rate', network if ':' in network else address)}"


def _too_many(seconds: float) -> RateLimited:
    return RateLimited(
        "too many wrong keys from your address: show a valid one, or wait", retry_after=seconds
    )
