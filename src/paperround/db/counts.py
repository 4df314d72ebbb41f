"""Counts by day, for the whole installation and for each list. They outlive the counted rows."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import func, select

from paperround.db.dialect import insert_with_conflict, upsert
from paperround.db.schema import tables as db
from paperround.db.transactions import Store

EVERYWHERE = 0
"""The `list_id` of counts for the whole installation."""

_KEY = ("day", "name", "list_id")


@cache
def _adding(dialect: str) -> Any:
    """Return the statement that adds to a count."""
    statement = insert_with_conflict(dialect, db.day_counts)
    total = db.day_counts.c.count + statement.excluded.count
    return statement.on_conflict_do_update(index_elements=_KEY, set_={"count": total})


class DayCountStore(Store):
    """Counts by day in UTC. Names are fixed in the code; no count is about one person."""

    def add(self, name: str, list_id: int, *, now: datetime, count: int = 1) -> None:
        """Add to the count of the day of `now`. The row stays locked until the transaction ends,
        so count last."""
        row = {"day": now.date(), "name": name, "list_id": list_id, "count": count}
        self._connection.execute(_adding(self._connection.dialect.name), row)

    def put(self, name: str, list_id: int, count: int, *, day: date) -> None:
        """Set the count of a day."""
        statement = upsert(self._connection, db.day_counts, _KEY, ("count",))
        row = {"day": day, "name": name, "list_id": list_id, "count": count}
        self._connection.execute(statement, row)

    def by_day(
        self, names: Collection[str], *, first: date, last: date, list_id: int | None = None
    ) -> dict[date, dict[str, int]]:
        """Return the counts of each day that has any, of one list or summed over all rows."""
        c = db.day_counts.c
        counting = (
            select(c.day, c.name, func.sum(c.count))
            .where(c.name.in_(names), c.day.between(first, last))
            .group_by(c.day, c.name)
            .order_by(c.day)
        )
        if list_id is not None:
            counting = counting.where(c.list_id == list_id)
        found: dict[date, dict[str, int]] = {}
        for day, name, count in self._connection.execute(counting):
            found.setdefault(day, {})[name] = int(count)
        return found

    def totals(self, names: Collection[str]) -> Mapping[str, int]:
        """Return the counts of all days and lists; they never fall."""
        c = db.day_counts.c
        counting = select(c.name, func.sum(c.count)).where(c.name.in_(names)).group_by(c.name)
        found = {name: int(count) for name, count in self._connection.execute(counting)}
        return {name: found.get(name, 0) for name in names}
