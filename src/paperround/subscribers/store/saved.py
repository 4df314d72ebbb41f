"""Store the notes and collections of saved papers.

A saved paper is feedback with the verdict `save`. A collection is a name that papers share: it
exists as long as one paper has it.
"""

from collections.abc import Sequence

from sqlalchemy import select

from paperround.db.dialect import update_rows
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.papers.model import PaperId
from paperround.subscribers.model import SubscriberId
from paperround.subscribers.readers import SavedPaper

SAVE = "save"


class SavedPapers(Store):
    """The saved papers of readers, in one transaction."""

    def saved_by(self, subscriber: SubscriberId) -> list[SavedPaper]:
        """Return all papers that a person saved, the last one first."""
        c = db.feedback.c
        found = self._connection.execute(
            select(c.paper_id, c.created_at, c.note, c.collections)
            .where(c.subscriber_id == subscriber, c.verdict == SAVE)
            .order_by(c.created_at.desc(), c.id.desc())
        )
        return [
            SavedPaper(
                paper_id=PaperId(paper),
                saved_at=saved_at,
                note=note or "",
                collections=tuple(collections or ()),
            )
            for paper, saved_at, note, collections in found
        ]

    def annotate(
        self, subscriber: SubscriberId, paper: PaperId, note: str, collections: Sequence[str]
    ) -> bool:
        """Replace note and collections of a saved paper; return False if it is not saved."""
        c = db.feedback.c
        values = {"note": note or None, "collections": list(collections) or None}
        theirs = (c.subscriber_id == subscriber, c.paper_id == paper, c.verdict == SAVE)
        return update_rows(self._connection, db.feedback, *theirs, **values) > 0
