"""Feeds, their runs, and what the runs could not use."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, or_, select, true, update
from sqlalchemy.exc import IntegrityError

from paperround.domain.errors import InvalidInput, NotFound
from paperround.domain.feeds import (
    FeedHealth,
    FeedRun,
    KeptReject,
    LiveFeed,
    NewFeed,
    Poll,
    RunNotes,
)
from paperround.domain.papers import Feed, FeedId, Reject
from paperround.store import schema as db
from paperround.store.bulk import insert_many
from paperround.store.dialect import insert_new, is_duplicate
from paperround.store.feed_rows import (
    NEVER_POLLED,
    feed_columns,
    feed_of,
    live_feed_of,
    poll_columns,
    reject_of,
    reject_row,
    run_json,
    run_of,
)

_FEEDS = select(db.feeds)


class SqlFeeds:
    """Feeds of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- feeds of files, and what every reading leaves behind ----------------------------------

    def get_or_create(self, name: str, kind: str, *, now: datetime) -> Feed:
        """The feed called `name`, made with `kind` when there is none."""
        row = self._one(db.feeds.c.name == name)
        if row is None:
            self._insert(NewFeed(name=name, kind=kind), {"created_at": now})
            row = self._connection.execute(_FEEDS.where(db.feeds.c.name == name)).one()
        return feed_of(row)

    def start_run(self, feed: FeedId, *, source: str, now: datetime) -> int:
        """A new run of `feed`; returns its number."""
        statement = insert(db.runs).values(
            feed_id=feed, source=source, state="running", started_at=now
        )
        run: int = self._connection.execute(statement.returning(db.runs.c.id)).scalar_one()
        return run

    def finish_run(
        self,
        run: int,
        *,
        state: str,
        counts: Mapping[str, int],
        error: str | None,
        now: datetime,
        notes: RunNotes = RunNotes(),  # noqa: B008 - a frozen value
    ) -> None:
        """Close `run` as `done`, `unchanged` or `failed`."""
        told = run_json(counts, notes)
        self._connection.execute(
            update(db.runs)
            .where(db.runs.c.id == run)
            .values(state=state, counts=told, error=error, finished_at=now)
        )

    def keep_rejects(self, run: int, rejects: Sequence[Reject], *, now: datetime) -> int:
        """Store rejects this feed has not kept before; returns how many were new."""
        feed = self._connection.execute(
            select(db.runs.c.feed_id).where(db.runs.c.id == run)
        ).scalar_one_or_none()
        if feed is None:
            raise NotFound(f"there is no run {run}")
        rows = [reject_row(feed, run, one, now) for one in rejects]
        return insert_many(self._connection, insert_new(self._connection, db.rejects), rows)

    # --- what an operator does -----------------------------------------------------------------

    def create(self, feed: NewFeed, *, now: datetime) -> LiveFeed:
        """Keep a new feed, due at once. Raises InvalidInput (code `name`) for a taken name."""
        row = self._insert(feed, {"created_at": now, "next_at": now})
        if row is None:
            raise _taken(feed.name)
        return live_feed_of(row)

    def get(self, feed: FeedId) -> LiveFeed:
        """The feed with this id; raises NotFound."""
        return live_feed_of(self._required(feed))

    def hold(self, feed: FeedId) -> LiveFeed:
        """The feed, kept from others until the transaction ends; raises NotFound."""
        return live_feed_of(self._required(feed, lock=True))

    def find(self, name: str) -> LiveFeed | None:
        """The feed called `name`, None when there is none."""
        row = self._one(db.feeds.c.name == name)
        return None if row is None else live_feed_of(row)

    def page(self, after: FeedId, *, limit: int) -> list[LiveFeed]:
        """Feeds with an id above `after`, by id; those of files too."""
        rows = self._connection.execute(
            _FEEDS.where(db.feeds.c.id > after).order_by(db.feeds.c.id).limit(limit)
        )
        return [live_feed_of(row) for row in rows]

    def update(self, feed: FeedId, changed: NewFeed, *, now: datetime) -> LiveFeed:
        """Replace what an operator says of it. A change of kind, url or settings makes it due at
        once, as a feed that was never polled; what it brought stays. How much of a paper is shown
        changes when the feed lists it again. Raises NotFound, and InvalidInput (code `name`) for a
        taken name."""
        before = live_feed_of(self._required(feed, lock=True))
        values = feed_columns(changed)
        if (before.kind, before.url, before.settings) != (
            changed.kind,
            changed.url,
            values["settings"],
        ):
            values |= NEVER_POLLED | {"next_at": now}
        if before.show is not changed.show:  # the same bytes are another record now
            of_feed = db.listings.c.feed_id == feed
            self._connection.execute(update(db.listings).where(of_feed).values(fingerprint=""))
        self._change_named(feed, changed.name, values)
        return self.get(feed)

    def delete(self, feed: FeedId) -> None:
        """Forget the feed, its runs and rejects; its papers stay. Raises NotFound."""
        gone = self._connection.execute(delete(db.feeds).where(db.feeds.c.id == feed))
        if not gone.rowcount:
            raise _missing(feed)

    def make_due(self, feed: FeedId, *, now: datetime) -> None:
        """Poll it at the next occasion. Raises NotFound."""
        if not self._change(feed, {"next_at": now}):
            raise _missing(feed)

    # --- what a poll does ----------------------------------------------------------------------

    def take_due(
        self, kinds: Collection[str], *, until: datetime, now: datetime, limit: int
    ) -> list[LiveFeed]:
        """Enabled feeds of these kinds that are due, longest due first, those never polled before
        all. They are put off to `until`; what another process takes meanwhile is passed over."""
        next_at = db.feeds.c.next_at
        rows = self._connection.execute(
            _FEEDS.where(
                db.feeds.c.enabled,
                db.feeds.c.kind.in_(list(kinds)),
                or_(next_at.is_(None), next_at <= now),
            )
            .order_by(next_at.asc().nulls_first(), db.feeds.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        taken = [replace(live_feed_of(row), next_at=until) for row in rows]
        put_off = update(db.feeds).where(db.feeds.c.id.in_([feed.id for feed in taken]))
        self._connection.execute(put_off.values(next_at=until))
        return taken

    def record(self, feed: FeedId, poll: Poll, *, now: datetime) -> None:  # noqa: ARG002 - as every write
        """Write down what a poll found; a feed deleted meanwhile is no error."""
        self._change(feed, poll_columns(poll))

    def tell(
        self,
        feed: FeedId,
        health: FeedHealth,
        reason: str,
        *,
        failures: int,
        good_at: datetime | None,
    ) -> None:
        """Say how a feed is doing that is not read by itself; where `good_at` is None, when it was
        last well stays."""
        said = {"health": health.value, "reason": reason, "failures": failures}
        self._change(feed, said if good_at is None else said | {"last_good_at": good_at})

    # --- what is left of earlier polls ---------------------------------------------------------

    def runs(self, feed: FeedId, *, before: int | None, limit: int) -> list[FeedRun]:
        """Runs with a number below `before`, newest first."""
        below = true() if before is None else db.runs.c.id < before
        wanted = select(db.runs).where(db.runs.c.feed_id == feed, below)
        found = self._connection.execute(wanted.order_by(db.runs.c.id.desc()).limit(limit))
        return [run_of(row) for row in found]

    def rejects(self, feed: FeedId, *, before: int | None, limit: int) -> list[KeptReject]:
        """Rejects with a number below `before`, newest first."""
        below = true() if before is None else db.rejects.c.id < before
        wanted = select(db.rejects).where(db.rejects.c.feed_id == feed, below)
        found = self._connection.execute(wanted.order_by(db.rejects.c.id.desc()).limit(limit))
        return [reject_of(row) for row in found]

    # --- rows ----------------------------------------------------------------------------------

    def _insert(self, feed: NewFeed, times: Mapping[str, datetime]) -> Row[Any] | None:
        """The new row, None when the name is taken."""
        inserting = insert_new(self._connection, db.feeds).returning(*db.feeds.c)
        values = {**feed_columns(feed), **NEVER_POLLED, **times}
        return self._connection.execute(inserting, values).one_or_none()

    def _one(self, condition: Any) -> Row[Any] | None:
        return self._connection.execute(_FEEDS.where(condition)).one_or_none()

    def _required(self, feed: FeedId, *, lock: bool = False) -> Row[Any]:
        wanted: Select[Any] = _FEEDS.where(db.feeds.c.id == feed)
        wanted = wanted.with_for_update() if lock else wanted
        row = self._connection.execute(wanted).one_or_none()
        if row is None:
            raise _missing(feed)
        return row

    def _change(self, feed: FeedId, values: Mapping[str, Any]) -> bool:
        changing = update(db.feeds).where(db.feeds.c.id == feed).values(dict(values))
        return self._connection.execute(changing).rowcount > 0

    def _change_named(self, feed: FeedId, name: str, values: Mapping[str, Any]) -> None:
        """Within a savepoint: PostgreSQL takes nothing more after an error outside of one."""
        try:
            with self._connection.begin_nested():
                self._change(feed, values)
        except IntegrityError as error:
            if is_duplicate(error):
                raise _taken(name) from None
            raise


def _missing(feed: FeedId) -> NotFound:
    return NotFound(f"there is no feed {feed}")


def _taken(name: str) -> InvalidInput:
    return InvalidInput(f"a feed is called {name!r} already: choose another name", code="name")
