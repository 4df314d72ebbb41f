"""Dates as services write them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.dates import read_date
from paperround.feeds.formats.feed_items import read_feed
from paperround.feeds.formats.jsonl import read_jsonl, read_observations

FIFTH = datetime(2026, 1, 5, tzinfo=UTC)
EIGHT = datetime(2026, 1, 5, 8, tzinfo=UTC)


@pytest.mark.accept("I9", part="odd dates")
@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-01-05", FIFTH),
        ("2026-1-5", FIFTH),
        ("2026/1/5", FIFTH),
        ("2026.01.05", FIFTH),
        ("20260105", FIFTH),
        ("2026-01-05-08:00", FIFTH),
        ("2026-01-05Z", FIFTH),
        ("2026-01-05T08:00:00Z", EIGHT),
        ("2026-01-05T10:00:00+02:00", EIGHT),
        ("2026-1-5 08:00:00", EIGHT),
        ("2026-01-05 10:00:00 +0200", EIGHT),
        ("2026-01-05 08:00 UTC", EIGHT),
        ("Mon, 05 Jan 2026 03:00:00 EST", EIGHT),
        ("Mon, 05 Jan 2026 10:00:00 +0200", EIGHT),
        ("5 Jan 26 08:00 UT", EIGHT),
        ("Mon, 05 Jan 2026", FIFTH),
        ("5 January 2026", FIFTH),
        ("5-Jan-2026", FIFTH),
        ("January 5, 2026", FIFTH),
        ("Monday, Jan. 5th, 2026", FIFTH),
        ("2026 Jan 5", FIFTH),
        ("Sept 5, 1985", datetime(1985, 9, 5, tzinfo=UTC)),
        ("1900-01-01", datetime(1900, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_day_is_read_however_it_is_written(written: str, at: datetime) -> None:
    read = read_date(f" {written}\n")
    assert read is not None
    assert (read.at, read.start) == (at, at)
    assert read.period.first == read.period.last == at.date()


@pytest.mark.accept("I9", part="odd dates")
@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024-2", date(2024, 2, 1), date(2024, 2, 29)),
        ("February 2024", date(2024, 2, 1), date(2024, 2, 29)),
        ("Feb., 2024", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024 Feb", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024", date(2024, 1, 1), date(2024, 12, 31)),
    ],
)
def test_a_month_and_a_year_are_all_their_days(written: str, first: date, last: date) -> None:
    read = read_date(written)
    assert read is not None
    assert (read.period.first, read.period.last, read.at) == (first, last, None)


@pytest.mark.parametrize(
    "written", ["0000-00-00", "1899-12-31", "5 May 1850", "2101-01-01", "9999"]
)
def test_a_year_no_paper_can_be_of_is_no_date(written: str) -> None:
    assert read_date(written) is None


@pytest.mark.parametrize(
    "written",
    [
        "soon",
        "3/5/2026",
        "2026-02-30",
        "2026-13",
        "30 Feb 2026",
        "Mai 2026",
        "5 in 2026",
        "2026-01-05T25:00:00",
        "2026-01-055",
        "2026-01-05 or later",
        "1" * 5000,
    ],
)
def test_what_is_no_date_is_refused(written: str) -> None:
    with pytest.raises(InvalidInput, match="is not a date"):
        read_date(written)


@given(st.text(alphabet="2026-/. :JanMoy,TZ+0\0é٣", max_size=30))
def test_whatever_is_written_is_a_date_or_refused(written: str) -> None:
    try:
        read = read_date(written)
    except InvalidInput:
        return
    assert read is None or (read.period.first <= read.period.last and read.start.tzinfo is UTC)


@pytest.mark.accept("F06", part="listing")
@pytest.mark.parametrize(
    ("written", "listed", "published"),
    [
        ("2024-5-3", date(2024, 5, 3), datetime(2024, 5, 3, tzinfo=UTC)),
        ("Fri, 03 May 2024", date(2024, 5, 3), datetime(2024, 5, 3, tzinfo=UTC)),
        ("May 3, 2024", date(2024, 5, 3), datetime(2024, 5, 3, tzinfo=UTC)),
        ("2024-05", date(2024, 5, 31), datetime(2024, 5, 1, tzinfo=UTC)),
        ("1985-03-01", date(1985, 3, 1), datetime(1985, 3, 1, tzinfo=UTC)),
    ],
)
def test_the_backlog_of_a_feed_is_no_news_however_it_is_dated(
    written: str, listed: date, published: datetime
) -> None:
    item = (
        f"<item><title>A</title><link>https://x.example/1</link><pubDate>{written}</pubDate></item>"
    )
    (record,) = read_feed(f"<rss><channel>{item}</channel></rss>".encode(), "").records
    assert (record.listed_on, record.published_at) == (listed, published)
    assert record.listed_at == (published if listed.day == published.day else None)


@pytest.mark.accept("I9", part="old dates")
def test_a_line_may_be_of_the_last_century_or_of_a_whole_month() -> None:
    line = '{"title": "A", "published_at": "1985-1-5", "listed_on": "1985-02"}'
    (record,) = read_jsonl(line.encode()).records
    assert record.published_at == datetime(1985, 1, 5, tzinfo=UTC)
    assert record.listed_on == date(1985, 2, 28)


@pytest.mark.parametrize("read", [read_jsonl, read_observations])
def test_a_month_does_not_say_when_something_was_counted(read: object) -> None:
    assert callable(read)
    batch = read(b'{"id": "1", "title": "A", "upvotes": 1, "captured_at": "2026-01"}')
    assert [one.reason for one in batch.rejects] == ["bad-date"]
