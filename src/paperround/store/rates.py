"""How often something happened, counted in windows of one second.

A window counts for as long as any part of it lies within a rate's period, so no stretch of that
length ever holds more than its count; somebody may have to wait up to one window longer. The width
is the same for every key and rate: what was counted stays true when a setting changes. A key has
no more rows than its limits let through.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import and_, bindparam, delete, func, select

from paperround.domain.limits import Rate, Standing
from paperround.domain.times import require_utc
from paperround.store import schema as db
from paperround.store.base import Store
from paperround.store.dialect import inserting

WINDOW = timedelta(seconds=1)

_LOCKS = 727_694
"""PostgreSQL's advisory locks of this store: the first of their two numbers."""

_LOCK = f"SELECT pg_advisory_xact_lock({_LOCKS}, hashtext(key)) FROM unnest(%s::text[]) AS k (key)"
"""One after the other, in the order in which they are given."""

_C = db.rate_windows.c
_WITHIN = and_(_C.key == bindparam("b_key"), _C.window_start > bindparam("b_since"))
_USED = select(func.sum(_C.count).label("used"), func.min(_C.window_start).label("first")).where(
    _WITHIN
)


class RateStore(Store):
    """How often something happened, for limits that survive a restart. A key that was hit stays
    locked until the transaction ends, so transactions that hit several keys take them in the
    same order."""

    def lock(self, keys: Sequence[str]) -> None:
        """Lock keys that will be hit, in this order, so that the check and the count are one step.
        (SQLite's writer holds the only lock.)"""
        if keys and self._connection.dialect.name == "postgresql":
            self._connection.exec_driver_sql(_LOCK, (list(keys),))

    def hit(self, key: str, rates: Sequence[Rate], *, now: datetime) -> float | None:
        """Count one and return None; or, when one of `rates` would be exceeded, count nothing and
        return the seconds after which it would not be. No stretch of a rate's period ever holds
        more than its count. `key` holds no address: hash it first."""
        self.lock([key])
        free = [at for rate in rates if (at := self._free_at(key, rate, now)) is not None]
        if free:
            return (max(free) - now).total_seconds()
        window = require_utc(now).replace(microsecond=0)
        counting = inserting(self._connection.dialect.name, db.rate_windows).on_conflict_do_update(
            index_elements=["key", "window_start"], set_={"count": _C.count + 1}
        )
        self._connection.execute(counting, {"key": key, "window_start": window, "count": 1})
        return None

    def count(self, key: str, period: timedelta, *, now: datetime) -> int:
        """How many were counted within the last `period`, or up to a second longer."""
        return self._used(key, period, now)[0]

    def standing(self, key: str, rate: Rate, *, now: datetime) -> Standing:
        """What `rate` leaves to `key`."""
        used, first = self._used(key, rate.period, now)
        back = first + WINDOW + rate.period - now if first else timedelta()
        return Standing(
            limit=rate.count,
            window=int(rate.period.total_seconds()),
            remaining=max(0, rate.count - used),
            reset=ceil(back.total_seconds()),
        )

    def forget(self, *, before: datetime) -> int:
        """Drop what happened before; returns how many rows went."""
        return self._connection.execute(
            delete(db.rate_windows).where(db.rate_windows.c.window_start <= before - WINDOW)
        ).rowcount

    def _used(self, key: str, period: timedelta, now: datetime) -> tuple[int, datetime | None]:
        """What was counted within a period, and the first window of it."""
        row = self._connection.execute(_USED, {"b_key": key, "b_since": _since(period, now)}).one()
        return int(row.used or 0), row.first

    def _free_at(self, key: str, rate: Rate, now: datetime) -> datetime | None:
        """When a rate that is used up lets one more happen; None when it does now.

        Counted from the newest window back, one of them makes the rate full: once that one has
        left the period, there is room.
        """
        if self.count(key, rate.period, now=now) < rate.count:
            return None
        running = func.sum(_C.count).over(order_by=_C.window_start.desc())
        windows = select(_C.window_start, running.label("running")).where(_WITHIN).subquery()
        filling: datetime | None = self._connection.execute(
            select(func.max(windows.c.window_start)).where(windows.c.running >= rate.count),
            {"b_key": key, "b_since": _since(rate.period, now)},
        ).scalar_one()
        return None if filling is None else filling + WINDOW + rate.period


def _since(period: timedelta, now: datetime) -> datetime:
    """Windows that begin after this instant reach into the last `period`; those of a clock ahead do
    as well. They begin at whole seconds, so what is below one makes no difference."""
    return (require_utc(now) - period - WINDOW).replace(microsecond=0)
