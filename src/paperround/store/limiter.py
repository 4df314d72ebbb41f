"""Turns and breakers: one budget a service, shared by every process on the database.

`next_at` is when the next turn may begin: while a turn is out that is the end of its lease, which
also tells which it is; from its release on, the end of the pause. `host`, `pid` and `started` are
the process that has the turn, null when nobody has.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, update

from paperround.domain.deliveries import Worker
from paperround.domain.limits import Turn
from paperround.domain.ports import Processes
from paperround.store import schema as db
from paperround.store.base import Store, columns_of, value_of
from paperround.store.dialect import insert_new

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
