"""The statements of the counts in `store.rates`, for any number of keys at once."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from paperround.store.types import UtcDateTime

_INSTANT = UtcDateTime()

_COUNTED = {
    "sqlite": """
        SELECT a.key, sum(w.count), min(w.window_start)
        FROM json_each(?) AS a CROSS JOIN rate_windows AS w
        ON w.key = json_extract(a.value, '$[0]') AND w.window_start > json_extract(a.value, '$[1]')
        GROUP BY a.key""",
    "postgresql": """
        SELECT a.place - 1, sum(w.count)::bigint, min(w.window_start)
        FROM unnest(%s::text[], %s::timestamptz[]) WITH ORDINALITY AS a (key, since, place)
        JOIN rate_windows AS w ON w.key = a.key AND w.window_start > a.since
        GROUP BY a.place""",
}
"""By the place of a key and an instant among those that are asked for; those of which nothing was
counted are left out. SQLite begins with them: it knows no better order."""

_ADDING = {
    "sqlite": """
        INSERT INTO rate_windows (key, window_start, count)
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
        FROM json_each(?) WHERE true
        ON CONFLICT (key, window_start) DO UPDATE SET count = count + excluded.count""",
    "postgresql": """
        INSERT INTO rate_windows AS w (key, window_start, count)
        SELECT * FROM unnest(%s::text[], %s::timestamptz[], %s::bigint[])
        ON CONFLICT (key, window_start) DO UPDATE SET count = w.count + excluded.count""",
}

Since = tuple[str, datetime]
"""A key, and an instant."""


def counted(
    connection: Connection, asked: Sequence[Since]
) -> dict[Since, tuple[int, datetime | None]]:
    """What was counted of keys in windows that begin after an instant, and the first of these; no
    entry where nothing was."""
    dialect = connection.dialect
    rows = connection.exec_driver_sql(_COUNTED[dialect.name], _columns(connection, asked))
    read = _INSTANT.process_result_value
    return {asked[place]: (int(count), read(first, dialect)) for place, count, first in rows}


def add_counts(connection: Connection, counts: Sequence[tuple[Since, int]]) -> None:
    """Add to what stands in the windows of keys, each of them once."""
    rows = [(key, start, count) for (key, start), count in counts]
    connection.exec_driver_sql(_ADDING[connection.dialect.name], _columns(connection, rows))


def _columns(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Rows, whose second value is an instant, as the parameters of a statement."""
    dialect = connection.dialect
    write = _INSTANT.process_bind_param
    whole = [(key, write(moment, dialect), *others) for key, moment, *others in rows]
    if dialect.name == "sqlite":
        return (json.dumps(whole),)
    return tuple(list(column) for column in zip(*whole, strict=True))
