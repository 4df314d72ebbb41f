"""Files with people in them, read into entries that know their place in the file.

What cannot be read at all raises InvalidInput; what spoils one entry is a Reject. Both name the
line. Names of columns are compared in lower case, without the blanks around them.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO

from paperround.domain.errors import InvalidInput
from paperround.domain.papers import Reject

Row = Mapping[str, object]

_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that a spreadsheet may run as a formula, with the apostrophes before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One person of a file: the cells by column, and the 1-based `position` of the `unit`."""

    row: Row
    position: int
    unit: str = "line"

    def reject(self, problem: InvalidInput) -> Reject:
        """This entry as a reject that says where it stands, and never who it is."""
        return Reject(
            reason=problem.code,
            detail=f"{self.unit} {self.position}: {problem}",
            position=self.position,
        )


Found = Entry | Reject


def read_rows(content: bytes) -> list[Found]:
    """The people of a CSV file with a header, or of a JSON array of objects."""
    text = decoded(content)
    if is_json(text):
        return objects(text)
    return [_unescaped(one) for one in sheet(text, needs=("email", "status"))]


def write_sheet(rows: Iterable[Mapping[str, str]], columns: Sequence[str], file: IO[str]) -> None:
    """Write a CSV file with a header that `read_rows` reads back.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV
    injection); so does one that begins with an apostrophe and such a sign, to tell them apart.
    """
    # Rows end with CR LF (RFC 4180): with LF, Python before 3.13 quotes no CR within a cell.
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows(
        [f"'{cell}" if _FORMULA.match(cell) else cell for cell in map(row.__getitem__, columns)]
        for row in rows
    )


def _unescaped(found: Found) -> Found:
    """The entry without the apostrophes that `write_sheet` adds."""
    if isinstance(found, Reject):
        return found
    cells = ((name, str(cell)) for name, cell in found.row.items())
    row = {
        name: cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell for name, cell in cells
    }
    return replace(found, row=row)


def decoded(content: bytes) -> str:
    """The text of a UTF-8 file, with or without a byte order mark."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"the file is not UTF-8 (byte {error.start}): save it as UTF-8"
        ) from None


def text_of(row: Row, column: str) -> str:
    """A cell without the blanks around it, a list joined by `;`, and "" for one that is missing."""
    value = row.get(column)
    if isinstance(value, list):
        return ";".join(str(one) for one in value)
    return "" if value is None else str(value).strip()


# --- JSON --------------------------------------------------------------------------------------


def is_json(text: str) -> bool:
    """Whether the file starts like JSON; no line of a sheet or of addresses does."""
    return text.lstrip().startswith(("[", "{"))


def objects(text: str, *, within: str | None = None) -> list[Found]:
    """The objects of a JSON array, or of the array an object holds under `within`."""
    value = _json(text)
    if within is not None and isinstance(value, dict):
        value = value.get(within)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise InvalidInput("the JSON must be an array of objects, one a subscriber")
    return [Entry(row=row, position=at, unit="entry") for at, row in enumerate(value, start=1)]


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"not JSON (line {error.lineno}): {error.msg}") from None
    except RecursionError:
        raise InvalidInput("not a list of people: the JSON is nested too deeply") from None


# --- CSV ---------------------------------------------------------------------------------------


def sheet(text: str, *, needs: Sequence[str], skip: int = 0) -> list[Found]:
    """The rows of a CSV sheet by the lower-case names of its header; blank lines are passed over.

    `skip` lines with something in them come before the header, which must hold every name of
    `needs`.
    """
    lines = list(_lines(text))[skip:]
    header = _header(lines[0][1] if lines else [], needs)
    return [_entry(header, line, cells) for line, cells in lines[1:]]


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with something in it, and the line it starts on.

    An open quote would swallow the people below it, so it ends the reading.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
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


def _header(cells: Sequence[str], needs: Sequence[str]) -> list[str]:
    names = [cell.strip().casefold() for cell in cells]
    missing = [name for name in needs if name not in names]
    if missing:
        raise InvalidInput(
            f"the first line must name the columns, {missing[0]!r} among them, and does not"
        )
    twice = [name for name, times in Counter(filter(None, names)).items() if times > 1]
    if twice:
        raise InvalidInput(f"the first line names the column {twice[0]!r} twice: rename one")
    return names


def _entry(header: Sequence[str], line: int, cells: Sequence[str]) -> Found:
    entry = Entry(
        row=dict.fromkeys(header, "") | dict(zip(header, cells, strict=False)), position=line
    )
    if not any(cells[len(header) :]):
        return entry
    problem = f"{len(cells)} cells under {len(header)} columns: quote a cell that holds a comma"
    return entry.reject(InvalidInput(problem, code="wrong-columns"))
