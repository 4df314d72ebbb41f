"""Store mailing lists."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, literal, or_, select, true

from paperround.core.errors import InvalidInput, NotFound
from paperround.core.languages import marked
from paperround.db.dialect import insert_new, update_rows
from paperround.db.mapping import columns_of, value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.editions.lists import (
    DEFAULT_LIST,
    ListId,
    ListLook,
    ListSettings,
    MailingList,
    SignupPolicy,
)

DEFAULT_TITLE = "Trending papers"


class ListStore(Store):
    """Stores mailing lists."""

    def get(self, name: str) -> MailingList:
        """Return the list `name`. Raises NotFound, naming the existing lists."""
        found = self._find(name)
        if found is None:
            raise _unknown(name, self.all())
        return found

    def get_public(self, name: str, *, opened: bool = False) -> MailingList:
        """Return the list `name` for a page. Raises NotFound, for a private list too unless a link
        of its own `opened` it."""
        found = self._find(name)
        if found is None or (found.private and not opened):
            raise self.unknown(name)
        return found

    def unknown(self, name: str) -> NotFound:
        """Return the error for a list that a visitor may not know of: it names the public lists."""
        return _unknown(name, self.public())

    def public(self) -> list[MailingList]:
        """Return every list that is not private, by name."""
        return [one for one in self.all() if not one.private]

    def default(self) -> MailingList | None:
        """Return the default list, None before it is created."""
        return self._find(DEFAULT_LIST)

    def all(self) -> list[MailingList]:
        """Return every list, by name."""
        rows = self._connection.execute(select(db.lists).order_by(db.lists.c.name))
        return [_mailing_list(row) for row in rows]

    def live(self) -> list[MailingList]:
        """Return every list that is not archived, by name."""
        return [one for one in self.all() if one.archived_at is None]

    def get_live(self, name: str) -> MailingList:
        """Return the list `name`. Raises NotFound, and InvalidInput if it is archived."""
        found = self.get(name)
        if found.archived_at is not None:
            raise InvalidInput(
                f"the list {name} is archived: restore it with `paperround lists restore {name}`",
                code="list",
            )
        return found

    def get_for_update(self, name: str) -> MailingList:
        """Return the list `name`, locked until the transaction ends. Raises NotFound."""
        locking = select(db.lists.c.id).where(db.lists.c.name == name).with_for_update()
        self._connection.execute(locking)
        return self.get(name)

    def page(self, after: ListId, *, limit: int, only_public: bool = False) -> list[MailingList]:
        """Return lists with an id above `after`, by id."""
        c = db.lists.c
        shown = or_(c.private.is_(None), c.private.is_(False)) if only_public else true()
        rows = self._connection.execute(
            select(db.lists).where(c.id > after, shown).order_by(c.id).limit(limit)
        )
        return [_mailing_list(row) for row in rows]

    def pause(self, list_id: ListId, *, now: datetime) -> bool:
        """Pause the list until `resume`; return False if it is paused already."""
        c = db.lists.c
        theirs = (c.id == list_id, c.paused_at.is_(None))
        return update_rows(self._connection, db.lists, *theirs, paused_at=now) > 0

    def resume(self, list_id: ListId) -> bool:
        """End the pause; return False if there is none."""
        c = db.lists.c
        theirs = (c.id == list_id, c.paused_at.is_not(None))
        return update_rows(self._connection, db.lists, *theirs, paused_at=None) > 0

    def set_hold(self, list_id: ListId, minutes: int) -> None:
        """Set how long later editions of the list are held."""
        update_rows(self._connection, db.lists, db.lists.c.id == list_id, hold_minutes=minutes)

    def hold_after_restore(self, *, now: datetime) -> None:
        """Pause every list, and block sending what was due or counted before `now`."""
        since = literal(now, db.lists.c.paused_at.type)  # or SQLite writes it without a zone
        paused_at = func.coalesce(db.lists.c.paused_at, since)
        update_rows(self._connection, db.lists, paused_at=paused_at, not_before=now)

    def _find(self, name: str) -> MailingList | None:
        row = self._connection.execute(select(db.lists).where(db.lists.c.name == name)).first()
        return None if row is None else _mailing_list(row)

    def ensure_default(self, *, zone: str, now: datetime) -> MailingList:
        """Create the list `trending` if it is missing, set its zone unless an operator chose it,
        and return it."""
        self.add(DEFAULT_LIST, ListSettings(title=DEFAULT_TITLE, zone=zone), now=now)
        current = self.get(DEFAULT_LIST)
        if current.has_own_zone or current.zone == zone:
            return current
        update_rows(self._connection, db.lists, db.lists.c.id == current.id, zone=zone)
        self.reset_clocks(current.id, now=now)
        return self.get(DEFAULT_LIST)

    def add(self, name: str, settings: ListSettings, *, now: datetime) -> bool:
        """Store a new list; return False if the name is taken."""
        row = columns_of(settings) | {
            "look": columns_of(settings.look),
            "name": name,
            "submitter_cap": 3,
            "settings": {},
            "created_at": now,
        }
        adding = insert_new(self._connection, db.lists).returning(db.lists.c.id)
        return self._connection.execute(adding, row).one_or_none() is not None

    def change(self, list_id: ListId, settings: ListSettings, *, has_own_zone: bool) -> None:
        """Replace the settings of a list."""
        row = columns_of(settings) | {"look": columns_of(settings.look)}
        its = db.lists.c.id == list_id
        update_rows(self._connection, db.lists, its, **row, has_own_zone=has_own_zone)

    def set_archived(self, list_id: ListId, at: datetime | None) -> None:
        """Archive a list, or restore it with None."""
        update_rows(self._connection, db.lists, db.lists.c.id == list_id, archived_at=at)

    def reset_clocks(
        self, list_id: ListId, *, now: datetime, zone: bool = True, hour: bool = False
    ) -> None:
        """Reschedule the next digest of readers who leave the time zone, or the hour, to the
        list, except of digests already due."""
        c = db.subscriptions.c
        follows = [
            column.is_(None) for column, counts in ((c.timezone, zone), (c.hour, hour)) if counts
        ]
        theirs = (c.list_id == list_id, or_(*follows), c.due_at > now)
        update_rows(self._connection, db.subscriptions, *theirs, due_at=None)

    def restart_clocks(self, list_id: ListId) -> None:
        """Reschedule the next digest of every reader."""
        theirs = db.subscriptions.c.list_id == list_id
        update_rows(self._connection, db.subscriptions, theirs, due_at=None)


def _unknown(name: str, lists: Sequence[MailingList]) -> NotFound:
    names = ", ".join(one.name for one in lists) or "none yet"
    return NotFound(
        marked("no list is called %(given)s; known lists: %(name)s", given=name, name=names)
    )


def _mailing_list(row: Row[Any]) -> MailingList:
    columns = ("feeds", "categories", "cuts", "frequencies", "languages", "domains")
    lists = {name: tuple(getattr(row, name) or ()) for name in columns}
    return value_of(
        MailingList,
        row,
        **lists,
        description=row.description or "",
        search=row.search or "",
        look=ListLook(**(row.look or {})),
        signup=SignupPolicy(row.signup or SignupPolicy.OPEN),
        private=bool(row.private),
        hold_minutes=row.hold_minutes or 0,
        has_own_zone=bool(row.has_own_zone),
    )
