"""How often something happened, counted in windows of one second.

A window counts for as long as any part of it lies within a rate's period, so no stretch of that
length ever holds more than its count; somebody may have to wait up to one window longer. The width
is the same for every key and rate: what was counted stays true when a setting changes. A key has
no more rows than its limits let through.

A key that was hit stays locked until its transaction ends, so what a transaction has looked up it
need not look up again; and what it counts is written when it ends.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from math import ceil
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select

from paperround.domain.limits import Rate, Standing
from paperround.domain.times import require_utc
from paperround.store import schema as db
from paperround.store.rate_statements import add_counts, counted

WINDOW = timedelta(seconds=1)

_LOCKS = 727_694
"""PostgreSQL's advisory locks of this store: the first of their two numbers."""

_LOCK = f"SELECT pg_advisory_xact_lock({_LOCKS}, hashtext(key)) FROM unnest(%s::text[]) AS k (key)"
"""One after the other, in the order in which they are given."""


@dataclass(slots=True)
class _Used:
    """What was counted since some instant, and the first window of it."""

    count: int
    first: datetime | None


@dataclass(frozen=True, slots=True)
class Mark:
    """How much was counted, written and locked at some point of a transaction."""

    hits: int
    written: int
    locked: int


class RateStore:
    """How often something happened, for limits that survive a restart. A key that was hit stays
    locked until the transaction ends, so transactions that hit several keys take them in the
    same order."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._locked = dict[str, None]()
        self._used = defaultdict[str, dict[datetime, _Used]](dict)
        self._hits = list[tuple[str, datetime]]()
        self._written = 0

    def hit(self, key: str, rates: Sequence[Rate], *, now: datetime) -> float | None:
        """Count one and return None; or, when one of `rates` would be exceeded, count nothing and
        return the seconds after which it would not be. No stretch of a rate's period ever holds
        more than its count. `key` holds no address: hash it first."""
        second = require_utc(now).replace(microsecond=0)
        if not self._is_foreseen(key, rates, second):
            self.foresee([(key, rates)], now=now)
        wait = self._wait(key, rates, now, second)
        if wait is None:
            self._add_one(key, second)
        return wait

    def _is_foreseen(self, key: str, rates: Sequence[Rate], second: datetime) -> bool:
        if key not in self._locked:
            return False
        used = self._used[key]
        return all(_since(rate.period, second) in used for rate in rates)

    def _wait(
        self, key: str, rates: Sequence[Rate], now: datetime, second: datetime
    ) -> float | None:
        used = self._used[key]
        free = [
            moment
            for rate in rates
            if used[_since(rate.period, second)].count >= rate.count
            if (moment := self._free_at(key, rate, now)) is not None
        ]
        return (max(free) - now).total_seconds() if free else None

    def foresee(self, hits: Sequence[tuple[str, Sequence[Rate]]], *, now: datetime) -> None:
        """Lock the keys that will be hit, in this order, and look up what they are measured by, in
        as few statements as there can be."""
        second = now.replace(microsecond=0)
        self._lock([key for key, _ in hits if key not in self._locked])
        missing = dict.fromkeys(
            (key, since)
            for key, rates in hits
            for rate in rates
            if (since := _since(rate.period, second)) not in self._used[key]
        )
        if missing:
            self.write()
            found = counted(self._connection, [*missing])
            for key, since in missing:
                self._used[key][since] = _Used(*found.get((key, since), (0, None)))

    def write(self) -> None:
        """Write down what was counted."""
        unwritten = Counter(self._hits[self._written :])
        self._written = len(self._hits)
        if unwritten:
            add_counts(self._connection, sorted(unwritten.items()))

    def mark(self) -> Mark:
        """Where a part begins that may be undone."""
        return Mark(len(self._hits), self._written, len(self._locked))

    def undo(self, mark: Mark) -> None:
        """What came after `mark` was undone, in the database too."""
        for key, _ in self._hits[mark.hits :]:
            self._used.pop(key, None)
        del self._hits[mark.hits :]
        self._written = mark.written
        for key in list(self._locked)[mark.locked :]:  # somebody else may hit it now
            del self._locked[key]
            self._used.pop(key, None)

    def count(self, key: str, period: timedelta, *, now: datetime) -> int:
        """How many were counted within the last `period`, or up to a second longer."""
        return self._looked_up(key, period, now).count

    def standing(self, key: str, rate: Rate, *, now: datetime) -> Standing:
        """What `rate` leaves to `key`."""
        used = self._looked_up(key, rate.period, now)
        back = used.first + WINDOW + rate.period - now if used.first else timedelta()
        return Standing(
            limit=rate.count,
            window=int(rate.period.total_seconds()),
            remaining=max(0, rate.count - used.count),
            reset=ceil(back.total_seconds()),
        )

    def forget(self, *, before: datetime) -> int:
        """Drop what happened before; returns how many rows went."""
        self.write()
        self._used.clear()
        return self._connection.execute(
            delete(db.rate_windows).where(db.rate_windows.c.window_start <= before - WINDOW)
        ).rowcount

    def _lock(self, keys: Sequence[str]) -> None:
        """Make the check and the count one step. (SQLite's writer holds the only lock.)"""
        self._locked.update(dict.fromkeys(keys))
        if keys and self._connection.dialect.name == "postgresql":
            self._connection.exec_driver_sql(_LOCK, (list(keys),))

    def _looked_up(self, key: str, period: timedelta, now: datetime) -> _Used:
        """What was counted, by what this transaction knows or by a look: nothing is locked."""
        since = _since(period, now.replace(microsecond=0))
        known = self._used[key].get(since)
        if known is not None:
            return known
        self.write()
        return _Used(*counted(self._connection, [(key, since)]).get((key, since), (0, None)))

    def _free_at(self, key: str, rate: Rate, now: datetime) -> datetime | None:
        """When a rate that is used up lets one more happen.

        Counted from the newest window back, one of them makes the rate full: once that one has
        left the period, there is room.
        """
        self.write()
        running = func.sum(db.rate_windows.c.count).over(
            order_by=db.rate_windows.c.window_start.desc()
        )
        windows = _windows(key, rate.period, now).add_columns(running.label("running")).subquery()
        filling: datetime | None = self._connection.execute(
            select(func.max(windows.c.window_start)).where(windows.c.running >= rate.count)
        ).scalar_one()
        return None if filling is None else filling + WINDOW + rate.period

    def _add_one(self, key: str, start: datetime) -> None:
        self._hits.append((key, start))
        for since, used in self._used[key].items():
            if start > since:
                used.count += 1
                used.first = min(start, used.first or start)


@lru_cache(maxsize=64)
def _since(period: timedelta, now: datetime) -> datetime:
    """Windows that begin after this instant reach into the last `period`; those of a clock ahead do
    as well. They begin at whole seconds, so what is below one makes no difference."""
    return (require_utc(now) - period - WINDOW).replace(microsecond=0)


def _windows(key: str, period: timedelta, now: datetime) -> Select[Any]:
    """The windows of `key` that reach into the last `period`."""
    return select(db.rate_windows.c.window_start).where(
        db.rate_windows.c.key == key, db.rate_windows.c.window_start > _since(period, now)
    )
