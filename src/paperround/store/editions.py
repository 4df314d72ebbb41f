"""Frozen editions: written once, in one transaction, and never changed but for their state."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, exists, func, select, true, update

from paperround.domain.deliveries import DeliveryState
from paperround.domain.editions import (
    Edition,
    EditionId,
    EditionPaper,
    EditionState,
    EditionSummary,
    NewEdition,
)
from paperround.domain.errors import Conflict, NotFound
from paperround.domain.lists import ListId
from paperround.domain.papers import PaperId, Show
from paperround.store import schema as db
from paperround.store.bulk import insert_many
from paperround.store.dialect import insert_new, insert_row

_WITH_LIST_NAME = select(db.editions, db.lists.c.name.label("list_name")).join_from(
    db.editions, db.lists
)
_STANDS = db.editions.c.state != EditionState.CANCELLED.value

_HELD = db.edition_papers.alias("held")
_SUMMARIES: Select[Any] = (
    select(
        db.lists.c.name.label("list_name"),
        db.editions.c.day,
        db.editions.c.cut,
        db.editions.c.cut_at,
        db.editions.c.empty_reason,
        db.edition_papers.c.title.label("top_title"),
        select(func.count())
        .where(_HELD.c.edition_id == db.editions.c.id)
        .scalar_subquery()
        .label("papers"),
    )
    .join_from(db.editions, db.lists)
    .join(
        db.edition_papers,
        (db.edition_papers.c.edition_id == db.editions.c.id) & (db.edition_papers.c.position == 1),
    )
)
"""Editions with their first paper: one that holds none is left out."""


class SqlEditions:
    """Editions of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, list_id: ListId, day: date, cut: str) -> Edition | None:
        """The edition of (list, day, cut), None when none was frozen."""
        return self._one(
            _WITH_LIST_NAME.where(
                db.editions.c.list_id == list_id, db.editions.c.day == day, db.editions.c.cut == cut
            )
        )

    def get(self, edition: EditionId) -> Edition:
        """The edition with this id; raises NotFound."""
        found = self._one(_WITH_LIST_NAME.where(db.editions.c.id == edition))
        if found is None:
            raise NotFound(f"there is no edition {edition}")
        return found

    def newest(self, list_id: ListId, *, by: datetime) -> Edition | None:
        """The standing edition with the latest cut at or before `by`; none that was cancelled."""
        return self._one(
            _WITH_LIST_NAME.where(
                db.editions.c.list_id == list_id, db.editions.c.cut_at <= by, _STANDS
            )
            .order_by(db.editions.c.cut_at.desc(), db.editions.c.id.desc())
            .limit(1)
        )

    def recent(
        self, list_id: ListId, *, before: date | None = None, limit: int
    ) -> list[EditionSummary]:
        """Standing editions that hold papers, newest first; of days before `before`, where that is
        said."""
        earlier = true() if before is None else db.editions.c.day < before
        rows = self._connection.execute(
            _SUMMARIES.where(db.editions.c.list_id == list_id, _STANDS, earlier)
            .order_by(
                db.editions.c.day.desc(), db.editions.c.cut_at.desc(), db.editions.c.id.desc()
            )
            .limit(limit)
        )
        return [_summary(row) for row in rows]

    def _one(self, query: Select[Any]) -> Edition | None:
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        papers = self._connection.execute(
            select(db.edition_papers, db.joined_papers.c.into_id, db.papers.c.withdrawn_at)
            .outerjoin(
                db.joined_papers, db.joined_papers.c.paper_id == db.edition_papers.c.paper_id
            )
            .join(
                db.papers,
                db.papers.c.id
                == func.coalesce(db.joined_papers.c.into_id, db.edition_papers.c.paper_id),
            )
            .where(db.edition_papers.c.edition_id == row.id)
            .order_by(db.edition_papers.c.position)
        )
        return _edition(row, tuple(_paper(paper) for paper in papers))

    def freeze(self, edition: NewEdition) -> Edition:
        """Store it; raises Conflict when that (list, day, cut) stands.

        Returns what a later reading will give, so that no mail depends on which it was made from.
        """
        statement = insert_new(self._connection, db.editions).returning(db.editions.c.id)
        id_ = self._connection.execute(statement, _row(edition)).scalar_one_or_none()
        if id_ is None:
            raise Conflict(f"the edition of {edition.day} (cut {edition.cut}) is frozen already")
        self._store_papers(id_, edition.papers)
        return self.get(EditionId(id_))

    def _store_papers(self, edition: int, papers: Sequence[EditionPaper]) -> None:
        rows = [_paper_row(edition, paper) for paper in papers]
        insert_many(self._connection, insert_row(db.edition_papers), rows)

    def discard_empty(self, edition: EditionId) -> bool:
        """Forget an edition without papers and the skipped rows planned from it, so that the day
        can be published after all. False, and nothing done, when it holds papers or mails."""
        of_edition = db.deliveries.c.edition_id == edition
        held = self._connection.execute(
            select(
                exists().where(db.edition_papers.c.edition_id == edition)
                | exists().where(of_edition, db.deliveries.c.state != DeliveryState.SKIPPED.value)
            )
        ).scalar_one()
        if held:
            return False
        self._connection.execute(delete(db.deliveries).where(of_edition))
        self._connection.execute(delete(db.shards).where(db.shards.c.edition_id == edition))
        self._connection.execute(delete(db.editions).where(db.editions.c.id == edition))
        return True

    def set_state(self, edition: EditionId, state: EditionState) -> None:
        """Move the edition to `state`; a cancelled one stays cancelled. Raises NotFound."""
        found = self._connection.execute(
            select(db.editions.c.state).where(db.editions.c.id == edition)
        )
        if found.scalar_one_or_none() is None:
            raise NotFound(f"there is no edition {edition}")
        self._connection.execute(
            update(db.editions).where(db.editions.c.id == edition, _STANDS).values(state=state)
        )


