"""What serving people needs: the database, the keys links are signed with, the limits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paperround.core.rates import SignupLimits
from paperround.core.tokens import KeyRing
from paperround.db.transactions import Database, Transaction
from paperround.delivery.model import Identity
from paperround.subscribers.imports import require_suppression_keys

KEPT = timedelta(minutes=1)
"""How long it is believed. A suppression that another process makes meanwhile, with a key that this
one has not heard of, costs its address a mail to confirm at most: confirming looks again."""


class KeyCheck:
    """Safe to share between threads: at worst two of them look at the same time."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._seen: datetime | None = None

    def require(self, work: Transaction, *, now: datetime) -> None:
        """Raise Misconfigured when a suppression was made with a key the ring has lost."""
        if self._seen is not None and self._seen <= now < self._seen + KEPT:
            return
        require_suppression_keys(work, self._keys)
        self._seen = now


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupContext:
    """Where people sign up and change their minds.

    `wake` is called after a request or a notice was written, so that mail leaves within seconds,
    `plan` when somebody is due at once. `forget_mails` removes what is kept of these Message-IDs
    outside the database, after somebody was erased.
    """

    database: Database
    keys: KeyRing
    identity: Identity
    limits: SignupLimits
    default_hour: int
    wake: Callable[[], None]
    plan: Callable[[], None]
    forget_mails: Callable[[Sequence[str]], None]
    key_check: KeyCheck = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key_check", KeyCheck(self.keys))
