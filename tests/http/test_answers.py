from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.http.client import LONGEST_WAIT, http_error, retry_after

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


@pytest.mark.accept("I12", part="pauses")
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Mon, 02 Mar 2026 06:01:30 GMT", 90.0),
        ("Monday, 02-Mar-26 06:01:30 GMT", 90.0),
        ("Mon, 02 Mar 2026 06:01:30 -0000", 90.0),
        ("Mon, 02 Mar 2026 05:00:00 GMT", 0.0),
        ("9" * 400, LONGEST_WAIT),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
    ],
)
def test_a_pause_is_a_number_of_seconds_or_a_date(value: str, seconds: float) -> None:
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize("value", ["", "soon", "-5", "1.5", "²", "Mon, 99 Foo 2026 06:00:00 GMT"])
def test_a_pause_that_says_nothing_is_none(value: str) -> None:
    assert retry_after(value, NOW) is None


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ [\d:]+ [+-]?\w*"))
def test_any_pause_is_within_a_day(value: str) -> None:
    wait = retry_after(value, NOW)
    assert wait is None or 0 <= wait <= LONGEST_WAIT


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429, 500, 503, 300, 306])
def test_a_failure_carries_its_status_and_may_be_tried_again(status: int) -> None:
    error = http_error(status, {"retry-after": "7"}, NOW)
    assert (error.status, error.retry_after, error.permanent) == (status, 7.0, False)
    assert str(status) in str(error)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW.timestamp() + 90:.0f}"}, 90.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW.timestamp() - 90:.0f}"}, 0.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "55"}, 55.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 400}, LONGEST_WAIT),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "55", "retry-after": "7"}, 7.0),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "55"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, None),
        ({"x-ratelimit-remaining": "0"}, None),
    ],
)
def test_a_budget_that_is_used_up_names_its_pause(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert http_error(403, headers, NOW).retry_after == seconds
