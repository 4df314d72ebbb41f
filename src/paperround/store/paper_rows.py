"""Between a paper and its row, and papers in the order they were listed in."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    ScalarSelect,
    exists,
    func,
    or_,
    select,
)

from paperround.domain.editions import EditionState, ListedBy
from paperround.domain.lists import ListId, MailingList
from paperround.domain.papers import (
    Carried,
    EarlierText,
    FeedId,
    Paper,
    PaperId,
    PaperTrail,
    PaperWrite,
    Show,
)
from paperround.store import schema as db
from paperround.store.base import columns_of, value_of
from paperround.store.dialect import among
from paperround.store.joining import STANDS
from paperround.store.search import categories_of
from paperround.store.unit_of_work import Store

_NOT_READ = {"canonical", "title_key", "raw_title", "raw_abstract", "first_seen_at", "changed_at"}

PAPER_COLUMNS = tuple(column for column in db.papers.c if column.name not in _NOT_READ)
"""What it takes to make a Paper."""


def paper_of(row: Row[Any]) -> Paper:
    """The paper a row of PAPER_COLUMNS holds."""
    return Paper(
        id=PaperId(row.id),
        identifiers=row.identifiers,
        title=row.title,
        abstract=row.abstract,
        authors=tuple(row.authors),
        categories=tuple(row.categories),
        keywords=tuple(row.keywords),
        links=row.links,
        counts_from=row.counts_from,
        listed_on=row.listed_on,
        published_at=row.published_at,
        updated_at=row.updated_at,
        version=row.version,
        withdrawn=row.withdrawn_at is not None,
        withdrawn_by=tuple(FeedId(feed) for feed in row.withdrawn_by or ()),
        comment=row.comment,
        licence=row.licence,
        organization=row.organization,
        submitter=row.submitter,
        show=Show(row.show),
    )


def row_of(write: PaperWrite, now: datetime) -> dict[str, Any]:
    """The columns a write sets, all but the id and the date it was first seen."""
    paper = write.paper
    columns = columns_of(paper) | {
        "canonical": write.canonical,
        "title_key": write.title_key,
        "raw_title": write.raw_title,
        "raw_abstract": write.raw_abstract,
        "withdrawn_at": now if paper.withdrawn else None,
        "withdrawn_by": list(paper.withdrawn_by) or None,
        "show": paper.show.value,
        "changed_at": now,
    }
    del columns["id"], columns["withdrawn"]
    return columns


_PAPERS = db.papers.c


class ListedPapers(Store):
    """Papers in the order they were listed in, and where one came from."""

    def listed(
        self,
        mailing_list: MailingList,
        order: ListedBy,
        *,
        days: tuple[date, date] | None,
        by: datetime,
        limit: int,
        offset: int = 0,
    ) -> list[PaperId]:
        """Papers that the list may hold and that count by `by`, in the order of the days they were
        listed on, from `offset` on. `days` bounds those days, both included; None is no bound."""
        found = (
            select(_PAPERS.id)
            .where(_PAPERS.counts_from <= by, STANDS, *_of_list(self._connection, mailing_list))
            .order_by(*_in_order(order, mailing_list.id, by))
            .limit(limit)
            .offset(offset)
        )
        if days is not None:
            first, last = (datetime.combine(day, time(), UTC) for day in days)
            end = last + timedelta(days=1)
            found = found.where(_PAPERS.counts_from >= first, _PAPERS.counts_from < end)
        return [PaperId(one) for one in self._connection.execute(found).scalars()]

    def trail(self, paper: PaperId, *, limit: int) -> PaperTrail:
        """Where a paper came from: its `limit` last texts, newest first, and the feeds that carry
        it."""
        kept, listed = db.paper_versions.c, db.listings.c
        texts = self._connection.execute(
            select(kept.version, kept.title, kept.replaced_at)
            .where(kept.paper_id == paper)
            .order_by(func.coalesce(kept.version, 0).desc(), kept.id.desc())
            .limit(limit)
        )
        carried = self._connection.execute(
            select(
                db.feeds.c.name.label("feed"), listed.listed_on, listed.first_seen_at.label("since")
            )
            .join_from(db.listings, db.feeds)
            .where(listed.paper_id == paper)
            .order_by(listed.first_seen_at, db.feeds.c.name)
            .limit(limit)
        )
        return PaperTrail(
            earlier=tuple(value_of(EarlierText, row) for row in texts),
            carried=tuple(value_of(Carried, row) for row in carried),
        )


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
