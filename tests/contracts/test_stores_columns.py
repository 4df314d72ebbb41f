"""What a column of lists and mappings holds, as SQLite keeps it."""

import json

import pytest
from sqlalchemy.dialects import sqlite

from paperround.db.dialect import Json
from paperround.db.driver import map_by_identity

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


def test_what_is_equal_and_not_the_same_keeps_its_own_text() -> None:
    assert map_by_identity(json.dumps, [[1], [1.0], [True]]) == ["[1]", "[1.0]", "[true]"]
