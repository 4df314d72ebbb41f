"""Daily Papers, read by itself."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from paperround.core.errors import FetchFailed
from paperround.feeds.model import FeedState, PollProgress
from paperround.feeds.sources.hugging_face import HfDaily
from paperround.papers.model import ParsedBatch
from tests.feeds.arxiv_samples import NOW, page, state
from tests.feeds.cursors import stopped

SOURCE = HfDaily()


def day_of(count: int) -> bytes:
    papers = [{"id": f"2601.{n:05}", "title": f"Paper {n}", "upvotes": n} for n in range(count)]
    return json.dumps([{"paper": paper, "numComments": 1} for paper in papers]).encode()


def at(day: str, number: int, left: int) -> str:
    """The cursor of a page of the list of a day, of so many that are left."""
    return stopped(SOURCE, {}, day=date.fromisoformat(day), page=number, left=left)


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
    with pytest.raises(FetchFailed, match="has more than 2,000 papers"):
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
        (b'{"error": "Too many requests"}', 200, "returned an error, not papers"),
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
