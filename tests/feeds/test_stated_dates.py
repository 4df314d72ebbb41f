"""When a reference says that a work appeared."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.feeds.formats.stated_dates import DateRange, period_of

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


def days(first: str, last: str) -> DateRange:
    return DateRange(first=date.fromisoformat(first), last=date.fromisoformat(last))


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2026-01-28/2026-02-02", days("2026-01-28", "2026-02-02")),
        ("2026/01/28 - 2026/02/02", days("2026-01-28", "2026-02-02")),
        ("2026-08/2026-09", days("2026-08-01", "2026-09-30")),
        ("2025/2026", days("2025-01-01", "2026-12-31")),
        ("2025-2026", days("2025-01-01", "2026-12-31")),
        ("Dec 2025-Jan 2026", days("2025-12-01", "2026-01-31")),
        ("December 2025 to January 2026", days("2025-12-01", "2026-01-31")),
        ("2026 5--6", days("2026-05-01", "2026-06-30")),
        ("2026 5-6", days("2026-05-01", "2026-06-30")),
        ("2026 May/Jun", days("2026-05-01", "2026-06-30")),
        ("2026 SEP-OCT", days("2026-09-01", "2026-10-31")),
        ("28 Jan - 3 Feb 2026", days("2026-01-28", "2026-02-03")),
        ("12–14 May 2026", days("2026-05-12", "2026-05-14")),
        ("May 12-14, 2026", days("2026-05-12", "2026-05-14")),
        ("2026-05-12--14", days("2026-05-12", "2026-05-14")),
        ("/2026", YEAR),
        ("2026/", YEAR),
        ("2026/..", YEAR),
        ("Dec-Jan 2026", YEAR),
        ("2026-02/2026-01", YEAR),
        ("2026 2026-01-28", DAY),
        ("28-Jan-2026", DAY),
        ("20261341", YEAR),
    ],
)
def test_a_range_lasts_from_its_first_day_to_its_last(text: str, period: DateRange) -> None:
    assert period_of(text) == period


@pytest.mark.slow
@given(st.text() | st.from_regex(r"(?:[0-9/ -]|2026|jan| to ){0,20}"))
def test_any_text_is_a_period_or_none(text: str) -> None:
    period = period_of(text)
    assert period is None or period.first <= period.last
