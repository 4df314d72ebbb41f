"""Read and write subscriber files, CSV and JSON, and read those of other list software.

A file that cannot be read raises InvalidInput; an invalid entry becomes a Reject. Both name the
line. Column names are compared in lower case, without surrounding blanks.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import IO, Any, TypeVar

from paperround.core.errors import InvalidInput
from paperround.core.i18n.locale import is_language
from paperround.core.languages import LANGUAGES
from paperround.core.times import parse_instant, place_zone
from paperround.papers.model import Reject
from paperround.subscribers.addresses import parse_address
from paperround.subscribers.interests import Interest, bounded, parse_interest
from paperround.subscribers.model import (
    Consent,
    Frequency,
    Preferences,
    SubscriberState,
    parse_frequency,
)

Row = Mapping[str, object]

_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""The start of a cell that a spreadsheet may run as a formula, with any apostrophes before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One subscriber of a file: cells by column, and the 1-based `position` of the `unit`."""

    row: Row
    position: int
    unit: str = "line"

    def reject(self, problem: InvalidInput) -> Reject:
        """Return a reject for this entry that names its position, never the address."""
        return Reject(
            reason=problem.code,
            detail=f"{self.unit} {self.position}: {problem}",
            position=self.position,
        )


Found = FileEntry | Reject


def read_rows(content: bytes) -> list[Found]:
    """Return the entries of a CSV file with a header, or of a JSON array of objects."""
    text = decoded(content)
    if is_json(text):
        return objects(text)
    return [_unescaped(one) for one in sheet(text, needs=("email", "status"))]


def write_sheet(rows: Iterable[Mapping[str, str]], columns: Sequence[str], file: IO[str]) -> None:
    """Write a CSV file with a header, which `read_rows` reads back.

    A cell that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV
    injection); so does a cell that begins with an apostrophe and such a character, to tell the two
    apart.
    """
    # Rows end with CR LF (RFC 4180): with LF, Python before 3.13 does not quote a CR in a cell.
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows(
        [f"'{cell}" if _FORMULA.match(cell) else cell for cell in map(row.__getitem__, columns)]
        for row in rows
    )


def _unescaped(found: Found) -> Found:
    """Return the entry without the apostrophes that `write_sheet` adds."""
    if isinstance(found, Reject):
        return found
    cells = ((name, str(cell)) for name, cell in found.row.items())
    row = {
        name: cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell for name, cell in cells
    }
    return replace(found, row=row)


def decoded(content: bytes) -> str:
    """Decode a UTF-8 file, with or without a byte order mark; raise InvalidInput for any other
    encoding."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"the file is not UTF-8 (byte {error.start}): save it as UTF-8"
        ) from None


def text_of(row: Row, column: str) -> str:
    """Return a cell stripped, a list joined by `;`, and "" for a missing column."""
    value = row.get(column)
    if isinstance(value, list):
        return ";".join(str(one) for one in value)
    return "" if value is None else str(value).strip()


# --- JSON --------------------------------------------------------------------------------------


def is_json(text: str) -> bool:
    """Return whether the file starts like JSON; no CSV file or list of addresses does."""
    return text.lstrip().startswith(("[", "{"))


def objects(text: str, *, within: str | None = None) -> list[Found]:
    """Return the objects of a JSON array, or of the array under the key `within`.

    Raises InvalidInput for anything else.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"not JSON (line {error.lineno}): {error.msg}") from None
    except RecursionError:
        raise InvalidInput("not a list of people: the JSON is nested too deeply") from None
    if within is not None and isinstance(value, dict):
        value = value.get(within)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise InvalidInput("the JSON must be an array of objects, one per subscriber")
    return [FileEntry(row=row, position=at, unit="entry") for at, row in enumerate(value, start=1)]


# --- CSV ---------------------------------------------------------------------------------------


def sheet(text: str, *, needs: Sequence[str], skip: int = 0) -> list[Found]:
    """Return the rows of a CSV file, keyed by lower-case column names; blank lines are skipped.
    The header tells whether commas, semicolons or tabs separate the cells.

    `skip` non-blank lines precede the header, which must contain every name in `needs`, or
    InvalidInput is raised.
    """
    delimiter = _delimiter_of(text, skip)
    lines = list(_lines(text, delimiter))[skip:]
    header = [name.strip().casefold() for name in (lines[0][1] if lines else [])]
    missing = [name for name in needs if name not in header]
    if missing:
        raise InvalidInput(
            f"the first line must name the columns, {missing[0]!r} among them, and does not"
        )
    twice = [name for name, times in Counter(filter(None, header)).items() if times > 1]
    if twice:
        raise InvalidInput(f"the first line names the column {twice[0]!r} twice: rename one")
    found = list[Found]()
    for line, cells in lines[1:]:
        row = dict.fromkeys(header, "") | dict(zip(header, cells, strict=False))
        entry = FileEntry(row=row, position=line)
        if any(cells[len(header) :]):
            problem = (
                f"{len(cells)} cells under {len(header)} columns: quote a cell that holds "
                f"{_DELIMITERS[delimiter]}"
            )
            found.append(entry.reject(InvalidInput(problem, code="wrong-columns")))
        else:
            found.append(entry)
    return found


