"""Limits that all processes on a database share: how often something happens, and whose turn it is.

What happened is counted in windows of one second. A window counts for as long as any part of it
lies within a rate's period, so no stretch of that length ever holds more than its count; somebody
may have to wait up to one window longer. The width is the same for every key and rate: what was
counted stays true when a setting changes. A key has no more rows than its limits let through.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, func, select, update

from paperround.core.interfaces import Processes, Worker
from paperround.core.rates import Rate, RateLimitStatus, Turn
from paperround.core.times import require_utc
from paperround.db.dialect import insert_new, inserting
from paperround.db.rows import columns_of, value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Store

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

    def standing(self, key: str, rate: Rate, *, now: datetime) -> RateLimitStatus:
        """What `rate` leaves to `key`."""
        used, first = self._used(key, rate.period, now)
        back = first + WINDOW + rate.period - now if first else timedelta()
        return RateLimitStatus(
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


# Turns and breakers: one budget a service, shared by every process on the database.
#
# `next_at` is when the next turn may begin: while a turn is out that is the end of its lease, which
# also tells which it is; from its release on, the end of the pause. `host`, `pid` and `started` are
# the process that has the turn, null when nobody has.

_LOOK_AGAIN = timedelta(seconds=1)

_LONGEST_SKEW = timedelta(hours=1)
"""How far the clocks of machines may be apart before one of them is not believed."""

_NOBODY: dict[str, Any] = {"host": None, "pid": None, "started": None}


class Limiter(Store):
    """Budgets that all processes on one database share, one for each service. A budget's row
    stays locked until the transaction ends: keep it short."""

    def take(
        self, name: str, turn: Turn, processes: Processes, *, now: datetime
    ) -> datetime | None:
        """None when the turn is the caller's, from `now` until it is released or its lease ends;
        else when to look again: at the end of the breaker or of the pause after the last turn, and
        meanwhile from time to time while somebody else has the turn. A dead process has none, and a
        turn that would end later than any can was taken by a clock that was wrong."""
        row = self._locked(name, now)
        if row.breaker_until is not None and row.breaker_until > now:
            until: datetime = row.breaker_until
            return until
        next_at: datetime = row.next_at
        if next_at > now and _is_orphan(row, processes):
            next_at = turn.pauses(next_at)
            self._change(name, next_at=next_at, **_NOBODY)
        if now < next_at <= turn.ends(now) + _LONGEST_SKEW:
            return min(next_at, now + max(turn.interval, _LOOK_AGAIN))
        me = processes.current()
        self._change(name, next_at=turn.ends(now), **columns_of(me))
        return None

    def release(self, name: str, turn: Turn, *, taken_at: datetime, now: datetime) -> None:
        """The answer is there: the next turn begins an interval after this one began, but not
        before now. A turn whose lease ended may be somebody else's by now, and stays theirs."""
        if self._locked(name, now).next_at == turn.ends(taken_at):
            self._change(name, next_at=max(taken_at + turn.interval, now), **_NOBODY)

    def trip(self, name: str, *, until: datetime, now: datetime) -> None:
        """Open the breaker: nobody asks before `until`. One that is open for longer stays so."""
        row = self._locked(name, now)
        self._change(name, breaker_until=max(until, row.breaker_until or until))

    def open_until(self, name: str, *, now: datetime) -> datetime | None:
        """When the breaker of `name` closes again, None when it is closed."""
        until: datetime | None = self._connection.execute(
            select(db.limiter.c.breaker_until).where(
                db.limiter.c.name == name, db.limiter.c.breaker_until > now
            )
        ).scalar_one_or_none()
        return until

    def _locked(self, name: str, now: datetime) -> Row[Any]:
        """The budget's row, made when there is none. (SQLite's writer holds the only lock.)"""
        self._connection.execute(
            insert_new(self._connection, db.limiter), {"name": name, "next_at": now}
        )
        return self._connection.execute(
            select(db.limiter).where(db.limiter.c.name == name).with_for_update()
        ).one()

    def _change(self, name: str, **values: Any) -> None:
        self._connection.execute(update(db.limiter).where(db.limiter.c.name == name).values(values))


def _is_orphan(row: Row[Any], processes: Processes) -> bool:
    """Whether the process that has the turn is certainly dead."""
    return row.host is not None and processes.is_dead(value_of(Worker, row))
