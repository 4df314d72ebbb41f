"""Store learned models in the database, so every machine and backup has them."""

from datetime import datetime

from sqlalchemy import insert, select

from paperround.core.errors import NotFound
from paperround.db.dialect import delete_rows
from paperround.db.mapping import value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.ranking.models import KeptModel, ModelId, digest_of

_ABOUT = tuple(column for column in db.models.c if column.name != "content")


class ModelStore(Store):
    """Learned models. They never change, and ids are never reused."""

    def add(
        self, name: str, version: str, content: bytes, *, outcomes: int, now: datetime
    ) -> ModelId:
        """Store a model that was trained at `now` on this many outcomes."""
        row = {
            "name": name,
            "version": version,
            "fitted_at": now,
            "as_of": now,
            "outcomes": outcomes,
            "size": len(content),
            "digest": digest_of(content),
            "content": content,
        }
        adding = insert(db.models).returning(db.models.c.id)
        return ModelId(self._connection.execute(adding, row).scalar_one())

    def newest(self, name: str, *, by: datetime) -> KeptModel | None:
        """The latest model trained on nothing after `by`; of several, the last stored."""
        row = self._connection.execute(
            select(*_ABOUT)
            .where(db.models.c.name == name, db.models.c.as_of <= by)
            .order_by(db.models.c.as_of.desc(), db.models.c.id.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else value_of(KeptModel, row)

    def content(self, model: ModelId) -> bytes:
        """The content of a model. Raises NotFound."""
        found: bytes | None = self._connection.execute(
            select(db.models.c.content).where(db.models.c.id == model)
        ).scalar_one_or_none()
        if found is None:
            raise NotFound(f"there is no model {model}")
        return found

    def keep_last(self, name: str, count: int) -> int:
        """Delete all but the last `count` models; returns how many were deleted."""
        last = (
            select(db.models.c.id)
            .where(db.models.c.name == name)
            .order_by(db.models.c.id.desc())
            .limit(count)
        )
        others = (db.models.c.name == name, db.models.c.id.not_in(last))
        return delete_rows(self._connection, db.models, *others)
