"""Tables as a person reads them: columns that line up, and on a terminal nothing that is cut."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from textwrap import wrap

GAP = 2
"""Blanks between two columns."""

WIDEST = 28
"""A column is no wider for the sake of one long name."""

NARROWEST = 24
"""A last column that would have less than this stands below its row."""

_INDENT = " " * 4


def terminal_width() -> int | None:
    """Columns of the terminal that is written to; None for a file or a pipe, whose lines stay
    whole for whoever searches them."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    """The lines of `rows`, each cell as wide as its column; the last column is folded to `width`.

    Every row has the same number of cells. A cell wider than `WIDEST` moves its own row only.
    """
    widths = [min(max(map(len, one)), WIDEST) for one in zip(*rows, strict=True)][:-1]
    for *cells, last in rows:
        head = "".join(
            f"{cell:{wide}}" + " " * GAP for cell, wide in zip(cells, widths, strict=True)
        )
        yield from _row(head, last, width)


def _row(head: str, last: str, width: int | None) -> Iterator[str]:
    if width is None or len(head) + len(last) <= width:
        yield (head + last).rstrip()
    elif width - len(head) >= NARROWEST:
        first, *more = _folded(last, width - len(head))
        yield head + first
        yield from (" " * len(head) + line for line in more)
    else:
        yield head.rstrip()
        yield from (_INDENT + line for line in _folded(last, width - len(_INDENT)))


def paragraph(text: str, width: int | None, *, indent: int = 0) -> Iterator[str]:
    """`text` folded to `width`; what does not fit on the first line stands two blanks further in
    than `indent`."""
    if width is None or indent + len(text) <= width:
        yield " " * indent + text
        return
    first, *more = _folded(text, width - indent - GAP)
    yield " " * indent + first
    yield from (" " * (indent + GAP) + line for line in more)


def _folded(text: str, width: int) -> list[str]:
    return wrap(text, max(width, NARROWEST), break_on_hyphens=False) or [""]


def until(moment: datetime | None, now: datetime) -> str:
    """How long it is till then: `now`, `in 5 min`, `in 3 h`, `in 2 d`; empty for never."""
    if moment is None:
        return ""
    left = moment - now
    if left <= timedelta():
        return "now"
    minutes = -(-left // timedelta(minutes=1))
    if minutes < 60:
        return f"in {minutes} min"
    return f"in {round(minutes / 60)} h" if minutes < 48 * 60 else f"in {left.days} d"
