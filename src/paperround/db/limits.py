"""Rate limits, and the budgets of external services, shared by all processes on a database.

Events are counted in windows of one second. A window counts as long as any part of it is within the
rate's period, so no interval of that length ever has more events than allowed; a client may have to
wait up to one window longer. All keys and rates use the same width, so counts stay valid when a
setting changes. A key has at most as many rows as its limits allow events.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from math import ceil
from typing import Any

from sqlalchemy import Row, and_, bindparam, func, select

from paperround.core.interfaces import Processes, Worker
from paperround.core.rates import Rate, RateLimitStatus, Turn
from paperround.core.times import require_utc
from paperround.db.dialect import delete_rows, insert_new, insert_with_conflict, update_rows
from paperround.db.mapping import columns_of, value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Store

WINDOW = timedelta(seconds=1)

_LOCKS = 727_694
"""The first of the two numbers of this store's advisory locks on PostgreSQL."""

_LOCK = f"SELECT pg_advisory_xact_lock({_LOCKS}, hashtext(key)) FROM unnest(%s::text[]) AS k (key)"
"""Locks the keys one after the other, in the given order."""

_C = db.rate_windows.c
_WITHIN = and_(_C.key == bindparam("b_key"), _C.window_start > bindparam("b_since"))
_USED = select(func.sum(_C.count).label("used"), func.min(_C.window_start).label("first")).where(
    _WITHIN
)


@cache
def _counting(dialect: str) -> Any:
    """Return the statement that counts an event. Cached: building it takes longer than running."""
    insert = insert_with_conflict(dialect, db.rate_windows)
    same_window = ["key", "window_start"]
    return insert.on_conflict_do_update(index_elements=same_window, set_={"count": _C.count + 1})


class RateStore(Store):
    """Event counts, for rate limits that survive a restart.

    A key that was hit stays locked until the transaction ends, so transactions must hit several
    keys in the same order.
    """

    def lock(self, keys: Sequence[str]) -> None:
        """Lock keys in this order, so that check and count are atomic.

        Does nothing on SQLite, where the writer holds the only lock.
        """
        if keys and self._connection.dialect.name == "postgresql":
            self._connection.exec_driver_sql(_LOCK, (list(keys),))

    def hit(self, key: str, rates: Sequence[Rate], *, now: datetime) -> float | None:
        """Count an event and return None.

        If that would exceed one of `rates`, count nothing and return the seconds until it would
        not. `key` must not contain an email or IP address: hash it first.
        """
        self.lock([key])
        free = [at for rate in rates if (at := self._next_allowed(key, rate, now)) is not None]
        if free:
            return (max(free) - now).total_seconds()
        window = require_utc(now).replace(microsecond=0)
        values = {"key": key, "window_start": window, "count": 1}
        self._connection.execute(_counting(self._connection.dialect.name), values)
        return None

    def count(self, key: str, period: timedelta, *, now: datetime) -> int:
        """Return the number of events within the last `period`, or up to a second longer."""
        return self._used(key, period, now)[0]

    def rate_limit_status(self, key: str, rate: Rate, *, now: datetime) -> RateLimitStatus:
        """Return the quota that `rate` leaves to `key`."""
        used, first = self._used(key, rate.period, now)
        back = first + WINDOW + rate.period - now if first else timedelta()
        return RateLimitStatus(
            limit=rate.count,
            window=int(rate.period.total_seconds()),
            remaining=max(0, rate.count - used),
            reset=ceil(back.total_seconds()),
        )

    def forget(self, *, before: datetime) -> int:
        """Delete windows that ended before; return how many rows were deleted."""
        ended = db.rate_windows.c.window_start <= before - WINDOW
        return delete_rows(self._connection, db.rate_windows, ended)

    def _used(self, key: str, period: timedelta, now: datetime) -> tuple[int, datetime | None]:
        """Return the number of events within a period, and its first window with an event."""
        row = self._connection.execute(_USED, {"b_key": key, "b_since": _since(period, now)}).one()
        return int(row.used or 0), row.first

    def _next_allowed(self, key: str, rate: Rate, now: datetime) -> datetime | None:
        """Return when an exhausted rate allows another event; None when it does now.

        Summed from the newest window back, one window reaches the limit: once that window has left
        the period, there is quota again.
        """
        if self.count(key, rate.period, now=now) < rate.count:
            return None
        running = func.sum(_C.count).over(order_by=_C.window_start.desc())
        windows = select(_C.window_start, running.label("running")).where(_WITHIN).subquery()
        full_at: datetime | None = self._connection.execute(
            select(func.max(windows.c.window_start)).where(windows.c.running >= rate.count),
            {"b_key": key, "b_since": _since(rate.period, now)},
        ).scalar_one()
        return None if full_at is None else full_at + WINDOW + rate.period


