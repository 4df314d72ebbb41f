"""Store mailing lists."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, literal, select, update

from paperround.core.errors import NotFound
from paperround.core.languages import marked
from paperround.db.dialect import insert_new
from paperround.db.mapping import columns_of, value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.editions.lists import DEFAULT_LIST, ListId, MailingList

DEFAULT_TITLE = "Trending papers"


class ListStore(Store):
    """Stores mailing lists."""

    def get(self, name: str) -> MailingList:
        """Return the list `name`. Raises NotFound, naming the existing lists."""
        found = self._find(name)
        if found is None:
            names = self._connection.execute(
                select(db.lists.c.name).order_by(db.lists.c.name)
            ).scalars()
            raise NotFound(
                marked(
                    "no list is called %(given)s; there is %(name)s",
                    given=name,
                    name=", ".join(names) or "none yet",
                )
            )
        return found

    def default(self) -> MailingList | None:
        """Return the default list, None before it is created."""
        return self._find(DEFAULT_LIST)

    def all(self) -> list[MailingList]:
        """Return every list, by name."""
        rows = self._connection.execute(select(db.lists).order_by(db.lists.c.name))
        return [_mailing_list(row) for row in rows]

    def page(self, after: ListId, *, limit: int) -> list[MailingList]:
        """Return lists with an id above `after`, by id."""
        c = db.lists.c
        rows = self._connection.execute(
            select(db.lists).where(c.id > after).order_by(c.id).limit(limit)
        )
        return [_mailing_list(row) for row in rows]

    def pause(self, list_id: ListId, *, now: datetime) -> bool:
        """Pause the list until `resume`; return False if it is paused already."""
        pausing = update(db.lists).where(db.lists.c.id == list_id, db.lists.c.paused_at.is_(None))
        return self._connection.execute(pausing.values(paused_at=now)).rowcount > 0

    def resume(self, list_id: ListId) -> bool:
        """End the pause; return False if there is none."""
        resuming = update(db.lists).where(
            db.lists.c.id == list_id, db.lists.c.paused_at.is_not(None)
        )
        return self._connection.execute(resuming.values(paused_at=None)).rowcount > 0

    def set_hold(self, list_id: ListId, minutes: int) -> None:
        """Set how long later editions of the list are held."""
        holding = update(db.lists).where(db.lists.c.id == list_id)
        self._connection.execute(holding.values(hold_minutes=minutes))

    def hold_after_restore(self, *, now: datetime) -> None:
        """Pause every list, and block sending what was due or counted before `now`."""
        since = literal(now, db.lists.c.paused_at.type)  # or SQLite writes it without a zone
        self._connection.execute(
            update(db.lists).values(
                paused_at=func.coalesce(db.lists.c.paused_at, since), not_before=now
            )
        )

    def _find(self, name: str) -> MailingList | None:
        row = self._connection.execute(select(db.lists).where(db.lists.c.name == name)).first()
        return None if row is None else _mailing_list(row)

    def ensure_default(self, *, zone: str, now: datetime) -> MailingList:
        """Create the list `trending` if it is missing, set its zone, and return it."""
        fresh = MailingList(id=ListId(0), name=DEFAULT_LIST, title=DEFAULT_TITLE, zone=zone)
        columns = columns_of(fresh) | {"created_at": now}
        del columns["id"]
        self._connection.execute(insert_new(self._connection, db.lists), columns)
        moved = self._connection.execute(
            update(db.lists)
            .where(db.lists.c.name == DEFAULT_LIST, db.lists.c.zone != zone)
            .values(zone=zone)
            .returning(db.lists.c.id)
        )
        for list_id in moved.scalars().all():
            # Reset the due times of readers in the list's zone, except of digests already due.
            self._connection.execute(
                update(db.subscriptions)
                .where(
                    db.subscriptions.c.list_id == list_id,
                    db.subscriptions.c.timezone.is_(None),
                    db.subscriptions.c.due_at > now,
                )
                .values(due_at=None)
            )
        return self.get(DEFAULT_LIST)


def _mailing_list(row: Row[Any]) -> MailingList:
    lists = {name: tuple(getattr(row, name)) for name in ("feeds", "categories", "cuts")}
    return value_of(MailingList, row, hold_minutes=row.hold_minutes or 0, **lists)
