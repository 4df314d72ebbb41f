"""Query the history of papers' votes and other counts."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, exists, func, select

from paperround.db.dialect import column_in
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.papers.model import FeedId, Observation, PaperId, Vote
from paperround.papers.store.duplicates import NOT_JOINED

VOTES = "upvotes"


class HistoryStore(Store):
    """Queries for the history of counts."""

    def voted(self, *, before: datetime, by: datetime, limit: int) -> list[PaperId]:
        """Return papers from before `before` with votes at `by`, not withdrawn, newest first."""
        papers, c = db.papers.c, db.observations.c
        has_votes = exists().where(c.paper_id == papers.id, c.signal == VOTES, c.captured_at <= by)
        found = self._connection.execute(
            select(papers.id)
            .where(
                papers.counts_from < before, papers.withdrawn_at.is_(None), NOT_JOINED, has_votes
            )
            .order_by(papers.counts_from.desc(), papers.id.desc())
            .limit(limit)
        )
        return [PaperId(one) for one in found.scalars()]

    def votes(self, papers: Collection[PaperId], *, by: datetime) -> dict[PaperId, list[Vote]]:
        """Return the votes of these papers up to `by`, in no order."""
        c, listings = db.observations.c, db.listings.c
        is_listing = and_(listings.paper_id == c.paper_id, listings.feed_id == c.feed_id)
        rows = self._connection.execute(
            select(c.paper_id, c.feed_id, listings.listed_on, c.captured_at, c.value)
            .outerjoin_from(db.observations, db.listings, is_listing)
            .where(
                column_in(self._connection, c.paper_id, papers),
                c.signal == VOTES,
                c.captured_at <= by,
            )
        )
        votes: dict[PaperId, list[Vote]] = defaultdict(list)
        for paper, feed, listed_on, captured_at, value in rows:
            votes[PaperId(paper)].append(
                Vote(
                    feed=None if feed is None else FeedId(feed),
                    listed_on=listed_on,
                    captured_at=captured_at,
                    value=value,
                )
            )
        return votes

    def latest(self, papers: Collection[PaperId], *, by: datetime) -> dict[PaperId, dict[str, int]]:
        """Return the latest count of each signal up to `by`, without papers never counted."""
        c = db.observations.c
        order = (c.captured_at.desc(), c.feed_id)
        place = func.row_number().over(partition_by=(c.paper_id, c.signal), order_by=order)
        ranked = (
            select(c.paper_id, c.signal, c.value, place.label("place"))
            .where(column_in(self._connection, c.paper_id, papers), c.captured_at <= by)
            .subquery()
        )
        last = select(ranked.c.paper_id, ranked.c.signal, ranked.c.value).where(ranked.c.place == 1)
        counts: dict[PaperId, dict[str, int]] = defaultdict(dict)
        for paper, signal, value in self._connection.execute(last):
            counts[PaperId(paper)][signal] = value
        return counts

    def counts(self, paper: PaperId, *, by: datetime, limit: int) -> list[Observation]:
        """Return the `limit` newest counts of a paper up to `by`, oldest first. The scale of each
        is the name of its feed."""
        c = db.observations.c
        rows = self._connection.execute(
            select(c.signal, c.captured_at, c.value, db.feeds.c.name)
            .outerjoin_from(db.observations, db.feeds, db.feeds.c.id == c.feed_id)
            .where(c.paper_id == paper, c.captured_at <= by)
            .order_by(c.captured_at.desc(), c.signal)
            .limit(limit)
        )
        counts = [
            Observation(signal=signal, captured_at=at, value=value, scale=name or "")
            for signal, at, value, name in rows
        ]
        return counts[::-1]
