"""Data of known outcome, as files hold it: JSON lines, plain or packed with gzip."""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from paperround.domain.errors import InvalidInput

Row = Mapping[str, object]


def read_rows(path: Path) -> Iterator[Row]:
    """The objects of the file, a line each. Raises InvalidInput, with the file and the line, for
    what cannot be read; an OSError of opening it passes through."""
    unpacked = gzip.open if path.suffix == ".gz" else open
    with unpacked(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _row(line, path, number)


def _row(line: str, path: Path, number: int) -> Row:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise InvalidInput(f"{path}, line {number} is no JSON object: one is needed in each line")
    return row
