"""Feeds, their runs, and what the runs could not use."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Row,
    Select,
    delete,
    func,
    insert,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError

from paperround.core.errors import AlreadyTaken, LeaseLost, NotFound
from paperround.core.interfaces import Processes, Worker
from paperround.db.bulk import insert_many
from paperround.db.dialect import among, insert_new, is_duplicate
from paperround.db.rows import value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.feeds.model import (
    FeedHealth,
    FeedRun,
    LiveFeed,
    NewFeed,
    Poll,
    RunNotes,
    StoredReject,
)
from paperround.feeds.store.rows import (
    NEVER_POLLED,
    feed_columns,
    feed_of,
    live_feed_of,
    names_json,
    poll_columns,
    reject_row,
    run_json,
    run_of,
)
from paperround.papers.model import Feed, FeedId, Reject

_FEEDS = select(db.feeds)


class FeedStore(Store):
    """Feeds, their runs and the rejects of those runs."""

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
        """Close `run` as `done`, `unchanged`, `failed` or `put-off`; `notes` say more of it."""
        told = {"counts": run_json(counts, notes), "names": names_json(notes) or null()}
        self._connection.execute(
            update(db.runs)
            .where(db.runs.c.id == run)
            .values(state=state, error=error, finished_at=now, **told)
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
        """Keep a new feed, due at once. Raises AlreadyTaken (code `name`)."""
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
        changes when the feed lists it again. With any of these changes a poll that is under way
        has lost its lease, and the feed is due. Raises NotFound, and AlreadyTaken (code `name`)."""
        row = self._required(feed, lock=True)
        before = live_feed_of(row)
        values = feed_columns(changed) | {"gone_at": None}
        ended = {"lease": before.lease + 1, "leased_until": None, "next_at": now}
        if (before.kind, before.url, before.settings) != (
            changed.kind,
            changed.url,
            values["settings"],
        ):
            values |= NEVER_POLLED | ended
        if before.show is not changed.show:  # the same bytes are another record now
            of_feed = db.listings.c.feed_id == feed
            self._connection.execute(update(db.listings).where(of_feed).values(fingerprint=""))
            values |= ended if row.leased_until is not None else {}
        try:  # within a savepoint: PostgreSQL takes nothing more after an error outside of one
            with self._connection.begin_nested():
                self._change(feed, values)
        except IntegrityError as error:
            if is_duplicate(error):
                raise _taken(changed.name) from None
            raise
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
        self,
        kinds: Collection[str],
        processes: Processes,
        *,
        until: datetime,
        now: datetime,
        limit: int,
    ) -> list[LiveFeed]:
        """Enabled feeds of these kinds that are due and not lent, longest due first, those never
        polled before all. They are lent, and put off, to `until`; what another process takes
        meanwhile is passed over."""
        next_at = db.feeds.c.next_at
        rows = self._connection.execute(
            _FEEDS.where(
                db.feeds.c.enabled,
                db.feeds.c.kind.in_(list(kinds)),
                or_(next_at.is_(None), next_at <= now),
                or_(db.feeds.c.leased_until.is_(None), db.feeds.c.leased_until <= now),
            )
            .order_by(next_at.asc().nulls_first(), db.feeds.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return self._lend([live_feed_of(row) for row in rows], processes.current(), until)

    def take(
        self, feed: FeedId, processes: Processes, *, until: datetime, now: datetime
    ) -> LiveFeed | None:
        """The feed, due or not, lent to `until`; None while it is lent to a process that may live.
        Raises NotFound."""
        row = self._required(feed, lock=True)
        is_lent = row.leased_until is not None and row.leased_until > now
        if is_lent and not (row.lent_to and processes.is_dead(Worker(**row.lent_to))):
            return None
        return self._lend([live_feed_of(row)], processes.current(), until)[0]

    def _lend(self, feeds: Sequence[LiveFeed], to: Worker, until: datetime) -> list[LiveFeed]:
        lent = among(self._connection, db.feeds.c.id, [feed.id for feed in feeds])
        self._connection.execute(
            update(db.feeds)
            .where(lent)
            .values(
                next_at=until, leased_until=until, lent_to=asdict(to), lease=db.feeds.c.lease + 1
            )
        )
        return [replace(feed, next_at=until, lease=feed.lease + 1) for feed in feeds]

    def hold_lent(self, feed: FeedId, lease: int) -> None:
        """Keep the feed as it is until the transaction ends. Raises NotFound, and LeaseLost when it
        was changed, or lent to another, since it was lent to us with this number."""
        if self._required(feed, lock=True).lease != lease:
            raise LeaseLost(f"the feed {feed} was changed, or taken by another, meanwhile")

    def record(self, feed: FeedId, poll: Poll, *, lease: int) -> None:
        """Write down what a poll found. A feed deleted meanwhile is no error; raises LeaseLost as
        `hold_lent` does, and writes nothing then."""
        if not self._change(feed, poll_columns(poll), db.feeds.c.lease == lease):
            with suppress(NotFound):
                self.hold_lent(feed, lease)

    def brought(self, *, since: datetime, until: datetime) -> Mapping[FeedId, int]:
        """How many papers each feed listed for the first time after `since` and by `until`; one
        that listed none is left out."""
        listed, seen = db.listings, db.listings.c.first_seen_at
        counted = (
            select(listed.c.feed_id, func.count())
            .where(seen > since, seen <= until)
            .group_by(listed.c.feed_id)
        )
        return {FeedId(feed): count for feed, count in self._connection.execute(counted)}

    def rejected(self, *, since: datetime, until: datetime) -> Mapping[FeedId, int]:
        """How many entries of each feed could not be used for the first time, in runs that began
        after `since` and by `until`; a feed without such is left out."""
        begun = db.runs.c.started_at
        counted = (
            select(db.rejects.c.feed_id, func.count())
            .join_from(db.runs, db.rejects, db.rejects.c.run_id == db.runs.c.id)
            .where(begun > since, begun <= until)
            .group_by(db.rejects.c.feed_id)
        )
        return {FeedId(feed): count for feed, count in self._connection.execute(counted)}

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

    def rejects(self, feed: FeedId, *, before: int | None, limit: int) -> list[StoredReject]:
        """Rejects with a number below `before`, newest first."""
        below = true() if before is None else db.rejects.c.id < before
        wanted = select(db.rejects).where(db.rejects.c.feed_id == feed, below)
        found = self._connection.execute(wanted.order_by(db.rejects.c.id.desc()).limit(limit))
        return [value_of(StoredReject, row, run=row.run_id) for row in found]

    def forget_names(self, *, before: datetime) -> int:
        """Of runs that began before, keep no names of papers; returns how many runs had some."""
        named = (db.runs.c.names.is_not(None), db.runs.c.started_at < before)
        return self._connection.execute(update(db.runs).where(*named).values(names=null())).rowcount

    def forget_runs(self, *, before: datetime) -> int:
        """Forget runs that began before, with their rejects; returns how many."""
        return self._connection.execute(
            delete(db.runs).where(db.runs.c.started_at < before)
        ).rowcount

    # --- rows ----------------------------------------------------------------------------------

    def _insert(self, feed: NewFeed, times: Mapping[str, datetime]) -> Row[Any] | None:
        """The new row, None when the name is taken."""
        inserting = insert_new(self._connection, db.feeds).returning(*db.feeds.c)
        values = {**feed_columns(feed), **NEVER_POLLED, "lease": 0, **times}
        return self._connection.execute(inserting, values).one_or_none()

    def _one(self, condition: Any) -> Row[Any] | None:
        return self._connection.execute(_FEEDS.where(condition)).one_or_none()

    def _required(self, feed: FeedId, *, lock: bool = False) -> Row[Any]:
        wanted: Select[Any] = _FEEDS.where(db.feeds.c.id == feed)
        if lock:  # not against those who only refer to the feed, such as a join of two papers
            wanted = wanted.with_for_update(key_share=True)
        row = self._connection.execute(wanted).one_or_none()
        if row is None:
            raise _missing(feed)
        return row

    def _change(self, feed: FeedId, values: Mapping[str, Any], *which: Any) -> bool:
        changing = update(db.feeds).where(db.feeds.c.id == feed, *which).values(dict(values))
        return self._connection.execute(changing).rowcount > 0


def _missing(feed: FeedId) -> NotFound:
    return NotFound(f"there is no feed {feed}")


def _taken(name: str) -> AlreadyTaken:
    return AlreadyTaken(f"a feed is called {name!r} already: choose another name", code="name")
