"""Learned models, kept where every machine and every backup has them."""

from datetime import datetime

from sqlalchemy import delete, insert, select

from paperround.core.errors import NotFound
from paperround.db.rows import columns_of, value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.ranking.models import KeptModel, ModelId, NewModel

_ABOUT = tuple(column for column in db.models.c if column.name != "content")


class ModelStore(Store):
    """Learned models. None is ever changed, and an id is never given twice."""

    def add(self, model: NewModel, *, now: datetime) -> ModelId:
        """Keep a model that was fitted at `now`."""
        row = columns_of(model) | {
            "fitted_at": now,
            "size": len(model.content),
            "digest": model.digest,
        }
        adding = insert(db.models).returning(db.models.c.id)
        return ModelId(self._connection.execute(adding, row).scalar_one())

    def newest(self, name: str, *, by: datetime) -> KeptModel | None:
        """Of the models that know nothing from after `by`, the one that knows most; of several
        that know as much, the last made."""
        row = self._connection.execute(
            select(*_ABOUT)
            .where(db.models.c.name == name, db.models.c.as_of <= by)
            .order_by(db.models.c.as_of.desc(), db.models.c.id.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else value_of(KeptModel, row)

    def content(self, model: ModelId) -> bytes:
        """The bytes of a model. Raises NotFound."""
        found: bytes | None = self._connection.execute(
            select(db.models.c.content).where(db.models.c.id == model)
        ).scalar_one_or_none()
        if found is None:
            raise NotFound(f"there is no model {model}")
        return found

    def keep_last(self, name: str, count: int) -> int:
        """Forget all but the `count` models that were made last; returns how many went."""
        last = (
            select(db.models.c.id)
            .where(db.models.c.name == name)
            .order_by(db.models.c.id.desc())
            .limit(count)
        )
        return self._connection.execute(
            delete(db.models).where(db.models.c.name == name, db.models.c.id.not_in(last))
        ).rowcount
