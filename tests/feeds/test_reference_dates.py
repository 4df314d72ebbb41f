"""When a reference says that a work appeared."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.feeds.formats.dates import DateRange, period_of

DAY = DateRange(first=date(2026, 1, 28), last=date(2026, 1, 28))
MONTH = DateRange(first=date(2026, 1, 1), last=date(2026, 1, 31))
YEAR = DateRange(first=date(2026, 1, 1), last=date(2026, 12, 31))


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2026-01-28", DAY),
        ("2026/01/28/Epub", DAY),
        ("2026-01-28T10:00:00Z", DAY),
        ("2026 Jan 28", DAY),
        ("28 January 2026", DAY),
        ("2026 28jan", DAY),
        ("20260128", DAY),
        ("20260128T101500Z", DAY),
        ("2026-01", MONTH),
        ("2026/01//", MONTH),
        ("Jan. 2026", MONTH),
        ("2026", YEAR),
        ("2026///", YEAR),
        ("c. 2026", YEAR),
        ("01/28/2026", YEAR),
        ("2026-13-01", YEAR),
        ("2026-01-32", MONTH),
        ("in press", None),
        ("0001-01-01", None),
        ("9999", None),
        ("", None),
    ],
)
def test_a_date_is_as_exact_as_it_was_stated(text: str, period: DateRange | None) -> None:
    assert period_of(text) == period


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2026-01-28/2026-02-02", DAY),
        ("2026-01/2026-03", MONTH),
        ("2026/2027", YEAR),
        ("Jan 2026-Mar 2026", MONTH),
        ("2026 Jan/Feb", MONTH),
        ("28 Jan - 3 Feb 2026", DAY),
        ("28–30 January 2026", DAY),
        ("January 28-30, 2026", DAY),
        ("/2026", YEAR),
        ("2026/..", YEAR),
        ("2026 2026-01-28", YEAR),
        ("28-Jan-2026", DAY),
        ("20261341", YEAR),
    ],
)
def test_of_a_range_the_first_date_is_read(text: str, period: DateRange) -> None:
    assert period_of(text) == period


@pytest.mark.slow
@given(st.text() | st.from_regex(r"(?:[0-9/ -]|2026|jan| to ){0,20}"))
def test_any_text_is_a_period_or_none(text: str) -> None:
    period = period_of(text)
    assert period is None or period.first <= period.last
