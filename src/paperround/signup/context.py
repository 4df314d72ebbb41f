"""What sign-up and self-service need: the database, the signing keys, the rate limits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paperround.core.rates import SignupLimits
from paperround.core.tokens import KeyRing
from paperround.db.transactions import Database, Transaction
from paperround.delivery.model import Identity
from paperround.subscribers.imports import require_suppression_keys

TRUSTED_FOR = timedelta(minutes=1)
"""How long a check is trusted. If another process meanwhile suppresses an address with a key that
this one lacks, that address gets one confirmation email at most: confirming checks again."""


class KeyCheck:
    """Checks that no suppression key is missing. Thread-safe: at worst two threads check at
    once."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._seen: datetime | None = None

    def require(self, work: Transaction, *, now: datetime) -> None:
        """Raise Misconfigured if a suppression was hashed with a key that the ring no longer
        has."""
        if self._seen is not None and self._seen <= now < self._seen + TRUSTED_FOR:
            return
        require_suppression_keys(work, self._keys)
        self._seen = now


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupContext:
    """The dependencies of sign-up and self-service.

    `wake` is called after a request or a system email was queued, so that it is sent within
    seconds; `plan` when a digest is due at once. `remove_emails` deletes the files of messages with
    these Message-IDs after a person was erased.
    """

    database: Database
    keys: KeyRing
    identity: Identity
    limits: SignupLimits
    default_hour: int
    wake: Callable[[], None]
    plan: Callable[[], None]
    remove_emails: Callable[[Sequence[str]], None]
    key_check: KeyCheck = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key_check", KeyCheck(self.keys))
