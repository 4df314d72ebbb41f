"""Print results: one JSON object for programs, lines and tables for people."""

import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from textwrap import wrap
from typing import Any

import typer

from paperround.core.interfaces import Advance, no_progress
from paperround.core.times import format_instant

GAP = 2
"""Blanks between two columns."""

WIDEST = 28
"""A column is no wider for the sake of one long name."""

NARROWEST = 24
"""A last column with less room than this moves below its row."""

MOST_COLUMNS = 10
"""Objects with more fields than this are shown one below the other."""

_INDENT = " " * 4


def say(text: str = "") -> None:
    """Print one line for a person."""
    typer.echo(text)


def print_result(value: object, text: str | Iterable[str] | None = None, *, as_json: bool) -> None:
    """Print `value` as one JSON object; for a person print `text`, by default its outline."""
    if as_json:
        print_json(value)
        return
    if text is None:
        text = list(outline_lines(to_json(value))) or "nothing"
    for line in [text] if isinstance(text, str) else text:
        say(line)


def print_list(
    name: str, items: Iterable[object], columns: str, *, none: str, as_json: bool
) -> None:
    """Print `{name: items}` as JSON; for a person print a table of `columns`, or `none`."""
    rows = to_json(items)
    print_result({name: rows}, table_lines(rows, columns) if rows else none, as_json=as_json)


def print_json(value: object) -> None:
    """Print one JSON object, keys in the order given."""
    sys.stdout.write(json.dumps(to_json(value), ensure_ascii=False) + "\n")


def to_json(value: Any) -> Any:
    """`value` in the types of JSON: resources and mappings become objects, instants RFC 3339.

    Dataclasses are refused: they may hold secrets, so name what you print with `pick_fields`.
    """
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(name): to_json(one) for name, one in value.items()}
    return [to_json(one) for one in value]


def pick_fields(value: object, names: str) -> dict[str, Any]:
    """The attributes of `value` with these names, separated by blanks."""
    return {name: getattr(value, name) for name in names.split()}


def counts(numbers: Mapping[str, int]) -> str:
    """`12 new, 3 changed`, zero counts left out; `none` when all are zero."""
    named = [f"{value:,} {name}" for name, value in numbers.items() if value]
    return ", ".join(named) or "none"


def outline_lines(value: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """The lines of a JSON object for a person. Empty, unknown and zero values are left out."""
    for name, one in value.items():
        label = indent + name.replace("_", " ")
        if not one:
            continue
        if _is_nested(one):
            lines = list(_nested(one, f"{indent}  "))
            yield from [f"{label}:", *lines] if lines else []
        elif text := cell_text(one):
            yield f"{label}: {text}"


def _is_nested(value: object) -> bool:
    """Whether a value needs lines of its own: a list of objects, or an object that holds more."""
    if isinstance(value, list):
        return isinstance(value[0], dict)
    return isinstance(value, dict) and any(isinstance(one, dict | list) for one in value.values())


def _nested(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from outline_lines(value, indent)
    elif _is_wide(value):
        for number, row in enumerate(value):
            yield from [""] if number else []
            yield from outline_lines(row, indent)
    else:
        yield from (indent + line for line in table_lines(value))


def _is_wide(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether objects are too large for a table."""
    has_more = any(one and _is_nested(one) for row in rows for one in row.values())
    return has_more or len(rows[0]) > MOST_COLUMNS


def cell_text(value: object) -> str:
    """A JSON value on one line: a mapping as `sent 2, queued 1`; empty for null and false."""
    if value is None or value is False:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{name} {cell_text(one)}" for name, one in value.items() if one)
    if isinstance(value, list):
        return "; ".join(map(cell_text, value))
    if isinstance(value, float):
        return f"{value:g}"
    return "yes" if value is True else str(value)


def table_lines(rows: Sequence[Mapping[str, Any]], columns: str = "") -> Iterator[str]:
    """A table of JSON objects: a heading, then the named `columns`, by default all of them."""
    names = columns.split() or list(rows[0])
    heading = [name.replace("_", " ") for name in names]
    body = [[cell_text(row[name]) for name in names] for row in rows]
    yield from table([heading, *body], terminal_width())


def terminal_width() -> int | None:
    """Columns of the terminal; None for a file or a pipe, whose lines are never folded."""
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
    """`text` folded to `width`; lines after the first are indented by two more blanks."""
    if width is None or indent + len(text) <= width:
        yield " " * indent + text
        return
    first, *more = _folded(text, width - indent - GAP)
    yield " " * indent + first
    yield from (" " * (indent + GAP) + line for line in more)


def _folded(text: str, width: int) -> list[str]:
    return wrap(text, max(width, NARROWEST), break_on_hyphens=False) or [""]


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Advance]:
    """Yields a function to call with how much more is done.

    Draws on standard error and leaves nothing there; draws nothing when that is no terminal.
    """
    if not sys.stderr.isatty():
        yield no_progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda more: bar.advance(task, more)
