"""Feeds, their runs, and what the runs could not use."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from paperround.domain.errors import NotFound
from paperround.domain.papers import Feed, FeedId, Reject, Show
from paperround.store import schema as db
from paperround.store.bulk import insert_many
from paperround.store.dialect import insert_new


class SqlFeeds:
    """Feeds of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get_or_create(self, name: str, kind: str, *, now: datetime) -> Feed:
        """The feed called `name`, made with `kind` when there is none."""
        wanted = select(db.feeds).where(db.feeds.c.name == name)
        row = self._connection.execute(wanted).one_or_none()
        if row is None:
            self._connection.execute(
                insert_new(self._connection, db.feeds), _new_feed(name, kind, now)
            )
            row = self._connection.execute(wanted).one()
        return _feed(row)

    def start_run(self, feed: FeedId, *, source: str, now: datetime) -> int:
        """A new run of `feed`; returns its number."""
        statement = insert(db.runs).values(
            feed_id=feed, source=source, state="running", started_at=now
        )
        run: int = self._connection.execute(statement.returning(db.runs.c.id)).scalar_one()
        return run

    def finish_run(
        self, run: int, *, state: str, counts: Mapping[str, int], error: str | None, now: datetime
    ) -> None:
        """Close `run` as `done`, `unchanged` or `failed`."""
        self._connection.execute(
            update(db.runs)
            .where(db.runs.c.id == run)
            .values(state=state, counts=dict(counts), error=error, finished_at=now)
        )

    def keep_rejects(self, run: int, rejects: Sequence[Reject], *, now: datetime) -> int:
        """Store rejects this feed has not kept before; returns how many were new.

        A reject is known by its words, not its position: feeds move entries around.
        """
        feed = self._connection.execute(
            select(db.runs.c.feed_id).where(db.runs.c.id == run)
        ).scalar_one_or_none()
        if feed is None:
            raise NotFound(f"there is no run {run}")
        rows = [_reject(feed, run, one, now) for one in rejects]
        return insert_many(self._connection, insert_new(self._connection, db.rejects), rows)


def _new_feed(name: str, kind: str, now: datetime) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "settings": {},
        "enabled": True,
        "failures": 0,
        "created_at": now,
    }


def _feed(row: Row[Any]) -> Feed:
    show = None if row.show is None else Show(row.show)
    return Feed(id=FeedId(row.id), name=row.name, kind=row.kind, show=show)


def _reject(feed: int, run: int, reject: Reject, now: datetime) -> dict[str, Any]:
    place = "" if reject.excerpt else str(reject.position)
    words = "\0".join([reject.reason, reject.detail, reject.excerpt, place])
    digest = hashlib.blake2b(words.encode("utf-8", "replace"), digest_size=16).hexdigest()
    return {
        "feed_id": feed,
        "run_id": run,
        "digest": digest,
        "reason": reject.reason,
        "detail": reject.detail,
        "position": reject.position,
        "excerpt": reject.excerpt,
        "created_at": now,
    }
