"""A page of readers in parts: what they get is chosen for all at once, and written part by part.

    page ─► choose for all ─► part ─► its rows ─► written in one transaction ─┐
                               ▲                                             │
                               └────────────────── next part ◄───────────────┘

Choosing has a price for each page, so pages are large. Writing holds the writer's lock of SQLite,
and somebody who signs up waits meanwhile, so parts are small. Rows are made between two
transactions: then others have their turn.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from paperround.jobs.transactions import tried

PART = 400
"""Readers whose rows are written together, at most: some 35 ms of one core."""

Reader = TypeVar("Reader")
Row = TypeVar("Row")
Result = TypeVar("Result")
Made = Callable[[], Row]
"""A row that is made when it is asked for."""


def in_parts(
    page: Sequence[Reader],
    *,
    choose: Callable[[Sequence[Reader]], Sequence[Made[Row] | None]],
    write: Callable[[Sequence[Reader], list[Row]], Result],
) -> Iterator[tuple[Sequence[Reader], Result]]:
    """Write the rows of a page; gives each part of its readers with what `write` returned for it.

    `choose` says for each reader what row they get, None if none now; `write` is one transaction.
    When a part loses a race it is chosen for again, alone: what earlier parts wrote stands. Raises
    Conflict when a part lost too often.
    """
    made = tried(lambda: choose(page))
    for first in range(0, len(page), PART):
        part = page[first : first + PART]
        yield part, _written(part, made[first : first + PART], choose, write)


def _written(
    part: Sequence[Reader],
    made: Sequence[Made[Row] | None],
    choose: Callable[[Sequence[Reader]], Sequence[Made[Row] | None]],
    write: Callable[[Sequence[Reader], list[Row]], Result],
) -> Result:
    first = [made]

    def attempt() -> Result:
        chosen = first.pop() if first else choose(part)
        return write(part, [make() for make in chosen if make is not None])

    return tried(attempt)
