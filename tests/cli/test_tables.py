"""Tables that line up, on a terminal of any width and in a pipe."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.cli.tables import table, until
from tests.builders import HOUR, MINUTE, NOW

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


def test_on_a_narrow_one_it_stands_below_its_row() -> None:
    assert list(table(ROWS, 40)) == [
        "hf-daily  fresh   9 new",
        "arxiv-ml  failed",
        "    rss.arxiv.org has a name that cannot",
        "    be found",
    ]


@given(
    rows=st.lists(
        st.tuples(st.text("ab-", max_size=60), st.text("cd e", max_size=200)), min_size=1
    ),
    width=st.integers(60, 200),
)
def test_no_line_is_wider_than_the_terminal_unless_one_cell_is(
    rows: list[tuple[str, str]], width: int
) -> None:
    longest = max(len(word) for row in rows for word in row[1].split(" "))
    for line in table(rows, width):
        assert len(line) <= max(width, longest, max(len(one[0]) for one in rows))
        assert line == line.rstrip()


@pytest.mark.parametrize(
    ("left", "says"),
    [
        (-HOUR, "now"),
        (timedelta(), "now"),
        (timedelta(seconds=1), "in 1 min"),
        (59 * MINUTE, "in 59 min"),
        (61 * MINUTE, "in 1 h"),
        (47 * HOUR, "in 47 h"),
        (49 * HOUR, "in 2 d"),
    ],
)
def test_the_time_till_the_next_poll_is_short(left: timedelta, says: str) -> None:
    assert until(NOW + left, NOW) == says
    assert until(None, NOW) == ""
