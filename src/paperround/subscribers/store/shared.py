"""Count the ratings of a list's papers by readers who share theirs.

A reader counts on the lists where they share, from the moment they began, with their ratings of
papers in that list's emails. Nobody can be identified: numbers below LEAST_COLLEAGUES are not
returned, a list needs LEAST_SHARERS, and what is new does not count yet.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Subquery, and_, case, func, or_, select

from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.editions.lists import ListId
from paperround.papers.model import PaperId
from paperround.subscribers.model import SubscriberState
from paperround.subscribers.readers import (
    LEAST_COLLEAGUES,
    LEAST_SHARERS,
    SAVES_COUNT_AFTER,
    SHARES_COUNT_AFTER,
    SharedOpinion,
)

_ACTIVE = SubscriberState.ACTIVE.value


class SharedFeedback(Store):
    """The ratings of readers who share theirs, counted by the database."""

    def opinions(
        self, list_id: ListId, *, after: datetime, by: datetime
    ) -> dict[PaperId, SharedOpinion]:
        """Return the ratings of papers between the instants, without papers that too few people
        rated."""
        said = _said(list_id, after, by)
        saved, balance = _saved(said), func.sum(said.c.likes)
        rows = self._connection.execute(
            select(said.c.paper_id, saved, balance)
            .group_by(said.c.paper_id)
            .having(or_(saved >= LEAST_COLLEAGUES, func.abs(balance) >= LEAST_COLLEAGUES))
        )
        return {
            PaperId(paper): SharedOpinion(saved=_of_many(saves), balance=_of_many(likes))
            for paper, saves, likes in rows
        }

    def most_saved(
        self, list_id: ListId, *, after: datetime, by: datetime
    ) -> tuple[PaperId, int] | None:
        """Return the paper that most people saved between the instants, and how many; of equals the
        newest. None if too few people saved any. Withdrawn papers do not count."""
        said = _said(list_id, after, by)
        saved = _saved(said)
        row = self._connection.execute(
            select(said.c.paper_id, saved)
            .join_from(said, db.papers, db.papers.c.id == said.c.paper_id)
            .where(db.papers.c.withdrawn_at.is_(None))
            .group_by(said.c.paper_id)
            .having(saved >= LEAST_COLLEAGUES)
            .order_by(saved.desc(), said.c.paper_id.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else (PaperId(row[0]), int(row[1]))


def _said(list_id: ListId, after: datetime, by: datetime) -> Subquery:
    """Select each person's rating of each paper: whether they saved it, and 1, or -1 if they want
    fewer papers like it, which outweighs a save."""
    c, theirs = db.feedback.c, db.subscriptions.c
    shares = (
        theirs.list_id == list_id,
        theirs.state == _ACTIVE,
        db.subscribers.c.state == _ACTIVE,
        theirs.shares_since <= by - SHARES_COUNT_AFTER,
    )
    sharers = select(func.count()).select_from(
        db.subscriptions.join(db.subscribers, db.subscribers.c.id == theirs.subscriber_id)
    )
    return (
        select(
            c.paper_id,
            func.max(case((c.verdict == "save", 1), else_=0)).label("saved"),
            func.min(case((c.verdict == "less", -1), else_=1)).label("likes"),
        )
        .join_from(db.feedback, db.subscriptions, theirs.subscriber_id == c.subscriber_id)
        .join(db.subscribers, db.subscribers.c.id == c.subscriber_id)
        .join(db.deliveries, db.deliveries.c.id == c.delivery_id)
        .where(
            *shares,
            sharers.where(*shares).correlate(None).scalar_subquery() >= LEAST_SHARERS,
            db.deliveries.c.list_id == list_id,
            c.created_at >= theirs.shares_since,
            c.created_at > after - SAVES_COUNT_AFTER,
            c.created_at <= by - SAVES_COUNT_AFTER,
        )
        .group_by(c.paper_id, c.subscriber_id)
        .subquery("said")
    )


def _saved(said: Subquery) -> ColumnElement[int]:
    return func.sum(case((and_(said.c.saved == 1, said.c.likes == 1), 1), else_=0))


def _of_many(number: int) -> int:
    """Return the number, or 0 if it counts fewer than LEAST_COLLEAGUES people."""
    return int(number) if abs(number) >= LEAST_COLLEAGUES else 0