def _row(edition: NewEdition) -> dict[str, Any]:
    return {
        "list_id": edition.list_id,
        "day": edition.day,
        "cut": edition.cut,
        "as_of": edition.as_of,
        "frozen_at": edition.frozen_at,
        "ranker": edition.ranker,
        "state": EditionState.FROZEN,
        "empty_reason": edition.empty_reason,
        "quiet_reason": edition.quiet_reason,
        "sources": list(edition.sources),
        "cut_at": edition.cut_at,
    }


def _paper_row(edition: int, paper: EditionPaper) -> dict[str, Any]:
    return {
        "edition_id": edition,
        "position": paper.position,
        "paper_id": paper.paper_id,
        "title": paper.title,
        "authors": list(paper.authors),
        "gist": paper.gist,
        "links": dict(paper.links),
        "identifiers": dict(paper.identifiers),
        "score": paper.score,
        "parts": dict(paper.parts),
        "reason": paper.reason,
        "votes": paper.votes,
        "comments": paper.comments,
        "show": paper.show,
    }


def _edition(row: Row[Any], papers: tuple[EditionPaper, ...]) -> Edition:
    return Edition(
        id=EditionId(row.id),
        list_id=ListId(row.list_id),
        list_name=row.list_name,
        day=row.day,
        cut=row.cut,
        as_of=row.as_of,
        frozen_at=row.frozen_at,
        ranker=row.ranker,
        state=EditionState(row.state),
        papers=papers,
        empty_reason=row.empty_reason,
        quiet_reason=row.quiet_reason,
        sources=tuple(row.sources),
        cut_at=row.cut_at,
    )


def _summary(row: Row[Any]) -> EditionSummary:
    return EditionSummary(
        list_name=row.list_name,
        day=row.day,
        cut=row.cut,
        cut_at=row.cut_at,
        papers=row.papers,
        top_title=row.top_title,
        empty_reason=row.empty_reason,
    )


def _paper(row: Row[Any]) -> EditionPaper:
    return EditionPaper(
        position=row.position,
        paper_id=PaperId(row.into_id or row.paper_id),
        frozen_id=None if row.into_id is None else PaperId(row.paper_id),
        title=row.title,
        authors=tuple(row.authors),
        gist=row.gist,
        links=row.links,
        identifiers=row.identifiers,
        score=row.score,
        parts=row.parts,
        reason=row.reason,
        votes=row.votes,
        comments=row.comments,
        show=Show(row.show),
        withdrawn=row.withdrawn_at is not None,
    )
