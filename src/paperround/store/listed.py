"""Papers by the day they were listed. Their ids are put in order first: texts are never sorted."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, ScalarSelect, exists, func, or_, select

from paperround.domain.editions import EditionState
from paperround.domain.lists import ListId, MailingList
from paperround.domain.papers import PaperId
from paperround.domain.places import ListedBy
from paperround.store import schema as db
from paperround.store.dialect import among
from paperround.store.joining import STANDS
from paperround.store.search import categories_of

_PAPERS = db.papers.c


def listed(
    connection: Connection,
    mailing_list: MailingList,
    order: ListedBy,
    *,
    days: tuple[date, date] | None,
    by: datetime,
    limit: int,
    offset: int,
) -> list[PaperId]:
    """Papers that the list may hold and that were listed on these days (both included; None is no
    bound), as far as they count by `by`."""
    found = (
        select(_PAPERS.id)
        .where(_PAPERS.counts_from <= by, STANDS, *_of_list(connection, mailing_list))
        .order_by(*_in_order(order, mailing_list.id, by))
        .limit(limit)
        .offset(offset)
    )
    if days is not None:
        first, last = (datetime.combine(day, time(), UTC) for day in days)
        found = found.where(_PAPERS.counts_from >= first, _PAPERS.counts_from < last + _DAY)
    return [PaperId(one) for one in connection.execute(found).scalars()]


_DAY = timedelta(days=1)


def _of_list(connection: Connection, mailing_list: MailingList) -> Iterator[ColumnElement[bool]]:
    if mailing_list.feeds:
        listings = db.listings.c
        yield exists().where(
            listings.paper_id == _PAPERS.id,
            among(connection, listings.feed_id, mailing_list.feeds),
        )
    if mailing_list.categories:
        name = categories_of(connection, db.papers)
        yield exists().where(name.in_(mailing_list.categories))


def _in_order(order: ListedBy, list_id: ListId, by: datetime) -> Sequence[ColumnElement[Any]]:
    newest = (_PAPERS.counts_from.desc(), _PAPERS.id.desc())
    match order:
        case ListedBy.TIME:
            return newest
        case ListedBy.VOTES:
            return (_votes(by).desc().nulls_last(), *newest)
        case ListedBy.SCORE:
            return (_score(list_id).desc().nulls_last(), _votes(by).desc().nulls_last(), *newest)


def _votes(by: datetime) -> ScalarSelect[Any]:
    """The votes that were counted last of a paper."""
    told = db.observations.c
    return (
        select(told.value)
        .where(told.paper_id == _PAPERS.id, told.signal == "upvotes", told.captured_at <= by)
        .order_by(told.captured_at.desc())
        .limit(1)
        .scalar_subquery()
    )


def _score(list_id: ListId) -> ScalarSelect[Any]:
    """The highest score a paper had in a standing edition of the list, under any of its ids."""
    frozen, joined = db.edition_papers.c, db.joined_papers.c
    former = select(joined.paper_id).where(joined.into_id == _PAPERS.id)
    return (
        select(func.max(frozen.score))
        .join_from(db.edition_papers, db.editions)
        .where(
            or_(frozen.paper_id == _PAPERS.id, frozen.paper_id.in_(former)),
            db.editions.c.list_id == list_id,
            db.editions.c.state != EditionState.CANCELLED.value,
        )
        .scalar_subquery()
    )
