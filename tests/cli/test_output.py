"""What commands print: one JSON object, tables that line up, an outline of the same object."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.bounces.policy import BounceScore
from paperround.cli.output import (
    outline_lines,
    print_list,
    print_result,
    table,
    table_lines,
    to_json,
)
from tests.builders import NOW

ROWS = [
    ("hf-daily", "fresh", "9 new"),
    ("arxiv-ml", "failed", "rss.arxiv.org has a name that cannot be found"),
]


def test_columns_are_as_wide_as_they_need_and_lines_stay_whole_in_a_pipe() -> None:
    assert list(table(ROWS, None)) == [
        "hf-daily  fresh   9 new",
        "arxiv-ml  failed  rss.arxiv.org has a name that cannot be found",
    ]


def test_on_a_terminal_the_last_column_is_folded_below_itself() -> None:
    assert list(table(ROWS, 50)) == [
        "hf-daily  fresh   9 new",
        "arxiv-ml  failed  rss.arxiv.org has a name that",
        "                  cannot be found",
    ]


def test_on_a_narrow_one_it_keeps_a_width_that_can_be_read() -> None:
    assert list(table(ROWS, 20)) == [
        "hf-daily  fresh   9 new",
        "arxiv-ml  failed  rss.arxiv.org",
        "                  has a name that",
        "                  cannot be found",
    ]


@given(
    rows=st.lists(
        st.tuples(st.text("ab-", max_size=60), st.text("cd e", max_size=200)), min_size=1
    ),
    width=st.integers(80, 200),
)
def test_no_line_is_wider_than_the_terminal_unless_one_cell_is(
    rows: list[tuple[str, str]], width: int
) -> None:
    longest = max(len(word) for row in rows for word in row[1].split(" "))
    for line in table(rows, width):
        assert len(line) <= max(width, longest, max(len(one[0]) for one in rows))
        assert line == line.rstrip()


STATUS: dict[str, Any] = {
    "at": NOW,
    "unknown": None,
    "paused": False,
    "mails": {"sent": 2, "queued": 0},
    "pace": {"allowed": None, "resting": []},
    "lists": [{"name": "a", "editions": [{"cut": "0", "papers": 0}, {"cut": "1", "papers": 12}]}],
}


def test_an_outline_leaves_out_what_is_empty_and_makes_tables_of_objects() -> None:
    assert list(outline_lines(to_json(STATUS))) == [
        f"at: {to_json(NOW)}",
        "mails: sent 2",
        "lists:",
        "  name: a",
        "  editions:",
        "    cut  papers",
        "    0    0",
        "    1    12",
    ]


def test_programs_get_every_key_and_people_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(STATUS, as_json=True)
    assert json.loads(capsys.readouterr().out).keys() == STATUS.keys()
    print_list("lists", STATUS["lists"], "name", none="no lists", as_json=False)
    assert capsys.readouterr().out == "name\na\n"
    print_list("lists", [], "name", none="no lists", as_json=False)
    assert capsys.readouterr().out == "no lists\n"
    print_result({"lists": []}, as_json=False)
    assert capsys.readouterr().out == "nothing\n"


def test_a_column_has_the_name_of_its_key() -> None:
    assert list(table_lines([{"next_at": "x", "kind": "y"}], "kind next_at")) == [
        "kind  next at",
        "y     x",
    ]


def test_nothing_is_printed_whose_fields_nobody_named() -> None:
    with pytest.raises(TypeError):
        to_json(BounceScore())
