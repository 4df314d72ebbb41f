"""A page of readers in parts: what they get is built for all at once, and written part by part.

    page ─► rows for all ─► part ─► written in one transaction ─┐
                             ▲                                  │
                             └────────── next part ◄────────────┘

Building has a price for each page, so pages are large. Writing holds the writer's lock of SQLite,
and somebody who signs up waits meanwhile, so parts are small.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from paperround.store.unit_of_work import tried

PART = 400
"""Readers whose rows are written together, at most: some 35 ms of one core."""

Reader = TypeVar("Reader")
Row = TypeVar("Row")
Result = TypeVar("Result")


def in_parts(
    page: Sequence[Reader],
    *,
    choose: Callable[[Sequence[Reader]], Sequence[Row | None]],
    write: Callable[[Sequence[Reader], list[Row]], Result],
) -> Iterator[tuple[Sequence[Reader], Result]]:
    """Write the rows of a page; gives each part of its readers with what `write` returned for it.

    `choose` gives each reader's row, None if none now; `write` is one transaction. When a part
    loses a race, its rows alone are built again: what earlier parts wrote stays. Raises Conflict
    when a part lost too often.
    """
    rows = tried(lambda: choose(page))
    for first in range(0, len(page), PART):
        part = page[first : first + PART]
        yield part, _written(part, rows[first : first + PART], choose, write)


def _written(
    part: Sequence[Reader],
    rows: Sequence[Row | None],
    choose: Callable[[Sequence[Reader]], Sequence[Row | None]],
    write: Callable[[Sequence[Reader], list[Row]], Result],
) -> Result:
    built = [rows]

    def attempt() -> Result:
        found = built.pop() if built else choose(part)
        return write(part, [row for row in found if row is not None])

    return tried(attempt)