def _since(period: timedelta, now: datetime) -> datetime:
    """Return the instant after which windows overlap the last `period`.

    Windows begin at whole seconds. Windows of a clock that is ahead count as well.
    """
    return (require_utc(now) - period - WINDOW).replace(microsecond=0)


# Turns and circuit breakers: one budget per service, shared by every process on the database.
#
# `next_at` is when the next turn may begin. While a turn is taken that is the end of its lease,
# which also identifies it; after its release it is the end of the pause. `host`, `pid` and
# `started` are the process that has the turn, null when none has.

_POLL_INTERVAL = timedelta(seconds=1)

_LONGEST_SKEW = timedelta(hours=1)
"""How far apart the clocks of two machines may be before one is considered wrong."""

_NO_HOLDER: dict[str, Any] = {"host": None, "pid": None, "started": None}


class Limiter(Store):
    """The budgets of services, shared by all processes on a database.

    A budget's row stays locked until the transaction ends: keep it short.
    """

    def take(
        self, name: str, turn: Turn, processes: Processes, *, now: datetime
    ) -> datetime | None:
        """Take the turn and return None, or return when to try again.

        The turn lasts until it is released or its lease ends. When to try again is the end of the
        breaker or of the pause; while another process has the turn, it is at most the interval or a
        second. Turns of dead processes are ignored, and so are turns that end later than possible:
        the clock that took them was wrong.
        """
        row = self._locked(name, now)
        if row.breaker_until is not None and row.breaker_until > now:
            until: datetime = row.breaker_until
            return until
        next_at: datetime = row.next_at
        if next_at > now and row.host is not None and processes.is_dead(value_of(Worker, row)):
            next_at = turn.pauses(next_at)
            self._change(name, next_at=next_at, **_NO_HOLDER)
        if now < next_at <= turn.ends(now) + _LONGEST_SKEW:
            return min(next_at, now + max(turn.interval, _POLL_INTERVAL))
        self._change(name, next_at=turn.ends(now), **columns_of(processes.current()))
        return None

    def release(self, name: str, turn: Turn, *, taken_at: datetime, now: datetime) -> None:
        """Release a turn: the next may begin an interval after this one began, but not before now.

        If the lease has ended and another process took the turn, nothing changes.
        """
        if self._locked(name, now).next_at == turn.ends(taken_at):
            self._change(name, next_at=max(taken_at + turn.interval, now), **_NO_HOLDER)

    def trip(self, name: str, *, until: datetime, now: datetime) -> None:
        """Open the breaker until `until`, unless it is already open for longer."""
        row = self._locked(name, now)
        self._change(name, breaker_until=max(until, row.breaker_until or until))

    def open_until(self, name: str, *, now: datetime) -> datetime | None:
        """Return when the breaker of `name` closes, None when it is closed."""
        until: datetime | None = self._connection.execute(
            select(db.limiter.c.breaker_until).where(
                db.limiter.c.name == name, db.limiter.c.breaker_until > now
            )
        ).scalar_one_or_none()
        return until

    def _locked(self, name: str, now: datetime) -> Row[Any]:
        """Return the budget's row, locked; create it if it is missing."""
        self._connection.execute(
            insert_new(self._connection, db.limiter), {"name": name, "next_at": now}
        )
        return self._connection.execute(
            select(db.limiter).where(db.limiter.c.name == name).with_for_update()
        ).one()

    def _change(self, name: str, **values: Any) -> None:
        update_rows(self._connection, db.limiter, db.limiter.c.name == name, **values)
