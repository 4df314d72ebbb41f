"""Query the history of papers' votes and other counts."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, func, select

from paperround.db.dialect import among
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.papers.model import FeedId, Observation, PaperId, Vote
from paperround.papers.store.duplicates import STANDS

VOTES = "upvotes"


class HistoryStore(Store):
    """Queries for the history of counts."""

    def voted(self, *, before: datetime, by: datetime, limit: int) -> list[PaperId]:
        """Return the newest papers that count from before `before` and have votes at `by`, newest
        first, without withdrawn ones."""
        told = select(db.observations.c.paper_id).where(
            db.observations.c.paper_id == db.papers.c.id,
            db.observations.c.signal == VOTES,
            db.observations.c.captured_at <= by,
        )
        found = self._connection.execute(
            select(db.papers.c.id)
            .where(
                db.papers.c.counts_from < before,
                db.papers.c.withdrawn_at.is_(None),
                STANDS,
                told.exists(),
            )
            .order_by(db.papers.c.counts_from.desc(), db.papers.c.id.desc())
            .limit(limit)
        )
        return [PaperId(one) for one in found.scalars()]

    def votes(self, papers: Collection[PaperId], *, by: datetime) -> dict[PaperId, list[Vote]]:
        """Return the votes of these papers up to `by`, in no order."""
        listed = and_(
            db.listings.c.paper_id == db.observations.c.paper_id,
            db.listings.c.feed_id == db.observations.c.feed_id,
        )
        found = self._connection.execute(
            select(
                db.observations.c.paper_id,
                db.observations.c.feed_id,
                db.listings.c.listed_on,
                db.observations.c.captured_at,
                db.observations.c.value,
            )
            .outerjoin_from(db.observations, db.listings, listed)
            .where(
                among(self._connection, db.observations.c.paper_id, papers),
                db.observations.c.signal == VOTES,
                db.observations.c.captured_at <= by,
            )
        )
        votes: dict[PaperId, list[Vote]] = defaultdict(list)
        for paper, feed, listed_on, captured_at, value in found:
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
        told = db.observations.c
        order = (told.captured_at.desc(), told.feed_id)
        place = func.row_number().over(partition_by=(told.paper_id, told.signal), order_by=order)
        ranked = (
            select(told.paper_id, told.signal, told.value, place.label("place"))
            .where(among(self._connection, told.paper_id, papers), told.captured_at <= by)
            .subquery()
        )
        last = select(ranked.c.paper_id, ranked.c.signal, ranked.c.value).where(ranked.c.place == 1)
        counted: dict[PaperId, dict[str, int]] = defaultdict(dict)
        for paper, signal, value in self._connection.execute(last):
            counted[PaperId(paper)][signal] = value
        return counted

    def counts(self, paper: PaperId, *, by: datetime, limit: int) -> list[Observation]:
        """Return the `limit` newest counts of a paper up to `by`, oldest first. The scale of each
        is the name of its feed."""
        told = db.observations.c
        found = self._connection.execute(
            select(told.signal, told.captured_at, told.value, db.feeds.c.name)
            .outerjoin_from(db.observations, db.feeds, db.feeds.c.id == told.feed_id)
            .where(told.paper_id == paper, told.captured_at <= by)
            .order_by(told.captured_at.desc(), told.signal)
            .limit(limit)
        )
        counted = [
            Observation(signal=signal, captured_at=at, value=value, scale=name or "")
            for signal, at, value, name in found
        ]
        return counted[::-1]
