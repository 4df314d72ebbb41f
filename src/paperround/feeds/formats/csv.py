"""Parse CSV with a header: the keys of the `jsonl` reader, lists separated by `;`."""

import csv
import io
from collections import Counter
from collections.abc import Iterator

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.charsets import text_of_bytes
from paperround.feeds.formats.entries import (
    COUNT_KEYS,
    MOST_BYTES,
    BadEntry,
    batch_of,
    is_undecoded,
    record_of,
    stable_fingerprint,
)
from paperround.papers.model import ParsedBatch, Record

Row = list[str] | csv.Error


def read_csv(content: bytes) -> ParsedBatch:
    """Return the papers, and a reject for each row that is none. Rows count from 1."""
    rows = _rows(text_of_bytes(content))
    header = _header(next(rows, []))

    def records_of(row: Row) -> list[Record]:
        cells = _cells(header, row)
        return [record_of(_entry(cells), stable_fingerprint(cells))]

    return batch_of(
        (row for row in rows if row),
        records_of,
        lambda row: "" if isinstance(row, csv.Error) else ",".join(row),
    )


def _rows(text: str) -> Iterator[Row]:
    """Yield the rows; a line the CSV module cannot read is yielded as its error.

    Raises InvalidInput when an unclosed quote spans lines: papers and cells cannot be told apart.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        start = reader.line_num + 1
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if reader.line_num > start:
                problem = f"a quote in line {start} of the CSV file is probably not closed"
                raise InvalidInput(f"{problem} ({error}): close it") from None
            yield error


def _header(row: Row) -> list[str]:
    names = [] if isinstance(row, csv.Error) else [name.strip().casefold() for name in row]
    if "title" not in names:
        raise InvalidInput("the CSV file has no title column: its first line must name the columns")
    twice = [name for name, times in Counter(filter(None, names)).items() if times > 1]
    if twice:
        raise InvalidInput(f"the CSV file names the column {twice[0]!r} twice: rename one")
    return names


def _cells(header: list[str], row: Row) -> dict[str, str]:
    if isinstance(row, csv.Error):
        raise BadEntry("bad-csv", f"the row cannot be read: {row}")
    if any(map(is_undecoded, row)):
        raise BadEntry("not-utf8", "the row is not UTF-8")
    if len(row) > len(header) or sum(map(len, row)) > MOST_BYTES:
        raise BadEntry("wrong-columns", f"the row has {len(row)} cells, the header {len(header)}")
    return dict(zip(header, row, strict=False))


def _entry(cells: dict[str, str]) -> dict[str, object]:
    entry: dict[str, object] = {key: cell for key, cell in cells.items() if cell.strip()}
    for key in ("authors", "categories", "keywords"):
        if key in entry:
            entry[key] = [one.strip() for one in cells[key].split(";")]
    for key in COUNT_KEYS:
        if key in entry and cells[key].strip().isdecimal():
            entry[key] = int(cells[key][:20])
    return entry
