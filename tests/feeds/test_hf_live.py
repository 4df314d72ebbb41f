"""Daily Papers, read by itself."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from paperround.core.errors import FetchFailed
from paperround.feeds.formats.hugging_face import ListingPeriod, PeriodKind
from paperround.feeds.model import FeedState, PollProgress
from paperround.feeds.sources.hugging_face import HfDaily
from paperround.papers.model import ParsedBatch
from tests.feeds.arxiv_samples import NOW, page, state
from tests.feeds.cursors import stopped

SOURCE = HfDaily()


def day_of(count: int) -> bytes:
    papers = [{"id": f"2601.{n:05}", "title": f"Paper {n}", "upvotes": n} for n in range(count)]
    return json.dumps([{"paper": paper, "numComments": 1} for paper in papers]).encode()


def at(first: str, number: int, left: int, **settings: str) -> str:
    """The cursor of a page of the list of a day, week or month, of so many that are left."""
    kind = PeriodKind(settings.get("period", "day"))
    period = ListingPeriod(kind=kind, first=date.fromisoformat(first))
    return stopped(SOURCE, settings, period=period, page=number, left=left)


def parsed(cursor: str, body: bytes, status: int = 200) -> ParsedBatch:
    return SOURCE.parse(page(SOURCE.plan(state(cursor), NOW), body, status))


@pytest.mark.accept("F02", part="live")
def test_a_poll_begins_with_today_and_ends_with_the_oldest_day() -> None:
    cursor: str | None = None
    asked: list[str] = []
    while not asked or cursor:
        request = SOURCE.plan(state(cursor, days="2"), NOW)
        asked.append(request.url)
        cursor = SOURCE.parse(page(request, day_of(3))).next
    base = "https://huggingface.co/api/daily_papers"
    days = ("2026-01-28", "2026-01-27", "2026-01-26")
    assert asked == [f"{base}?date={day}&limit=100&p=0" for day in days]


@pytest.mark.accept("F02", part="live")
def test_a_full_page_is_followed_by_the_next_of_that_day() -> None:
    assert parsed(at("2026-01-28", 0, 3), day_of(100)).next == at("2026-01-28", 1, 3)
    assert parsed(at("2026-01-28", 1, 3), day_of(99)).next == at("2026-01-27", 0, 2)
    assert parsed(at("2026-01-28", 1, 3), b"[]").next == at("2026-01-27", 0, 2)
    assert parsed(at("2026-01-25", 0, 0), b"[]").next is None


def test_a_source_that_ignores_the_page_number_is_noticed() -> None:
    with pytest.raises(FetchFailed, match="goes on after 2,000 papers"):
        parsed(at("2026-01-28", 19, 3), day_of(100))


@pytest.mark.accept("F02", part="live")
def test_a_recorded_day_is_read_with_its_own_listing_date(real_data: Path) -> None:
    path = real_data / "raw_responses" / "hf_daily_papers" / "archiveA_2026-01-28.json"
    batch = parsed(at("2026-01-29", 0, 0), path.read_bytes())
    assert len(batch.records) == 9
    assert {record.listed_on for record in batch.records} == {date(2026, 1, 28)}
    counts = [count for record in batch.records for count in record.counts]
    assert counts
    assert all(count.captured_at is None for count in counts)


@pytest.mark.accept("F02", part="live")
def test_a_paper_without_a_listing_date_was_listed_on_the_day_asked_for() -> None:
    batch = parsed(at("2024-05-27", 0, 0), day_of(2))
    assert {record.listed_on for record in batch.records} == {date(2024, 5, 27)}


@pytest.mark.accept("F02", part="live errors")
@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b'{"error": "Too many requests"}', 200, "answered an error, not papers"),
        (b"<html>busy</html>", 200, "not the JSON"),
        (b"", 200, "not the JSON"),
        (b"1", 200, "the number 1"),
        (b"[]", 204, ""),
    ],
)
def test_an_answer_without_papers_is_a_failure_and_no_empty_day(
    body: bytes, status: int, said: str
) -> None:
    with pytest.raises(FetchFailed, match=rf"huggingface\.co answered {status}.*{said}") as caught:
        parsed(at("2026-01-28", 0, 3), body, status)
    assert caught.value.status == status


@pytest.mark.accept("I12", part="hf validators")
def test_an_unchanged_first_page_is_asked_for_politely_and_leads_to_the_second() -> None:
    url = "http://127.0.0.1:9/api/daily_papers?date=2026-01-28&limit=100&p=0"
    known = PollProgress(validators={url: {"etag": '"x"', "last-modified": ""}})
    base = url.partition("?")[0]
    request = SOURCE.plan(FeedState(url=base, settings={}, progress=known), NOW)
    assert (request.url, request.headers) == (url, {"If-None-Match": '"x"'})
    assert SOURCE.parse(page(request, status=304)).next == at("2026-01-28", 1, 3)
    assert SOURCE.plan(state(at("2026-01-28", 1, 3)), NOW).headers == {}


def test_today_is_the_day_in_utc() -> None:
    late = datetime.fromisoformat("2026-01-28T23:30:00-05:00")
    assert SOURCE.plan(state(), late).cursor == at("2026-01-29", 0, 3)
    assert SOURCE.plan(state("something else"), NOW.astimezone(UTC)).cursor == at(
        "2026-01-28", 0, 3
    )


# --- weeks, months and links -------------------------------------------------------------------


def asked(now: datetime, **settings: str) -> list[str]:
    """Which periods a whole poll asks for."""
    cursor: str | None = None
    urls = list[str]()
    while not urls or cursor:
        request = SOURCE.plan(state(cursor, **settings), now)
        urls.append(request.url.partition("?")[2])
        cursor = SOURCE.parse(page(request, day_of(3))).next
    return urls


@pytest.mark.accept("F02", part="weeks and months")
@pytest.mark.parametrize(
    ("today", "period", "days", "expected"),
    [
        (date(2026, 1, 28), "week", "0", ["week=2026-W05"]),
        (date(2026, 1, 28), "week", "3", ["week=2026-W05", "week=2026-W04"]),
        (date(2027, 1, 3), "week", "0", ["week=2026-W53"]),
        (date(2025, 12, 29), "week", "7", ["week=2026-W01", "week=2025-W52"]),
        (date(2026, 1, 2), "month", "2", ["month=2026-01", "month=2025-12"]),
        (date(2026, 3, 1), "month", "29", ["month=2026-03", "month=2026-02", "month=2026-01"]),
        (date(2026, 3, 1), "day", "1", ["date=2026-03-01", "date=2026-02-28"]),
    ],
)
def test_the_weeks_and_months_that_hold_the_days_are_asked_for(
    today: date, period: str, days: str, expected: list[str]
) -> None:
    now = datetime.combine(today, time(12), tzinfo=UTC)
    urls = asked(now, period=period, days=days)
    assert urls == [f"{one}&limit=100&p=0" for one in expected]


def test_a_poll_that_was_begun_with_another_period_begins_anew() -> None:
    request = SOURCE.plan(state(at("2026-01-27", 1, 2), period="week", days="0"), NOW)
    assert "week=2026-W05&limit=100&p=0" in request.url
    going_on = SOURCE.plan(state(at("2026-01-19", 2, 0, period="week"), period="week"), NOW)
    assert "week=2026-W04&limit=100&p=2" in going_on.url


def test_an_undated_paper_of_a_month_is_never_newer_than_the_month() -> None:
    request = SOURCE.plan(state(at("2024-05-01", 19, 0, period="month"), period="month"), NOW)
    batch = SOURCE.parse(page(request, day_of(100)))
    assert {record.listed_on for record in batch.records} == {date(2024, 5, 1)}
    assert batch.next == at(
        "2024-05-01", 20, 0, period="month"
    )  # a month has more than two thousand papers


@pytest.mark.accept("F02", part="paging")
@pytest.mark.parametrize(
    ("link", "count", "following"),
    [
        ('<https://huggingface.co/api/daily_papers?p=1>; rel="next"', 50, at("2026-01-28", 1, 0)),
        ('<https://evil.example/?p=9>; rel="prev next"', 50, at("2026-01-28", 1, 0)),
        ("<https://huggingface.co/api/daily_papers?p=1>;rel=next", 100, at("2026-01-28", 1, 0)),
        ('<https://huggingface.co/api/daily_papers?p=0>; rel="prev"', 100, None),
        ('<https://huggingface.co/next>; rel="nextdoor"', 100, None),
        ('<https://huggingface.co/api/daily_papers?p=1>; rel="next"', 0, None),
    ],
)
def test_a_link_says_whether_there_is_another_page(
    link: str, count: int, following: str | None
) -> None:
    request = SOURCE.plan(state(at("2026-01-28", 0, 0)), NOW)
    answer = replace(page(request, day_of(count)), headers={"link": link})
    assert SOURCE.parse(answer).next == following