_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
"""What separates the cells; spreadsheets write semicolons where a comma is the decimal sign."""


def _delimiter_of(text: str, skip: int) -> str:
    """Return the delimiter that the header has most of."""
    lines = (line for line in text.splitlines() if line.strip(' ",;\t'))
    header = next(islice(lines, skip, None), "")
    return max(_DELIMITERS, key=header.count)


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each non-blank row with the line it starts on.

    An unclosed quote raises InvalidInput: it would swallow the rows below it.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InvalidInput(
                f"line {line}: not CSV ({error}): look for a quote that is not closed"
            ) from None
        if any(cells):
            yield line, cells


# --- parsing cells; an error names the column ---------------------------------------------------

COLUMNS = (
    "email",
    "status",
    "consent_at",
    "consent_source",
    "timezone",
    "hour",
    "frequency",
    "topics",
    "language",
    "interests",
)
LONGEST_SOURCE = 200

T = TypeVar("T")


def cell(row: Row, column: str, read: Callable[[str], T]) -> T:
    """Return a cell parsed by `read`; an InvalidInput it raises gets the column's name."""
    try:
        return read(text_of(row, column))
    except InvalidInput as error:
        raise InvalidInput(f"{column}: {error}", code=error.code) from None


def state_of(row: Row) -> SubscriberState:
    """Return the subscriber state that the row names."""
    text = text_of(row, "status")
    try:
        return SubscriberState(text)
    except ValueError:
        known = ", ".join(SubscriberState)
        raise InvalidInput(f"status is {text!r}: use one of {known}", code="bad-status") from None


def consent_of(row: Row, state: SubscriberState, now: datetime) -> Consent | None:
    """Return when, before `now`, and how they consented; None for an unsubscribed row, which needs
    no consent: an opt-out always counts."""
    at, source = text_of(row, "consent_at"), text_of(row, "consent_source")
    if not (at and source) and state is SubscriberState.UNSUBSCRIBED:
        return None
    if not at or not source:
        raise InvalidInput("no consent: fill in consent_at and consent_source", code="no-consent")
    consented_at = cell(row, "consent_at", parse_instant)
    if consented_at > now:
        raise InvalidInput(
            f"consent_at is {at!r}, which is in the future: use the instant at which they agreed",
            code="no-consent",
        )
    return Consent(at=consented_at, source=source[:LONGEST_SOURCE])


def preferences_of(row: Row, known: Preferences) -> Preferences:
    """Return the preferences of the row; a column the file does not have keeps its value from
    `known`."""
    new: dict[str, Any] = {}
    if "timezone" in row:
        new["timezone"] = cell(row, "timezone", lambda name: place_zone(name) if name else None)
    if "hour" in row:
        new["hour"] = _hour(text_of(row, "hour"))
    if "frequency" in row:
        new["frequency"], new["weekday"] = _frequency(text_of(row, "frequency"))
    if "topics" in row:
        topics = (one.strip() for one in text_of(row, "topics").split(";"))
        new["topics"] = tuple(filter(None, topics))
    if "language" in row:
        new["language"] = _language(text_of(row, "language"))
    return replace(known, **new)


def interests_of_row(row: Row) -> tuple[Interest, ...] | None:
    """Return the row's interests, each written `kind:value`: one per line of the cell, or one per
    item of a JSON array. None if the file has no such column."""
    if "interests" not in row:
        return None
    cell = row["interests"]
    lines = cell if isinstance(cell, list) else text_of(row, "interests").splitlines()
    try:
        return bounded(parse_interest(line) for line in map(str, lines) if line.strip())
    except InvalidInput as error:
        raise InvalidInput(f"interests: {error}", code="bad-interests") from None


def all_problems(row: Row, first: InvalidInput, now: datetime) -> InvalidInput:
    """Return `first` with everything else that is wrong with the row."""
    preferences = (
        partial(preferences_of, {name: row[name]}, Preferences())
        for name in ("timezone", "hour", "frequency", "language")
        if name in row
    )
    checks: list[Callable[[], object]] = [
        partial(cell, row, "email", parse_address),
        lambda: consent_of(row, state_of(row), now),
        *preferences,
        partial(interests_of_row, row),
    ]
    problems = {str(first): None}
    for check in checks:
        try:
            check()
        except InvalidInput as problem:
            problems[str(problem)] = None
    return InvalidInput("; ".join(problems), code=first.code)


def _hour(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not 0 <= int(text) <= 23:
        raise InvalidInput(f"hour is {text!r}: use a whole hour from 0 to 23", code="bad-hour")
    return int(text)


def _frequency(text: str) -> tuple[Frequency, str | None]:
    try:
        return parse_frequency(text or Frequency.DAILY)
    except InvalidInput as error:
        raise InvalidInput(f"frequency is {text!r}: {error}", code="bad-frequency") from None


def _language(text: str) -> str | None:
    if text and not is_language(text):
        known = ", ".join(LANGUAGES)
        raise InvalidInput(
            f"language is {text!r}, which is none: use one of {known}, or leave it empty",
            code="bad-language",
        )
    return text or None
