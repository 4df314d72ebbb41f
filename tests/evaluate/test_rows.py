"""Files of rows."""

import gzip
from pathlib import Path

import pytest

from paperround.core.errors import InvalidInput
from paperround.evaluate.papers import read_rows


def test_rows_are_read_from_plain_and_packed_files(tmp_path: Path) -> None:
    lines = '{"id": 1}\n\n{"id": 2}\n'
    plain, packed = tmp_path / "rows.jsonl", tmp_path / "rows.jsonl.gz"
    plain.write_text(lines)
    packed.write_bytes(gzip.compress(lines.encode(), mtime=0))
    assert list(read_rows(plain)) == list(read_rows(packed)) == [{"id": 1}, {"id": 2}]


@pytest.mark.parametrize("line", ["{", "[1]", "7"])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"id": 1}\n' + line)
    with pytest.raises(InvalidInput, match=r"rows\.jsonl, line 2"):
        list(read_rows(file))
