"""Hold editions before they go out, and store what an editor changes meanwhile.

    frozen ─► held until an instant ─► approved, or that instant has come ─► out

Every change locks the edition and requires that it is held, so an edition that is out never
changes.
"""

from datetime import date, datetime

from sqlalchemy import select

from paperround.db.dialect import delete_rows, insert_new, update_rows
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.editions.lists import ListId
from paperround.editions.model import EditionId, EditionPaper, EditionState, EditorsChanges
from paperround.editions.store.mapping import edits_column, paper_columns

_STANDS = db.editions.c.state != EditionState.CANCELLED.value


class HeldEditions(Store):
    """Stores holds and the changes of editors."""

    def ids(
        self, list_id: ListId | None, *, before: EditionId | None, limit: int
    ) -> list[EditionId]:
        """Return the ids of editions, even held and cancelled ones, newest first."""
        c = db.editions.c
        wanted = select(c.id).order_by(c.id.desc()).limit(limit)
        if list_id is not None:
            wanted = wanted.where(c.list_id == list_id)
        if before is not None:
            wanted = wanted.where(c.id < before)
        return [EditionId(one) for one in self._connection.execute(wanted).scalars()]

    def of_day(self, list_id: ListId, day: date) -> list[EditionId]:
        """Return the ids of the editions of a day, even held and cancelled ones, in order."""
        c = db.editions.c
        wanted = select(c.id).where(c.list_id == list_id, c.day == day).order_by(c.cut_at, c.id)
        return [EditionId(one) for one in self._connection.execute(wanted).scalars()]

    def held(self, list_id: ListId | None, *, now: datetime) -> list[EditionId]:
        """Return the ids of the editions that are held, of a list or of all, the oldest first."""
        c = db.editions.c
        wanted = select(c.id).where(_STANDS, c.held_until > now)
        if list_id is not None:
            wanted = wanted.where(c.list_id == list_id)
        return [
            EditionId(one)
            for one in self._connection.execute(wanted.order_by(c.cut_at, c.id)).scalars()
        ]

    def approve(self, edition: EditionId, *, now: datetime) -> bool:
        """End the hold of an edition; return False unless it is held at `now`."""
        c = db.editions.c
        its = (c.id == edition, _STANDS, c.held_until > now)
        ended = {"held_until": None, "released_at": now}
        return update_rows(self._connection, db.editions, *its, **ended) > 0

    def is_any_due(self, *, now: datetime) -> bool:
        """Return whether the hold of an edition has ended."""
        c = db.editions.c
        due = select(c.id).where(c.held_until <= now).limit(1)
        return self._connection.execute(due).first() is not None

    def release_due(self, *, now: datetime) -> int:
        """Release the editions whose hold has ended; return how many."""
        c = db.editions.c
        released = {"released_at": c.held_until, "held_until": None}
        return update_rows(self._connection, db.editions, c.held_until <= now, **released)

    def lock_held(self, edition: EditionId, *, now: datetime) -> bool:
        """Lock the edition and return whether it is held at `now`. Approving or cancelling it waits
        for this transaction."""
        c = db.editions.c
        held = select(c.id).where(c.id == edition, _STANDS, c.held_until > now).with_for_update()
        return self._connection.execute(held).first() is not None

    def edit(self, edition: EditionId, edits: EditorsChanges) -> None:
        """Store what an editor changed, in place of earlier changes."""
        its = db.editions.c.id == edition
        update_rows(self._connection, db.editions, its, edits=edits_column(edits))

    def add_chosen(self, edition: EditionId, paper: EditionPaper) -> None:
        """Store the texts of a paper that an editor chose, if they are not stored yet."""
        adding = insert_new(self._connection, db.behind_papers)
        self._connection.execute(adding, paper_columns(edition, paper))

    def remove_chosen(self, edition: EditionId, position: int) -> None:
        """Delete the texts that `add_chosen` stored."""
        c = db.behind_papers.c
        its = (c.edition_id == edition, c.position == position)
        delete_rows(self._connection, db.behind_papers, *its)
