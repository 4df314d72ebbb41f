"""Papers by their places in the editions of a list: one place each, chosen by the database.

The choice is made among narrow rows; only those that are left are read with their texts.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, and_, func, select, true

from paperround.domain.editions import EditionState
from paperround.domain.lists import ListId
from paperround.domain.places import Order, Placed
from paperround.store import schema as db
from paperround.store.edition_rows import paper_at


def places(
    connection: Connection,
    list_id: ListId,
    order: Order,
    *,
    days: tuple[date | None, date | None],
    limit: int,
    offset: int = 0,
) -> list[Placed]:
    """Papers of standing editions whose day lies within `days` (both included; None is no bound),
    from `offset` on."""
    chosen = _chosen(list_id, order, days)
    frozen = db.edition_papers.c
    found = connection.execute(
        select(
            db.edition_papers,
            db.editions.c.day,
            db.editions.c.cut,
            db.editions.c.frozen_at,
            db.joined_papers.c.into_id,
            db.papers.c.withdrawn_at,
        )
        .select_from(chosen)
        .join(
            db.edition_papers,
            and_(frozen.edition_id == chosen.c.edition_id, frozen.position == chosen.c.position),
        )
        .join(db.editions, db.editions.c.id == frozen.edition_id)
        .outerjoin(db.joined_papers, db.joined_papers.c.paper_id == frozen.paper_id)
        .join(db.papers, db.papers.c.id == chosen.c.today)
        .where(chosen.c.rank == 1)
        .order_by(*_in_order(order, chosen))
        .limit(limit)
        .offset(offset)
    )
    return [
        Placed(day=row.day, cut=row.cut, frozen_at=row.frozen_at, paper=paper_at(row))
        for row in found
    ]


def _chosen(list_id: ListId, order: Order, days: tuple[date | None, date | None]) -> FromClause:
    """Every place of the list within these days, and its rank among those of its paper."""
    frozen, since, until = db.edition_papers.c, *days
    today = func.coalesce(db.joined_papers.c.into_id, frozen.paper_id)
    rank = func.row_number().over(partition_by=today, order_by=_counts_first(order))
    return (
        select(
            frozen.edition_id,
            frozen.position,
            frozen.score,
            frozen.votes,
            db.editions.c.cut_at,
            today.label("today"),
            rank.label("rank"),
        )
        .join_from(db.edition_papers, db.editions)
        .outerjoin(db.joined_papers, db.joined_papers.c.paper_id == frozen.paper_id)
        .where(
            db.editions.c.list_id == list_id,
            db.editions.c.state != EditionState.CANCELLED.value,
            true() if since is None else db.editions.c.day >= since,
            true() if until is None else db.editions.c.day <= until,
        )
        .subquery("chosen")
    )


def _counts_first(order: Order) -> Sequence[ColumnElement[Any]]:
    """Which of a paper's places is the one that counts."""
    cut_at, edition, place = (
        db.editions.c.cut_at,
        db.edition_papers.c.edition_id,
        db.edition_papers.c.position,
    )
    match order:
        case Order.ARRIVED:
            return (cut_at, edition, place)
        case Order.VOTED:
            return (cut_at.desc(), edition.desc(), place)
        case Order.RANKED:
            return (db.edition_papers.c.score.desc(), cut_at.desc(), edition.desc(), place)


def _in_order(order: Order, chosen: FromClause) -> Sequence[ColumnElement[Any]]:
    c = chosen.c
    match order:
        case Order.ARRIVED:
            return (c.cut_at.desc(), c.edition_id.desc(), c.position)
        case Order.VOTED:
            return (func.coalesce(c.votes, -1).desc(), c.position, c.today)
        case Order.RANKED:
            return (c.score.desc(), c.cut_at.desc(), c.today)
