"""Keys of the admin API, kept as hashes."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from paperround.domain.errors import Conflict, NotFound
from paperround.domain.keys import ApiKey, KeyId, NewKey, Scope
from paperround.store import schema as db
from paperround.store.dialect import insert_new
from paperround.store.values import columns_of, value_of


class KeyStore:
    """Keys of the admin API."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, key: NewKey, *, now: datetime) -> ApiKey:
        """Keep it; raises Conflict when its prefix is taken."""
        adding = insert_new(self._connection, db.api_keys).returning(*db.api_keys.c)
        new = columns_of(key) | {"scopes": sorted(key.scopes), "created_at": now}
        row = self._connection.execute(adding, new).one_or_none()
        if row is None:
            raise Conflict(f"a key with the prefix {key.prefix} exists already: make another one")
        return _key(row)

    def find(self, prefix: str) -> ApiKey | None:
        """The key with this prefix, live or not."""
        row = self._connection.execute(
            select(db.api_keys).where(db.api_keys.c.prefix == prefix)
        ).one_or_none()
        return None if row is None else _key(row)

    def all(self) -> list[ApiKey]:
        """Every key, newest first."""
        newest = select(db.api_keys).order_by(
            db.api_keys.c.created_at.desc(), db.api_keys.c.id.desc()
        )
        return [_key(row) for row in self._connection.execute(newest)]

    def revoke(self, key: KeyId, *, now: datetime) -> bool:
        """End a key; False when it was ended already. Raises NotFound."""
        ending = (
            update(db.api_keys)
            .where(db.api_keys.c.id == key, db.api_keys.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        if self._connection.execute(ending).rowcount:
            return True
        found = select(db.api_keys.c.id).where(db.api_keys.c.id == key)
        if self._connection.execute(found).one_or_none() is None:
            raise NotFound(f"there is no key {key}")
        return False

    def touch(self, key: KeyId, *, now: datetime) -> None:
        """Note that the key was used; the latest use counts, whoever notes it first."""
        last = db.api_keys.c.last_used_at
        self._connection.execute(
            update(db.api_keys)
            .where(db.api_keys.c.id == key, or_(last.is_(None), last < now))
            .values(last_used_at=now)
        )


def _key(row: Row[Any]) -> ApiKey:
    return value_of(ApiKey, row, scopes=frozenset(map(Scope, row.scopes)))
