"""Query the papers of a list, for rankings and pages."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, ScalarSelect, exists, func, or_, select

from paperround.db.dialect import column_in
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.editions.lists import ListId, MailingList, Window
from paperround.editions.model import Candidate, EditionState, ListedBy
from paperround.papers.enrichment import scale_of
from paperround.papers.model import Observation, PaperId
from paperround.papers.search import parse_query
from paperround.papers.store.duplicates import NOT_JOINED
from paperround.papers.store.papers import PAPER_COLUMNS, paper_of
from paperround.papers.store.search import categories_of, matches_query

_PAPERS = db.papers.c


class CandidateStore(Store):
    """Queries for the papers of a list."""

    def candidates(self, mailing_list: MailingList, window: Window) -> list[Candidate]:
        """Return the papers of the window with their observations up to its end, in order of id."""
        eligible = [
            _PAPERS.counts_from > window.start,
            _PAPERS.counts_from <= window.as_of,
            _PAPERS.withdrawn_at.is_(None),
            NOT_JOINED,
            *_in_feeds(self._connection, mailing_list),
            *_found(self._connection, mailing_list),
        ]
        rows = self._connection.execute(
            select(*PAPER_COLUMNS).where(*eligible).order_by(_PAPERS.id)
        )
        papers = [paper_of(row) for row in rows]
        if wanted := set(mailing_list.categories):
            papers = [paper for paper in papers if not wanted.isdisjoint(paper.categories)]
        known = self._known_counts(eligible, window.as_of)
        return [
            Candidate(paper=paper, observations=tuple(known.get(paper.id, ()))) for paper in papers
        ]

    def new_papers(
        self, mailing_list: MailingList, seen: Window, *, listed_after: datetime
    ) -> dict[PaperId, tuple[str, ...]]:
        """Return the categories of each paper that a feed of the list first brought within `seen`,
        listed after `listed_after`, so that an archive read today is not new."""
        known_at = _known_at(self._connection, mailing_list)
        rows = self._connection.execute(
            select(_PAPERS.id, _PAPERS.categories).where(
                _PAPERS.counts_from > listed_after,
                _PAPERS.counts_from <= seen.as_of,
                _PAPERS.withdrawn_at.is_(None),
                NOT_JOINED,
                known_at > seen.start,
                known_at <= seen.as_of,
                *_found(self._connection, mailing_list),
            )
        )
        found = {PaperId(id_): tuple(categories) for id_, categories in rows}
        wanted = set(mailing_list.categories)
        return {one: of for one, of in found.items() if not wanted or wanted.intersection(of)}

    def known_at(
        self, mailing_list: MailingList, papers: Collection[PaperId]
    ) -> dict[PaperId, datetime]:
        """Return when a feed of the list first brought each of these papers."""
        known_at = _known_at(self._connection, mailing_list)
        rows = self._connection.execute(
            select(_PAPERS.id, known_at).where(column_in(self._connection, _PAPERS.id, papers))
        )
        return {PaperId(id_): at for id_, at in rows if at is not None}

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
        """Return the list's papers that count by `by`, in this order, from `offset` on.

        `days` are the first and last listing day, inclusive; None for all.
        """
        eligible = [
            _PAPERS.counts_from <= by,
            NOT_JOINED,
            *_in_feeds(self._connection, mailing_list),
            *_found(self._connection, mailing_list),
        ]
        if mailing_list.categories:
            name = categories_of(self._connection, db.papers)
            eligible.append(exists().where(name.in_(mailing_list.categories)))
        if days is not None:
            first, last = (datetime.combine(day, time(), UTC) for day in days)
            end = last + timedelta(days=1)
            eligible += [_PAPERS.counts_from >= first, _PAPERS.counts_from < end]
        ordered = (
            select(_PAPERS.id).where(*eligible).order_by(*_in_order(order, mailing_list.id, by))
        )
        found = self._connection.execute(ordered.limit(limit).offset(offset))
        return [PaperId(one) for one in found.scalars()]

    def _known_counts(
        self, eligible: Sequence[ColumnElement[bool]], as_of: datetime
    ) -> dict[PaperId, list[Observation]]:
        c, feeds = db.observations.c, db.feeds.c
        rows = self._connection.execute(
            select(c.paper_id, c.signal, c.captured_at, c.value, feeds.kind, feeds.name)
            .join_from(db.papers, db.observations)
            .outerjoin(db.feeds, feeds.id == c.feed_id)
            .where(*eligible, c.captured_at <= as_of)
            .order_by(c.paper_id, c.signal, c.captured_at)
        )
        counts: dict[PaperId, list[Observation]] = defaultdict(list)
        for paper, signal, captured_at, value, kind, name in rows:
            scale = "" if name is None else scale_of(kind, name)
            counts[PaperId(paper)].append(
                Observation(signal=signal, captured_at=captured_at, value=value, scale=scale)
            )
        return counts


def _in_feeds(connection: Connection, mailing_list: MailingList) -> list[ColumnElement[bool]]:
    """Return the condition that a paper is in one of the list's feeds; none for all feeds."""
    if not mailing_list.feeds:
        return []
    listings = db.listings.c
    is_in_feed = column_in(connection, listings.feed_id, mailing_list.feeds)
    return [exists().where(listings.paper_id == _PAPERS.id, is_in_feed)]


def _found(connection: Connection, mailing_list: MailingList) -> list[ColumnElement[bool]]:
    """Return the conditions that a paper matches the list's search; none without one."""
    if not mailing_list.search:
        return []
    return matches_query(connection, parse_query(mailing_list.search), _PAPERS.id)


def _known_at(connection: Connection, mailing_list: MailingList) -> ScalarSelect[Any]:
    """Select when a feed of the list first brought a paper."""
    listings = db.listings.c
    is_of_list = [column_in(connection, listings.feed_id, mailing_list.feeds)]
    return (
        select(func.min(listings.first_seen_at))
        .where(listings.paper_id == _PAPERS.id, *(is_of_list if mailing_list.feeds else ()))
        .scalar_subquery()
    )


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
    """Select a paper's latest number of votes."""
    c = db.observations.c
    return (
        select(c.value)
        .where(c.paper_id == _PAPERS.id, c.signal == "upvotes", c.captured_at <= by)
        .order_by(c.captured_at.desc())
        .limit(1)
        .scalar_subquery()
    )


def _score(list_id: ListId) -> ScalarSelect[Any]:
    """Select a paper's highest score in the list's editions not cancelled, under any of its ids."""
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
