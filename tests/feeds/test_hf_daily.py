"""Hugging Face Daily Papers, in every shape the years brought."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from paperround.core.errors import InvalidInput, UnreadableFile
from paperround.feeds.formats.hugging_face import read_hf_daily
from paperround.papers.model import Record

DAYS = {
    "archiveA_2024-05-27": 13,
    "archiveA_2024-08-06": 14,
    "archiveA_2024-10-09": 10,
    "archiveA_2024-12-11": 26,
    "archiveA_2025-01-10": 9,
    "archiveA_2025-02-19": 20,
    "archiveA_2025-06-16": 9,
    "archiveA_2025-09-30": 50,
    "archiveA_2026-01-28": 9,
    "archiveB_2024-12-21": 0,
    "archiveB_2025-02-19": 28,
}


def row(paper: dict[str, Any] | None = None, **outer: Any) -> dict[str, Any]:
    inner = {
        "id": "2601.00010",
        "title": "A Study",
        "summary": "We study.",
        "authors": [
            {"name": "Ada Lovelace", "hidden": False},
            {"name": "Alan Turing", "hidden": True},
        ],
        "publishedAt": "2026-01-26T13:45:41.000Z",
        "submittedOnDailyAt": "2026-01-28T01:26:49.833Z",
        "submittedOnDailyBy": {"_id": "66e2", "user": "somebody", "followerCount": 3},
        "upvotes": 0,
        "githubStars": None,
        "githubRepo": "https://github.com/a/b",
        "projectPage": "https://a.io",
        "ai_keywords": ["one", "two"],
        "organization": {"name": "lab", "fullname": "The Lab"},
        **(paper or {}),
    }
    media = ["https://cdn.org/a.mp4"]
    return {"paper": inner, "publishedAt": "2026-01-26T08:45:41.000Z", "numComments": 3} | {
        "thumbnail": "https://cdn.org/t.png",
        "mediaUrls": media,
        **outer,
    }


def read(*rows: object) -> Record:
    batch = read_hf_daily(json.dumps(rows).encode())
    assert batch.rejects == ()
    return batch.records[0]


@pytest.mark.accept("F02", part="shapes")
@pytest.mark.parametrize("day", DAYS)
def test_every_archived_day_is_read_whole(day: str, real_data: Path) -> None:
    path = real_data / "raw_responses" / "hf_daily_papers" / f"{day}.json"
    batch = read_hf_daily(path.read_bytes())
    assert (len(batch.records), batch.rejects) == (DAYS[day], ())
    for record in batch.records:
        assert record.title
        assert record.abstract
        assert record.authors
        assert record.published_at
        assert {"upvotes", "comments"} <= {count.signal for count in record.counts}
        if day >= "archiveA_2025-06" and day < "archiveB":
            assert record.listed_on == date.fromisoformat(day[-10:])


@pytest.mark.accept("F02", part="listing date")
def test_the_listing_date_is_when_it_was_submitted_to_the_daily_list() -> None:
    record = read(row())
    assert record.listed_on == date(2026, 1, 28)
    assert record.listed_at == datetime(2026, 1, 28, 1, 26, 49, 833000, tzinfo=UTC)
    assert record.published_at == datetime(2026, 1, 26, 13, 45, 41, tzinfo=UTC)


@pytest.mark.accept("F02", part="outer date")
def test_the_outer_date_is_never_read() -> None:
    record = read(row({"submittedOnDailyAt": None, "publishedAt": None}))
    assert (record.listed_on, record.listed_at, record.published_at) == (None, None, None)
    assert read(row(publishedAt="garbage")) == read(row())


@pytest.mark.accept("F02", part="counts")
def test_no_votes_are_zero_and_unknown_stars_are_unknown() -> None:
    counts = {count.signal: count for count in read(row()).counts}
    assert {signal: count.value for signal, count in counts.items()} == {
        "upvotes": 0,
        "comments": 3,
    }
    assert all(count.captured_at is None for count in counts.values())


def test_links_keywords_and_organisation_are_kept() -> None:
    record = read(row())
    assert record.links == {
        "code": "https://github.com/a/b",
        "project": "https://a.io",
        "discussion": "https://huggingface.co/papers/2601.00010",
        "media": "https://cdn.org/a.mp4",
        "thumbnail": "https://cdn.org/t.png",
    }
    assert record.keywords == ("one", "two")
    assert record.organization == "The Lab"


def test_hidden_authors_are_left_out_and_ids_keep_their_zeros() -> None:
    record = read(row())
    assert record.authors == ("Ada Lovelace",)
    assert record.identifiers == {"arxiv": "2601.00010"}


def test_a_submitter_is_an_opaque_key() -> None:
    key = read(row()).submitter
    assert key
    assert "somebody" not in key
    assert "66e2" not in key
    person = {"_id": "66e2", "name": "renamed", "followerCount": 9}
    assert read(row({"submittedOnDailyBy": None}, submittedBy=person)).submitter == key


def test_passing_counts_do_not_change_the_fingerprint() -> None:
    before = read(row())
    votes: dict[str, Any] = {"upvotes": 99, "githubStars": 7, "submittedOnDailyBy": {"_id": "66e2"}}
    assert read(row(votes, numComments=0)).fingerprint == before.fingerprint
    assert read(row({"title": "Another"})).fingerprint != before.fingerprint


@pytest.mark.accept("C4", part="literals")
def test_python_literals_are_read_and_never_run(tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    batch = read_hf_daily(json.dumps([repr(row()), f"open({str(trap)!r}, 'w')"]).encode())
    assert batch.records == (read(row()),)
    assert [(one.reason, one.position) for one in batch.rejects] == [("not-a-literal", 2)]
    assert not trap.exists()


@pytest.mark.parametrize(
    "text",
    ["(" * 5000, "[" * 200 + "]" * 200, "{'a': 1", "1 +", "'" + "x" * 1_000_001],
    ids=["open", "deep", "cut", "half", "long"],
)
def test_a_hostile_literal_is_one_reject(text: str) -> None:
    batch = read_hf_daily(json.dumps([text, row()]).encode())
    assert (len(batch.records), len(batch.rejects)) == (1, 1)


@pytest.mark.accept("F02", part="broken days")
def test_an_error_is_never_an_empty_day() -> None:
    with pytest.raises(InvalidInput, match="returned an error, not papers: 'Too many requests'"):
        read_hf_daily(b'{"error": "Too many requests"}')


@pytest.mark.accept("F02", part="broken days")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"statusCode": 429, "message": "slow"}', '429, "message": "slow"'),
        (b'{"detail": "Not found"}', '"detail": "Not found"'),
        (b'{"paper": {"id": "2601.00010"}}', "2601.00010"),
    ],
)
def test_an_answer_without_papers_is_refused_with_what_it_says(content: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=f"not a list of papers.*{said}"):
        read_hf_daily(content)


@pytest.mark.parametrize("content", [b"<html>502</html>", b"", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_unreadable(content: bytes) -> None:
    with pytest.raises(UnreadableFile):
        read_hf_daily(content)


@pytest.mark.parametrize(
    "content", [b"0", b"true", b"null", b'{"x": 1}', b'{"data": 3}', b'"text"']
)
def test_json_that_is_no_list_of_papers_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_hf_daily(content)


@pytest.mark.parametrize("content", [b"1", b"[]", b'{"status": "success", "data": []}', b" 1\n"])
def test_an_empty_day_is_empty(content: bytes) -> None:
    batch = read_hf_daily(content)
    assert (batch.records, batch.rejects) == ((), ())


@pytest.mark.accept("I6", part="hf")
@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (None, "not-a-paper"),
        ({"paper": []}, "not-a-paper"),
        (row({"title": ""}, title=None), "no-title"),
        (row({"id": None}), "no-id"),
        (row({"id": 2503.0213}), "wrong-type"),
        (row({"authors": {"name": "Ada"}}), "wrong-type"),
        (row({"authors": [{"user": {}}]}), "wrong-type"),
        (row({"publishedAt": "yesterday"}), "bad-date"),
        (row({"upvotes": -3}), "bad-count"),
        (row(numComments="3"), "bad-count"),
    ],
)
def test_one_bad_row_costs_one_paper(bad: object, why: str) -> None:
    batch = read_hf_daily(json.dumps([row(), bad, row()]).encode())
    assert len(batch.records) == 2
    assert [(one.reason, one.position) for one in batch.rejects] == [(why, 2)]
