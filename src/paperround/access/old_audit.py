"""Delete old entries of the audit log: the only place that may."""

from datetime import datetime

from sqlalchemy import delete, select

from paperround.db.dialect import column_in
from paperround.db.schema import tables as db
from paperround.db.transactions import Store


class OldAudit(Store):
    """The oldest entries of the audit log."""

    def forget(self, *, before: datetime, limit: int) -> None:
        """Delete those of the `limit` oldest entries that are from before then."""
        c = db.audit.c
        oldest = self._connection.execute(select(c.id, c.at).order_by(c.id).limit(limit))
        ids = [row.id for row in oldest if row.at < before]
        if ids:
            self._connection.execute(delete(db.audit).where(column_in(self._connection, c.id, ids)))
