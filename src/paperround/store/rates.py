"""How often something happened, counted in windows of one second.

A window counts for as long as any part of it lies within a rate's period, so no stretch of that
length ever holds more than its count; somebody may have to wait up to one window longer. The width
is the same for every key and rate: what was counted stays true when a setting changes. A key has
no more rows than its limits let through.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from paperround.domain.limits import Rate, Standing
from paperround.domain.times import require_utc
from paperround.store import schema as db
from paperround.store.queries import Query

WINDOW = timedelta(seconds=1)

_COUNTED = Query(
    select(func.coalesce(func.sum(db.rate_windows.c.count), 0).label("counted")).where(
        db.rate_windows.c.key == bindparam("key"),
        db.rate_windows.c.window_start > bindparam("after"),
    )
)

_LOCKS = 727_694
"""PostgreSQL's advisory locks of this store: the first of their two numbers."""


class SqlRates:
    """Counts of one transaction. A key that was hit stays locked until it ends, so transactions
    that hit several keys should take them in the same order."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def hit(self, key: str, rates: Sequence[Rate], *, now: datetime) -> float | None:
        """Count one and return None; or, when one of `rates` would be exceeded, count nothing and
        return the seconds after which it would not be. `key` holds no address: hash it first."""
        self._lock(key)
        free = [moment for rate in rates if (moment := self._free_at(key, rate, now)) is not None]
        if free:
            return (max(free) - now).total_seconds()
        self._add_one(key, now)
        return None

    def count(self, key: str, period: timedelta, *, now: datetime) -> int:
        """How many were counted within the last `period`, or up to a second longer."""
        found = _COUNTED.first(self._connection, key=key, after=now - period - WINDOW)
        counted: int = found.counted if found is not None else 0
        return counted

    def standing(self, key: str, rate: Rate, *, now: datetime) -> Standing:
        """What `rate` leaves to `key`."""
        windows = db.rate_windows.c
        found = self._connection.execute(
            _windows(key, rate.period, now).with_only_columns(
                func.coalesce(func.sum(windows.count), 0).label("used"),
                func.min(windows.window_start).label("first"),
            )
        ).one()
        back = found.first + WINDOW + rate.period - now if found.first else timedelta()
        return Standing(
            limit=rate.count,
            window=int(rate.period.total_seconds()),
            remaining=max(0, rate.count - found.used),
            reset=ceil(back.total_seconds()),
        )

    def forget(self, *, before: datetime) -> int:
        """Drop what happened before; returns how many rows went."""
        return self._connection.execute(
            delete(db.rate_windows).where(db.rate_windows.c.window_start <= before - WINDOW)
        ).rowcount

    def _lock(self, key: str) -> None:
        """Make the check and the count one step. (SQLite's writer holds the only lock.)"""
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(select(func.pg_advisory_xact_lock(_LOCKS, func.hashtext(key))))

    def _free_at(self, key: str, rate: Rate, now: datetime) -> datetime | None:
        """When `rate` lets one more happen, None when it does now.

        Counted from the newest window back, one of them makes the rate full: once that one has
        left the period, there is room.
        """
        running = func.sum(db.rate_windows.c.count).over(
            order_by=db.rate_windows.c.window_start.desc()
        )
        windows = _windows(key, rate.period, now).add_columns(running.label("running")).subquery()
        filling: datetime | None = self._connection.execute(
            select(func.max(windows.c.window_start)).where(windows.c.running >= rate.count)
        ).scalar_one()
        return None if filling is None else filling + WINDOW + rate.period

    def _add_one(self, key: str, now: datetime) -> None:
        start = require_utc(now).replace(microsecond=0)
        here = (db.rate_windows.c.key == key) & (db.rate_windows.c.window_start == start)
        counting = update(db.rate_windows).where(here).values(count=db.rate_windows.c.count + 1)
        if not self._connection.execute(counting).rowcount:
            self._connection.execute(
                insert(db.rate_windows).values(key=key, window_start=start, count=1)
            )


def _windows(key: str, period: timedelta, now: datetime) -> Select[Any]:
    """The windows of `key` that reach into the last `period`, with those of a clock ahead."""
    return select(db.rate_windows.c.window_start).where(
        db.rate_windows.c.key == key, db.rate_windows.c.window_start > now - period - WINDOW
    )
