"""What operators did: written down in the transaction that does it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, true

from paperround.domain.keys import AuditEntry, Deed
from paperround.store import schema as db
from paperround.store.dialect import insert_row
from paperround.store.values import columns_of, value_of


class AuditStore:
    """The audit. Nothing in it is ever changed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, deed: Deed, *, now: datetime) -> None:
        """Write down what is done, in the transaction that does it."""
        row = columns_of(deed) | {"at": now, "details": dict(deed.details)}
        self._connection.execute(insert_row(db.audit), row)

    def latest(self, action: str, target: str) -> AuditEntry | None:
        """The newest entry of that action on that target."""
        found = self._connection.execute(
            select(db.audit)
            .where(db.audit.c.action == action, db.audit.c.target == target)
            .order_by(db.audit.c.id.desc())
            .limit(1)
        ).one_or_none()
        return None if found is None else _entry(found)

    def page(self, *, before: int | None, limit: int) -> list[AuditEntry]:
        """Entries with an id below `before`, newest first."""
        earlier = true() if before is None else db.audit.c.id < before
        found = self._connection.execute(
            select(db.audit).where(earlier).order_by(db.audit.c.id.desc()).limit(limit)
        )
        return [_entry(row) for row in found]


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(id=row.id, at=row.at, deed=value_of(Deed, row))
