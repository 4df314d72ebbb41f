"""Slots for things that happen once, and heartbeats. A slot is a row; its key decides races."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select

from paperround.db.dialect import delete_rows, insert_new, insert_with_conflict, upsert
from paperround.db.schema import tables as db
from paperround.db.transactions import Store

BEAT = "beat"
BACKUP = "backup"
"""The heartbeat of backups that `paperround db backup` wrote."""

KIND, ANCHOR, MARK = "demo", "anchor", "database"
"""Slots of a demo: `anchor` for one with sample data, `database` for any demo."""


class SlotStore(Store):
    """Stores slots and heartbeats."""

    def take(self, kind: str, slot: str, *, now: datetime) -> bool:
        """Take (kind, slot); return False when it was taken before.

        Waits for another transaction that is taking it.
        """
        statement = insert_new(self._connection, db.slots).returning(db.slots.c.slot)
        row = {"kind": kind, "slot": slot, "taken_at": now}
        return self._connection.execute(statement, row).one_or_none() is not None

    def taken_at(self, kind: str, slot: str) -> datetime | None:
        """Return when (kind, slot) was taken, or had its last heartbeat; None when never."""
        taken: datetime | None = self._connection.execute(
            select(db.slots.c.taken_at).where(db.slots.c.kind == kind, db.slots.c.slot == slot)
        ).scalar_one_or_none()
        return taken

    def is_of_a_demo(self) -> bool:
        """Whether a demo created this database. Old versions only left the anchor."""
        return any(self.taken_at(KIND, one) is not None for one in (MARK, ANCHOR))

    def give_back(self, kind: str, slot: str) -> bool:
        """Undo `take`; return False when (kind, slot) was not taken."""
        c = db.slots.c
        return delete_rows(self._connection, db.slots, c.kind == kind, c.slot == slot) > 0

    def beat(self, name: str, *, now: datetime) -> None:
        """Set the heartbeat `name` to `now`."""
        statement = upsert(self._connection, db.slots, ("kind", "slot"), ("taken_at",))
        self._connection.execute(statement, {"kind": BEAT, "slot": name, "taken_at": now})

    def advance(self, name: str, *, now: datetime) -> datetime:
        """Move the heartbeat `name` to `now`, or to a microsecond after its last value if that is
        later. Returns its new value."""
        before = self.last_beat(name)
        at = now if before is None else max(now, before + timedelta(microseconds=1))
        dialect = self._connection.dialect.name
        statement = insert_with_conflict(dialect, db.slots)
        later = func.greatest if dialect == "postgresql" else func.max
        latest = later(statement.excluded.taken_at, db.slots.c.taken_at)
        statement = statement.on_conflict_do_update(
            index_elements=("kind", "slot"), set_={"taken_at": latest}
        ).returning(db.slots.c.taken_at)
        row = {"kind": BEAT, "slot": name, "taken_at": at}
        advanced: datetime = self._connection.execute(statement, row).scalar_one()
        return advanced

    def last_beat(self, name: str) -> datetime | None:
        """Return the last heartbeat of `name`, None when there is none."""
        return self.taken_at(BEAT, name)

    def beats(self, of: str) -> Mapping[str, datetime]:
        """Return the heartbeats whose names start with `of`, by the rest of the name."""
        c = db.slots.c
        found = self._connection.execute(
            select(c.slot, c.taken_at).where(c.kind == BEAT, c.slot.startswith(of, autoescape=True))
        )
        return {row.slot.removeprefix(of): row.taken_at for row in found}

    def forget(self, kind: str, *, before: datetime) -> int:
        """Delete slots of `kind` taken before; return how many."""
        c = db.slots.c
        return delete_rows(self._connection, db.slots, c.kind == kind, c.taken_at < before)

    def forget_later(self, kind: str, *, than: datetime) -> int:
        """Delete slots of `kind` taken after `than`; return how many."""
        c = db.slots.c
        return delete_rows(self._connection, db.slots, c.kind == kind, c.taken_at > than)
