"""Editions as an archive lists them, and the places one paper had in them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Select, bindparam, func, or_, select

from paperround.domain.editions import EditionState, EditionSummary, Stood
from paperround.domain.lists import ListId
from paperround.domain.papers import PaperId
from paperround.store import schema as db
from paperround.store.edition_rows import paper_at, summary_of
from paperround.store.values import value_of

STANDS = db.editions.c.state != EditionState.CANCELLED.value
NEWEST_FIRST = (db.editions.c.day.desc(), db.editions.c.cut_at.desc(), db.editions.c.id.desc())

_HELD = db.edition_papers.alias("held")
_FIRST = db.edition_papers.alias("first")
_TO_FIRST: ColumnElement[bool] = (_FIRST.c.edition_id == db.editions.c.id) & (
    _FIRST.c.position == 1
)
_COLUMNS = (
    db.lists.c.name.label("list_name"),
    db.editions.c.day,
    db.editions.c.cut,
    db.editions.c.cut_at,
    db.editions.c.empty_reason,
    db.editions.c.quiet_reason,
    _FIRST.c.title.label("top_title"),
    select(func.count())
    .where(_HELD.c.edition_id == db.editions.c.id)
    .scalar_subquery()
    .label("papers"),
)

SUMMARIES: Select[Any] = (
    select(*_COLUMNS).join_from(db.editions, db.lists).outerjoin(_FIRST, _TO_FIRST)
)
"""Editions, with their first paper where they hold one."""

FILLED: Select[Any] = select(*_COLUMNS).join_from(db.editions, db.lists).join(_FIRST, _TO_FIRST)
"""Editions that hold papers."""


_OF_LIST = (db.editions.c.list_id == bindparam("list_id"), STANDS)
_BETWEEN = SUMMARIES.where(
    *_OF_LIST, db.editions.c.day.between(bindparam("since"), bindparam("until"))
).order_by(*NEWEST_FIRST)
_FOLLOWING = (
    FILLED.where(*_OF_LIST, db.editions.c.day > bindparam("after"))
    .order_by(db.editions.c.day, *NEWEST_FIRST[1:])
    .limit(1)
)
_OTHERS = select(db.joined_papers.c.paper_id).where(
    db.joined_papers.c.into_id == bindparam("paper")
)
_STOOD = (
    select(
        db.edition_papers,
        db.lists.c.name.label("list_name"),
        db.lists.c.title.label("list_title"),
        db.editions.c.day,
        db.editions.c.cut,
        db.editions.c.cut_at,
        db.joined_papers.c.into_id,
        db.papers.c.withdrawn_at,
    )
    .join_from(db.edition_papers, db.editions)
    .join(db.lists, db.lists.c.id == db.editions.c.list_id)
    .join(db.papers, db.papers.c.id == bindparam("paper"))
    .outerjoin(db.joined_papers, db.joined_papers.c.paper_id == db.edition_papers.c.paper_id)
    .where(
        or_(
            db.edition_papers.c.paper_id == bindparam("paper"),
            db.edition_papers.c.paper_id.in_(_OTHERS),
        ),
        STANDS,
    )
    .order_by(db.editions.c.cut_at.desc(), db.editions.c.id.desc(), db.edition_papers.c.position)
    .limit(bindparam("most", type_=Integer()))
)


def between(
    connection: Connection, list_id: ListId, *, since: date, until: date
) -> list[EditionSummary]:
    """Every standing edition of these days, both included, newest first."""
    rows = connection.execute(_BETWEEN, {"list_id": list_id, "since": since, "until": until}).all()
    return [summary_of(row) for row in rows]


def following(connection: Connection, list_id: ListId, *, after: date) -> EditionSummary | None:
    """The last edition of the next day after `after` that has one with papers."""
    row = connection.execute(_FOLLOWING, {"list_id": list_id, "after": after}).first()
    return None if row is None else summary_of(row)


def stood(connection: Connection, paper: PaperId, *, limit: int) -> Sequence[Stood]:
    """Where a paper stood, under any id it ever had, the newest edition first."""
    rows = connection.execute(_STOOD, {"paper": paper, "most": limit}).all()
    return [value_of(Stood, row, paper=paper_at(row)) for row in rows]
