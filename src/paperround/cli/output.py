"""Print results: one JSON object for programs, lines and tables for people."""

import itertools
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
"""Spaces between two columns."""

WIDEST = 28
"""Most characters of a column, so that one long name does not widen all rows."""

NARROWEST = 16
"""The least width of a last column, even if its lines are wider than the terminal."""

MOST_COLUMNS = 10
"""Objects with more fields than this are listed, not tabulated."""


def say(text: str = "") -> None:
    """Print one line for a person."""
    typer.echo(text)


def print_result(value: object, text: str | Iterable[str] | None = None, *, as_json: bool) -> None:
    """Print `value` as one JSON object, or `text`, by default an outline of `value`."""
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
    """Print `{name: items}` as JSON, or a table of `columns`, or `none` if there are no items."""
    rows = to_json(items)
    print_result({name: rows}, table_lines(rows, columns) if rows else none, as_json=as_json)


def print_json(value: object) -> None:
    """Print one JSON object, keys in the order given."""
    sys.stdout.write(json.dumps(to_json(value), ensure_ascii=False) + "\n")


def to_json(value: Any) -> Any:
    """Convert `value` to JSON types: resources and mappings to objects, instants to RFC 3339.

    Raises TypeError for dataclasses, which may hold secrets: choose fields with `pick_fields`.
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
    """Return the attributes of `value` with these names, separated by spaces."""
    return {name: getattr(value, name) for name in names.split()}


def counts(numbers: Mapping[str, int]) -> str:
    """Return `12 new, 3 changed` without zero counts, `none` if all are zero."""
    named = [f"{value:,} {name}" for name, value in numbers.items() if value]
    return ", ".join(named) or "none"


def outline_lines(value: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """Yield a JSON object as indented lines, without empty, null and zero values."""
    for name, one in value.items():
        label = indent + name.replace("_", " ")
        if not one:
            continue
        if _is_nested(one):
            lines = list(_nested_lines(one, f"{indent}  "))
            yield from [f"{label}:", *lines] if lines else []
        elif text := cell_text(one):
            yield f"{label}: {text}"


def _is_nested(value: object) -> bool:
    """Return whether a value needs lines of its own: a list of objects or a nested object."""
    if isinstance(value, list):
        return isinstance(value[0], dict)
    return isinstance(value, dict) and any(isinstance(one, dict | list) for one in value.values())


def _nested_lines(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from outline_lines(value, indent)
    elif len(value[0]) > MOST_COLUMNS or any(
        one and _is_nested(one) for row in value for one in row.values()
    ):
        for number, row in enumerate(value):
            yield from [""] if number else []
            yield from outline_lines(row, indent)
    else:
        yield from (indent + line for line in table_lines(value))


def cell_text(value: object) -> str:
    """Return a JSON value on one line, a mapping as `sent 2, queued 1`; empty for null or false."""
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
    """Yield a table of JSON objects: a heading, then the named `columns`, by default all."""
    names = columns.split() or list(rows[0])
    heading = [name.replace("_", " ") for name in names]
    body = [[cell_text(row[name]) for name in names] for row in rows]
    yield from table([heading, *body], terminal_width())


def terminal_width() -> int | None:
    """Return the columns of the terminal; None for a file or a pipe, where lines do not wrap."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    """Yield `rows` as aligned lines; the last column wraps at `width`.

    Every row must have the same number of cells. A cell wider than `WIDEST` shifts only its row.
    """
    widths = [min(max(map(len, one)), WIDEST) for one in zip(*rows, strict=True)][:-1]
    for *cells, last in rows:
        head = "".join(
            f"{cell:{cell_width}}" + " " * GAP
            for cell, cell_width in zip(cells, widths, strict=True)
        )
        yield from fold(head, last, width)


def fold(head: str, text: str, width: int | None, *, indent: int | None = None) -> Iterator[str]:
    """Yield `head` and `text` wrapped at `width`. Later lines are indented, by default as far as
    the text."""
    if width is None or len(head) + len(text) <= width:
        yield (head + text).rstrip()
        return
    yield from wrap(
        text,
        max(width, len(head) + NARROWEST),
        initial_indent=head,
        subsequent_indent=" " * (len(head) if indent is None else indent),
        break_on_hyphens=False,
    )


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Advance]:
    """Yield a function to call with the number of further items done.

    Draws a bar on standard error; draws nothing without a terminal.
    """
    if not sys.stderr.isatty():
        yield no_progress
        return
    # Without a total the bar shows that something moves.
    items = itertools.count() if total is None else None
    with typer.progressbar(items, total, what, show_pos=True, file=sys.stderr) as bar:
        yield bar.update
