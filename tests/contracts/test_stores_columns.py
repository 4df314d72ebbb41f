"""What a column of lists and mappings holds, as SQLite keeps it."""

import json

import pytest
from sqlalchemy.dialects import sqlite

from paperround.store.bulk import once_each
from paperround.store.types import Json

VALUES: tuple[object, ...] = (
    [],
    (),
    {},
    ["Ünïcode 🌍 \u2028", 'a "quoted" \\ one', "\x00\n"],
    ("one", "two"),
    {"arxiv": "2601.00001", "doi": "10.1/x"},
    {"cut": "07:00", "size": 12},
    {1: "one"},
    ["text", None, 1.5, True],
    [["nested"], {"a": []}],
    "text",
    "",
    0,
    False,
)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_every_value_is_written_as_json_writes_it(value: object) -> None:
    written = Json().process_bind_param(value, sqlite.dialect())
    assert written == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def test_what_several_rows_share_is_made_into_text_once() -> None:
    shared, equal = {"1": "why"}, {"1": "why"}
    seen: list[object] = []

    def written(value: object) -> str:
        seen.append(value)
        return json.dumps(value)

    assert once_each(written, [shared, equal, shared, shared]) == ['{"1": "why"}'] * 4
    assert len(seen) == 2


def test_what_is_equal_and_not_the_same_keeps_its_own_text() -> None:
    assert once_each(json.dumps, [[1], [1.0], [True]]) == ["[1]", "[1.0]", "[true]"]
