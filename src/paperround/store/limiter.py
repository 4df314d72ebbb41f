"""Turns and breakers: one budget a service, shared by every process on the database."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from paperround.store import schema as db
from paperround.store.dialect import insert_new


class SqlLimiter:
    """Budgets of one transaction. A budget's row stays locked until it ends: keep it short."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def reserve(self, name: str, *, interval_seconds: float, now: datetime) -> datetime:
        """The instant from which the caller may act once; the next turn is `interval_seconds`
        later. While the breaker of `name` is open that is not before its end."""
        row = self._locked(name, now)
        turn: datetime = max(now, row.next_at, row.breaker_until or now)
        self._change(name, next_at=turn + timedelta(seconds=interval_seconds))
        return turn

    def trip(self, name: str, *, until: datetime, now: datetime) -> None:
        """Open the breaker: nobody asks before `until`. One that is open for longer stays so."""
        row = self._locked(name, now)
        self._change(name, breaker_until=max(until, row.breaker_until or until))

    def open_until(self, name: str, *, now: datetime) -> datetime | None:
        """When the breaker of `name` closes again, None when it is closed. Whoever waited for a
        turn asks once more before acting: the breaker may have opened meanwhile."""
        until: datetime | None = self._connection.execute(
            select(db.limiter.c.breaker_until).where(
                db.limiter.c.name == name, db.limiter.c.breaker_until > now
            )
        ).scalar_one_or_none()
        return until

    def _locked(self, name: str, now: datetime) -> Row[Any]:
        """The budget's row, made when there is none. (SQLite's writer holds the only lock.)"""
        self._connection.execute(
            insert_new(self._connection, db.limiter),
            {"name": name, "next_at": now, "failures": 0},
        )
        return self._connection.execute(
            select(db.limiter).where(db.limiter.c.name == name).with_for_update()
        ).one()

    def _change(self, name: str, **values: datetime) -> None:
        self._connection.execute(update(db.limiter).where(db.limiter.c.name == name).values(values))
