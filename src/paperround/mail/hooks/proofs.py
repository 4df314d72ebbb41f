"""What the proofs of several providers share: secrets, ages."""

import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta

from paperround.domain.errors import Forged

LONGEST_WAY = timedelta(hours=25)
"""Providers try again for a day at most, some of them with the signature of the first time."""
AHEAD = timedelta(minutes=5)
"""How far their clocks may be before ours."""


def is_one_of(shown: str, secrets: Iterable[str]) -> bool:
    """Whether `shown` is one of the secrets. Takes as long whichever it is, and how near."""
    given = shown.encode("utf-8", "replace")
    return sum(hmac.compare_digest(given, secret.encode()) for secret in secrets) > 0


def require_fresh(at: datetime | None, *, now: datetime, within: timedelta = LONGEST_WAY) -> None:
    """Raise Forged for what was signed longer ago than any provider still sends it."""
    if at is None or not now - within <= at <= now + AHEAD:
        raise Forged("its signature is too old, or of the future")
