"""Addresses that must never be mailed, kept as keyed hashes that outlive an erasure."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import (
    Connection,
    or_,
    select,
    update,
)

from paperround.domain.returns import COMPLAINT, GONE
from paperround.store import schema as db
from paperround.store.dialect import among, insert_new

_STANDING = db.suppressions.c.lifted_at.is_(None)
_KEYS = select(db.suppressions.c.key_id).where(_STANDING).distinct()


class Suppressions:
    """Suppressions of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def suppress(self, digest: str, key_id: str, *, reason: str, now: datetime) -> bool:
        """Keep a keyed hash that must never be mailed; False when it stands already. A complaint
        stands in the place of a mail that came back: nobody takes that for a mistake."""
        row = {"digest": digest, "key_id": key_id, "reason": reason, "since": now}
        added = insert_new(self._connection, db.suppressions).returning(db.suppressions.c.digest)
        if self._connection.execute(added, row).one_or_none() is not None:
            return True
        c = db.suppressions.c
        weaker = [GONE] if reason == COMPLAINT else []
        again = update(db.suppressions).where(
            c.digest == digest, or_(c.lifted_at.is_not(None), c.reason.in_(weaker))
        )
        values = {"key_id": key_id, "reason": reason, "since": now, "lifted_at": None}
        return self._connection.execute(again.values(values)).rowcount == 1

    def lift(self, digest: str, *, now: datetime) -> bool:
        """End a suppression, keeping that it once stood; False when it does not stand."""
        lifting = update(db.suppressions).where(db.suppressions.c.digest == digest, _STANDING)
        return self._connection.execute(lifting.values(lifted_at=now)).rowcount == 1

    def suppressed(self, digests: Collection[str]) -> frozenset[str]:
        """Those of `digests` that stand suppressed."""
        if not digests:
            return frozenset()
        c = db.suppressions.c
        listed = among(self._connection, c.digest, digests)
        found = self._connection.execute(select(c.digest).where(listed, _STANDING))
        return frozenset(found.scalars())

    def suppression_keys(self) -> frozenset[str]:
        """The names of the keys that standing suppressions were hashed with."""
        found = self._connection.execute(_KEYS).all()
        return frozenset(row.key_id for row in found)

    def suppressions(self) -> list[tuple[str, str, datetime]]:
        """(digest, reason, since) of every standing suppression, oldest first."""
        found = self._connection.execute(
            select(db.suppressions.c.digest, db.suppressions.c.reason, db.suppressions.c.since)
            .where(_STANDING)
            .order_by(db.suppressions.c.since, db.suppressions.c.digest)
        )
        return [(digest, reason, since) for digest, reason, since in found]
