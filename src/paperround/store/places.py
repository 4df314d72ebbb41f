"""Papers by their places in the editions of a list: one place each, chosen by the database.

The choice is made among narrow rows; only those that are left are read with their texts.
"""

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    and_,
    bindparam,
    func,
    select,
    true,
)

from paperround.domain.editions import EditionState
from paperround.domain.lists import ListId
from paperround.domain.places import Order, Placed
from paperround.store import schema as db
from paperround.store.compiled_query import CompiledQuery
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
    since, until = days
    bounds = {"since": since, "until": until}
    found = _query(order, has_since=since is not None, has_until=until is not None).rows(
        connection,
        list_id=list_id,
        most=limit,
        skipped=offset,
        **{name: day for name, day in bounds.items() if day is not None},
    )
    return [
        Placed(day=row.day, cut=row.cut, frozen_at=row.frozen_at, paper=paper_at(row))
        for row in found
    ]


@cache
def _query(order: Order, *, has_since: bool, has_until: bool) -> CompiledQuery:
    """Places of a list in that order, with or without a bound on either side."""
    chosen = _chosen(order, has_since=has_since, has_until=has_until)
    frozen = db.edition_papers.c
    return CompiledQuery(
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
        .limit(bindparam("most", type_=Integer()))
        .offset(bindparam("skipped", type_=Integer()))
    )


def _chosen(order: Order, *, has_since: bool, has_until: bool) -> FromClause:
    """Every place of the list within these days, and its rank among those of its paper."""
    frozen = db.edition_papers.c
    today = func.coalesce(db.joined_papers.c.into_id, frozen.paper_id)
    rank = func.row_number().over(partition_by=today, order_by=_counts_first(order))
    return (
        select(
            frozen.edition_id,
            frozen.position,
            frozen.score,
            db.editions.c.cut_at,
            today.label("today"),
            rank.label("rank"),
        )
        .join_from(db.edition_papers, db.editions)
        .outerjoin(db.joined_papers, db.joined_papers.c.paper_id == frozen.paper_id)
        .where(
            db.editions.c.list_id == bindparam("list_id"),
            db.editions.c.state != EditionState.CANCELLED.value,
            db.editions.c.day >= bindparam("since") if has_since else true(),
            db.editions.c.day <= bindparam("until") if has_until else true(),
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
        case Order.RANKED:
            return (db.edition_papers.c.score.desc(), cut_at.desc(), edition.desc(), place)


def _in_order(order: Order, chosen: FromClause) -> Sequence[ColumnElement[Any]]:
    c = chosen.c
    match order:
        case Order.ARRIVED:
            return (c.cut_at.desc(), c.edition_id.desc(), c.position)
        case Order.RANKED:
            return (c.score.desc(), c.cut_at.desc(), c.today)
