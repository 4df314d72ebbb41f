"""Store feeds, their runs and rejects."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, null, or_, select, true, update
from sqlalchemy.exc import IntegrityError

from paperround.core.errors import AlreadyTaken, LeaseLost, NotFound
from paperround.core.interfaces import Processes, Worker
from paperround.db.dialect import insert_new, is_duplicate
from paperround.db.driver import insert_many
from paperround.db.mapping import columns_of, value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.feeds.dataclass_json import from_json, to_json
from paperround.feeds.model import (
    FeedHealth,
    FeedRun,
    LiveFeed,
    NewFeed,
    PollProgress,
    StoredReject,
)
from paperround.papers.model import FeedId, Reject, Show

_FEEDS = select(db.feeds)
_NEVER_POLLED = {
    "progress": None,
    "health": FeedHealth.NEW.value,
    "reason": "",
    "failures": 0,
    "expects_at": None,
}
"""The polling state of a new feed, and after its address or settings changed."""


class FeedStore(Store):
    """Statements on feeds, their runs and the rejects of runs."""

    def get_or_create(self, name: str, kind: str, *, now: datetime) -> LiveFeed:
        """Return the feed called `name`, created with `kind` if missing."""
        row = self._row(db.feeds.c.name == name)
        if row is None:
            self._insert_row(NewFeed(name=name, kind=kind), {"created_at": now})
            row = self._connection.execute(_FEEDS.where(db.feeds.c.name == name)).one()
        return _live_feed_of(row)

    def start_run(self, feed: FeedId, *, source: str, now: datetime) -> int:
        """Start a run of `feed` and return its number."""
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
        names: Mapping[str, Sequence[str]] | None = None,
        health: FeedHealth | None = None,
        error: str | None,
        now: datetime,
    ) -> None:
        """Close `run` as `done`, `unchanged`, `failed` or `put-off`."""
        named = {kind: list(some) for kind, some in (names or {}).items() if some}
        health_json = {} if health is None else {"health": health.value}
        self._connection.execute(
            update(db.runs)
            .where(db.runs.c.id == run)
            .values(
                state=state,
                error=error,
                finished_at=now,
                counts={**counts, **health_json},
                names=named or null(),
            )
        )

    def keep_rejects(self, run: int, rejects: Sequence[Reject], *, now: datetime) -> int:
        """Store rejects new to this feed; return their number. Raises NotFound."""
        feed = self._connection.execute(
            select(db.runs.c.feed_id).where(db.runs.c.id == run)
        ).scalar_one_or_none()
        if feed is None:
            raise NotFound(f"there is no run {run}")
        rows = [_reject_row(feed, run, one, now) for one in rejects]
        return insert_many(self._connection, insert_new(self._connection, db.rejects), rows)

    def create(self, feed: NewFeed, *, now: datetime) -> LiveFeed:
        """Store a new feed, due at once. Raises AlreadyTaken (code `name`)."""
        row = self._insert_row(feed, {"created_at": now, "next_at": now})
        if row is None:
            raise _name_taken(feed.name)
        return _live_feed_of(row)

    def get(self, feed: FeedId) -> LiveFeed:
        """Return the feed with this id; raises NotFound."""
        return _live_feed_of(self._require_row(feed))

    def get_for_update(self, feed: FeedId) -> LiveFeed:
        """Return the feed, locked until the transaction ends; raises NotFound."""
        return _live_feed_of(self._require_row(feed, lock=True))

    def find(self, name: str) -> LiveFeed | None:
        """Return the feed called `name`, or None."""
        row = self._row(db.feeds.c.name == name)
        return None if row is None else _live_feed_of(row)

    def all(self) -> list[LiveFeed]:
        """Return every feed by id, including those of files."""
        return self.page(FeedId(0), limit=None)

    def page(self, after: FeedId, *, limit: int | None) -> list[LiveFeed]:
        """Return feeds with an id above `after`, by id, including those of files."""
        rows = self._connection.execute(
            _FEEDS.where(db.feeds.c.id > after).order_by(db.feeds.c.id).limit(limit)
        )
        return [_live_feed_of(row) for row in rows]

    def update(self, feed: FeedId, changed: NewFeed, *, now: datetime) -> LiveFeed:
        """Replace the settings of a feed. A change of kind, url or settings resets its polling
        state; its papers stay. A change of `show` makes the next poll read and apply every entry
        again. After either change a running poll has lost its lease, and the feed is due. Raises
        NotFound, and AlreadyTaken (code `name`)."""
        row = self._require_row(feed, lock=True)
        before = _live_feed_of(row)
        values = _feed_columns(changed) | {"gone_at": None}
        lease_ended = {"lease": before.lease + 1, "leased_until": None, "next_at": now}
        if (before.kind, before.url, before.settings) != (
            changed.kind,
            changed.url,
            values["settings"],
        ):
            values |= _NEVER_POLLED | lease_ended
        elif before.show is not changed.show:  # without validators, unchanged pages come again
            unvalidated = to_json(replace(before.progress, validators={}))
            values |= {"progress": unvalidated} | lease_ended
        if before.show is not changed.show:
            self.forget_fingerprints(feed)
        try:  # a savepoint: after an error outside of one PostgreSQL aborts the transaction
            with self._connection.begin_nested():
                self._update_row(feed, values)
        except IntegrityError as error:
            if is_duplicate(error):
                raise _name_taken(changed.name) from None
            raise
        return self.get(feed)

    def forget_fingerprints(self, feed: FeedId) -> None:
        """Make unchanged entries of the feed count as changed when they are read next."""
        of_feed = db.listings.c.feed_id == feed
        self._connection.execute(update(db.listings).where(of_feed).values(fingerprint=""))

    def delete(self, feed: FeedId) -> None:
        """Delete the feed, its runs and rejects; its papers stay. Raises NotFound."""
        deleted = self._connection.execute(delete(db.feeds).where(db.feeds.c.id == feed))
        if not deleted.rowcount:
            raise _not_found(feed)

    def lists_of(self, feed: FeedId) -> list[str]:
        """Return the names of the lists that name the feed, archived ones too."""
        rows = self._connection.execute(select(db.lists.c.name, db.lists.c.feeds))
        return sorted(row.name for row in rows if feed in row.feeds)

    def make_due(self, feed: FeedId, *, now: datetime) -> None:
        """Make the feed due now. Raises NotFound."""
        if not self._update_row(feed, {"next_at": now}):
            raise _not_found(feed)

    def lease_due(
        self, kinds: Collection[str], processes: Processes, *, until: datetime, now: datetime
    ) -> LiveFeed | None:
        """Lease an enabled feed of these kinds that is due, until `until`, and return it: one never
        polled first, then the longest due. Rows locked by another process are skipped."""
        next_at = db.feeds.c.next_at
        row = self._connection.execute(
            _FEEDS.where(
                db.feeds.c.enabled,
                db.feeds.c.kind.in_(list(kinds)),
                or_(next_at.is_(None), next_at <= now),
                or_(db.feeds.c.leased_until.is_(None), db.feeds.c.leased_until <= now),
            )
            .order_by(next_at.asc().nulls_first(), db.feeds.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        return None if row is None else self._lease(row, processes.current(), until)

    def lease(
        self, feed: FeedId, processes: Processes, *, until: datetime, now: datetime
    ) -> LiveFeed | None:
        """Lease the feed until `until`, due or not; return None while it is leased to a process
        that may be alive. Raises NotFound."""
        row = self._require_row(feed, lock=True)
        is_leased = row.leased_until is not None and row.leased_until > now
        if is_leased and not (row.lent_to and processes.is_dead(Worker(**row.lent_to))):
            return None
        return self._lease(row, processes.current(), until)

    def _lease(self, row: Row[Any], to: Worker, until: datetime) -> LiveFeed:
        leased: dict[str, Any] = {"next_at": until, "lease": row.lease + 1}
        self._update_row(row.id, leased | {"leased_until": until, "lent_to": asdict(to)})
        return replace(_live_feed_of(row), **leased)

    def require_lease(self, feed: FeedId, lease: int) -> None:
        """Lock the feed until the transaction ends. Raises NotFound, and LeaseLost when it was
        changed or leased to another process since the lease with this number."""
        if self._require_row(feed, lock=True).lease != lease:
            raise LeaseLost(f"the feed {feed} was changed, or taken by another process, meanwhile")

    def record_poll(
        self,
        feed: LiveFeed,
        *,
        leased_until: datetime | None = None,
        gone_at: datetime | None = None,
    ) -> None:
        """Store the state of a polled feed, unless it was deleted. `leased_until` renews the lease,
        None ends it; `gone_at` switches the feed off. Raises LeaseLost."""
        values = {
            "reason": feed.reason,
            "progress": to_json(feed.progress),
            "failures": feed.failures,
            "next_at": feed.next_at,
            "expects_at": feed.expects_at,
            "last_good_at": feed.last_good_at,
            "last_news_at": feed.last_news_at,
            "leased_until": leased_until,
        }
        if feed.health is not FeedHealth.PAUSED:  # which hides the stored health
            values["health"] = feed.health.value
        if gone_at is not None:
            values |= {"gone_at": gone_at, "enabled": False}
        if not self._update_row(feed.id, values, db.feeds.c.lease == feed.lease):
            with suppress(NotFound):
                self.require_lease(feed.id, feed.lease)

    def brought(self, *, since: datetime, until: datetime) -> Mapping[FeedId, int]:
        """Return how many papers each feed first listed after `since` and by `until`, if any."""
        listed, seen = db.listings, db.listings.c.first_seen_at
        counted = (
            select(listed.c.feed_id, func.count())
            .where(seen > since, seen <= until)
            .group_by(listed.c.feed_id)
        )
        return {FeedId(feed): count for feed, count in self._connection.execute(counted)}

    def rejected(self, *, since: datetime, until: datetime) -> Mapping[FeedId, int]:
        """Return how many new rejects each feed had in runs begun after `since` and by `until`."""
        begun = db.runs.c.started_at
        counted = (
            select(db.rejects.c.feed_id, func.count())
            .join_from(db.runs, db.rejects, db.rejects.c.run_id == db.runs.c.id)
            .where(begun > since, begun <= until)
            .group_by(db.rejects.c.feed_id)
        )
        return {FeedId(feed): count for feed, count in self._connection.execute(counted)}

    def record_health(
        self,
        feed: FeedId,
        health: FeedHealth,
        reason: str,
        *,
        failures: int,
        good_at: datetime | None,
    ) -> None:
        """Record the health of a feed that is not polled; a `good_at` of None keeps the old one."""
        values = {"health": health.value, "reason": reason, "failures": failures}
        self._update_row(feed, values if good_at is None else values | {"last_good_at": good_at})

    def runs(self, feed: FeedId, *, before: int | None, limit: int) -> list[FeedRun]:
        """Return runs with a number below `before`, newest first."""
        below = true() if before is None else db.runs.c.id < before
        query = select(db.runs).where(db.runs.c.feed_id == feed, below)
        rows = self._connection.execute(query.order_by(db.runs.c.id.desc()).limit(limit))
        return [_run_of(row) for row in rows]

    def rejects(self, feed: FeedId, *, before: int | None, limit: int) -> list[StoredReject]:
        """Return rejects with a number below `before`, newest first."""
        below = true() if before is None else db.rejects.c.id < before
        query = select(db.rejects).where(db.rejects.c.feed_id == feed, below)
        rows = self._connection.execute(query.order_by(db.rejects.c.id.desc()).limit(limit))
        return [value_of(StoredReject, row, run=row.run_id) for row in rows]

    def forget_names(self, *, before: datetime) -> int:
        """Delete the paper names of runs started before `before`; return how many runs had some."""
        named = (db.runs.c.names.is_not(None), db.runs.c.started_at < before)
        return self._connection.execute(update(db.runs).where(*named).values(names=null())).rowcount

    def forget_runs(self, *, before: datetime) -> int:
        """Delete runs started before `before`, with their rejects; return their number."""
        return self._connection.execute(
            delete(db.runs).where(db.runs.c.started_at < before)
        ).rowcount

    def _insert_row(self, feed: NewFeed, times: Mapping[str, datetime]) -> Row[Any] | None:
        """Return the new row, or None when the name is taken."""
        inserting = insert_new(self._connection, db.feeds).returning(*db.feeds.c)
        values = {**_feed_columns(feed), **_NEVER_POLLED, "lease": 0, **times}
        return self._connection.execute(inserting, values).one_or_none()

    def _row(self, condition: Any) -> Row[Any] | None:
        return self._connection.execute(_FEEDS.where(condition)).one_or_none()

    def _require_row(self, feed: FeedId, *, lock: bool = False) -> Row[Any]:
        query: Select[Any] = _FEEDS.where(db.feeds.c.id == feed)
        if lock:  # key_share does not block rows that reference the feed, such as a join of papers
            query = query.with_for_update(key_share=True)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise _not_found(feed)
        return row

    def _update_row(self, feed: FeedId, values: Mapping[str, Any], *which: Any) -> bool:
        statement = update(db.feeds).where(db.feeds.c.id == feed, *which).values(dict(values))
        return self._connection.execute(statement).rowcount > 0


def _not_found(feed: FeedId) -> NotFound:
    return NotFound(f"there is no feed {feed}")


def _name_taken(name: str) -> AlreadyTaken:
    return AlreadyTaken(f"a feed is called {name!r} already: choose another name", code="name")


def _feed_columns(feed: NewFeed) -> dict[str, Any]:
    """Return the columns of the settings an operator gave."""
    return columns_of(feed) | {"settings": dict(feed.settings)}


def _live_feed_of(row: Row[Any]) -> LiveFeed:
    """Return the feed with its state. A feed that is switched off has the health `paused`; the
    stored one returns when it is switched on."""
    return value_of(
        LiveFeed,
        row,
        show=None if row.show is None else Show(row.show),
        health=FeedHealth(row.health) if row.enabled else FeedHealth.PAUSED,
        progress=from_json(PollProgress, row.progress or {}),
    )


def _run_of(row: Row[Any]) -> FeedRun:
    """Return a run; an unfinished one has no counts."""
    counts = dict(row.counts or {})
    health = counts.pop("health", None)
    return value_of(
        FeedRun,
        row,
        counts=counts,
        names=row.names or {},
        health=None if health is None else FeedHealth(health),
    )


def _reject_row(feed: int, run: int, reject: Reject, now: datetime) -> dict[str, Any]:
    """Return the row of a reject. Its digest has no position, because feeds move entries."""
    position = "" if reject.excerpt else str(reject.position)
    text = "\0".join([reject.reason, reject.detail, reject.excerpt, position])
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
    return columns_of(reject) | {
        "feed_id": feed,
        "run_id": run,
        "digest": digest,
        "created_at": now,
    }
