"""Where it is written down what operators did."""

from datetime import datetime
from typing import Protocol

from paperround.domain.audit import AuditEntry, Deed


class AuditStore(Protocol):
    """The audit. Nothing in it is ever changed."""

    def note(self, deed: Deed, *, now: datetime) -> None:
        """Write down what is being done, in the transaction that does it."""
        ...

    def latest(self, action: str, target: str) -> AuditEntry | None:
        """The newest entry of that action on that target."""
        ...

    def page(self, *, before: int | None, limit: int) -> list[AuditEntry]:
        """Entries with an id below `before`, newest first."""
        ...
