"""When a reference says that a work appeared."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.sources.stated_dates import Period, period_of

DAY = Period(first=date(2026, 1, 28), last=date(2026, 1, 28))
MONTH = Period(first=date(2026, 1, 1), last=date(2026, 1, 31))
YEAR = Period(first=date(2026, 1, 1), last=date(2026, 12, 31))


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2026-01-28", DAY),
        ("2026/01/28/Epub", DAY),
        ("2026-01-28T10:00:00Z", DAY),
        ("2026 Jan 28", DAY),
        ("28 January 2026", DAY),
        ("2026 28jan", DAY),
        ("2026-01-28/2026-02-02", DAY),
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
def test_a_date_is_as_exact_as_it_was_stated(text: str, period: Period | None) -> None:
    assert period_of(text) == period


@given(st.text() | st.from_regex(r"[0-9/ -]{0,20}"))
def test_any_text_is_a_period_or_none(text: str) -> None:
    period = period_of(text)
    assert period is None or period.first <= period.last
