"""Whether the ring has every key that suppressions were made with, asked again once a minute."""

from datetime import datetime, timedelta

from paperround.domain.tokens import KeyRing
from paperround.jobs.subscribers import require_suppression_keys
from paperround.store.unit_of_work import UnitOfWork

KEPT = timedelta(minutes=1)
"""How long it is believed. A suppression that another process makes meanwhile, with a key that this
one has not heard of, costs its address a mail to confirm at most: confirming looks again."""


class KeyCheck:
    """Safe to share between threads: at worst two of them look at the same time."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._seen: datetime | None = None

    def require(self, work: UnitOfWork, *, now: datetime) -> None:
        """Raise Misconfigured when a suppression was made with a key the ring has lost."""
        if self._seen is not None and self._seen <= now < self._seen + KEPT:
            return
        require_suppression_keys(work, self._keys)
        self._seen = now
