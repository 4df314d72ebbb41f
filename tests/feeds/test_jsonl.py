"""JSON Lines of papers and of counts."""

import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from paperround.feeds.formats.jsonl import read_jsonl, read_observations
from paperround.papers.model import Count, Record

PAPER = {
    "id": "2601.00001v2",
    "title": "A Study\n  of Things",
    "summary": "We study.",
    "authors": ["Ada Lovelace", " "],
    "listed_on": "2026-01-30",
    "submitted_on_daily_at": "2026-01-30T07:53:18.197Z",
    "published_at": "2026-01-29",
    "github_repo": "https://github.com/a/b",
    "project_page": "javascript:alert(1)",
    "has_media": True,
}


def lines(*entries: object) -> bytes:
    return b"\n".join(json.dumps(entry).encode() for entry in entries)


def read_one(**changes: object) -> Record:
    batch = read_jsonl(lines({**PAPER, **changes}))
    assert batch.rejects == ()
    return batch.records[0]


def reason(**changes: object) -> str:
    (reject,) = read_jsonl(lines({**PAPER, **changes})).rejects
    return reject.reason


@pytest.mark.accept("F06", part="jsonl")
def test_a_line_becomes_a_record() -> None:
    record = read_one()
    assert record.title == "A Study\n  of Things"
    assert record.identifiers == {"arxiv": "2601.00001"}
    assert record.authors == ("Ada Lovelace",)
    assert record.listed_on == date(2026, 1, 30)
    assert record.listed_at == datetime(2026, 1, 30, 7, 53, 18, 197000, tzinfo=UTC)
    assert record.published_at == datetime(2026, 1, 29, tzinfo=UTC)
    assert record.links == {"code": "https://github.com/a/b"}
    assert record.counts == ()


def test_the_other_spelling_of_abstract_and_listing_is_read() -> None:
    batch = read_jsonl(lines({"title": "T", "abstract": "A", "first_listed": "2026-01-02"}))
    assert batch.records[0].abstract == "A"
    assert batch.records[0].listed_on == date(2026, 1, 2)


def test_comment_and_licence_are_read_in_either_spelling() -> None:
    record = read_one(comment="12 pages", licence="CC-BY-4.0")
    assert (record.comment, record.licence) == ("12 pages", "CC-BY-4.0")
    assert read_one(license="CC0-1.0").licence == "CC0-1.0"
    assert reason(licence=4) == "wrong-type"


def test_an_id_no_scheme_knows_is_kept_as_local() -> None:
    assert read_one(id="lab-7").identifiers == {"local": "file:lab-7"}


@pytest.mark.accept("I6", part="files")
@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b'{"id": "x"}', "no-title"),
        (b'{"title": "\\u200b \\u0000"}', "no-title"),
        (b'{"title": ["T"]}', "wrong-type"),
        (b'{"title": "T", "authors": "Ada"}', "wrong-type"),
        (b'{"title": "T", "authors": [1]}', "wrong-type"),
        (b'{"title": "T", "id": 2503.0213}', "wrong-type"),
        (b'{"title": "T", "published_at": "soon"}', "bad-date"),
        (b'{"title": "T", "listed_on": "2026-02-30"}', "bad-date"),
        (b'{"title": "T", "upvotes": -1}', "bad-count"),
        (b'{"title": "T", "upvotes": true}', "bad-count"),
        (b'{"title": "T", "upvotes": 1.5}', "bad-count"),
        (b'["T"]', "not-an-object"),
        (b'{"title": "T"', "not-json"),
        (b'{"title": "T\xff"}', "not-utf8"),
        (b"[" * 100_000, "not-json"),
        (b'{"title": "' + b"x" * 10_000_001 + b'"}', "too-long"),
    ],
    ids=lambda value: value.decode("latin-1")[:30] if isinstance(value, bytes) else value,
)
def test_one_bad_line_of_200_costs_one_paper(bad: bytes, why: str) -> None:
    good = [lines({"id": f"2601.{number:05}", "title": "T"}) for number in range(199)]
    batch = read_jsonl(b"\n".join([*good[:100], bad, *good[100:]]))
    assert len(batch.records) == 199
    (reject,) = batch.rejects
    assert (reject.reason, reject.position) == (why, 101)
    assert len(reject.excerpt) <= 500
    assert reject.detail


@pytest.mark.accept("I9", part="odd dates")
@pytest.mark.parametrize("year", ["0000", "0001", "1066", "2101", "9999", "20260"])
def test_a_year_no_paper_is_of_counts_as_unknown(year: str) -> None:
    day = f"{year}-01-01"
    record = read_one(published_at=f"{day}T00:00:00Z", listed_on=day, submitted_on_daily_at=None)
    assert record.published_at is None
    assert record.listed_on is None


def test_nul_and_lone_surrogates_reach_no_database() -> None:
    batch = read_jsonl(b'{"title": "A\\u0000B \\ud800", "authors": ["C\\u0000 \\udfff"]}')
    text = batch.records[0].title + batch.records[0].authors[0]
    assert "\0" not in text
    assert text.encode()


def test_votes_do_not_change_the_fingerprint_but_texts_do() -> None:
    counted = read_one(upvotes=3, captured_at="2026-01-30T08:00:00Z")
    assert counted.counts == (
        Count(signal="upvotes", value=3, captured_at=datetime(2026, 1, 30, 8, tzinfo=UTC)),
    )
    assert counted.fingerprint == read_one(upvotes=4, comments=None).fingerprint
    assert counted.fingerprint != read_one(upvotes=3, title="Another").fingerprint


def test_blank_lines_and_a_byte_order_mark_are_passed_over() -> None:
    batch = read_jsonl(b"\xef\xbb\xbf\n" + lines(PAPER) + b"\r\n \n")
    assert len(batch.records) == 1
    assert batch.rejects == ()


@pytest.mark.accept("F02", part="observations")
def test_null_is_not_zero() -> None:
    row = {
        "id": "2601.00001",
        "captured_at": "2026-01-30T08:00:00Z",
        "upvotes": 0,
        "comments": None,
    }
    (loose,) = read_observations(lines(row)).loose_counts
    assert (loose.kind, loose.value, loose.position) == ("arxiv", "2601.00001", 1)
    assert [(count.signal, count.value) for count in loose.counts] == [("upvotes", 0)]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"id": None}, "no-id"),
        ({"captured_at": None}, "no-date"),
        ({"captured_at": "9999-01-01"}, "no-date"),
        ({"captured_at": "noon"}, "bad-date"),
        ({"upvotes": -1}, "bad-count"),
        ({"upvotes": "7"}, "bad-count"),
        ({"upvotes": False}, "bad-count"),
        ({"upvotes": None}, "no-counts"),
    ],
)
def test_a_row_that_counts_nothing_is_rejected(changes: dict[str, object], why: str) -> None:
    row = {"id": "2601.00001", "captured_at": "2026-01-30", "upvotes": 1, **changes}
    (reject,) = read_observations(lines(row)).rejects
    assert reject.reason == why


@pytest.mark.slow
@pytest.mark.accept("F02", part="archive")
def test_every_archived_paper_and_count_is_read(real_data: Path) -> None:
    folder = real_data / "hf_daily_papers"
    papers = read_jsonl(gzip.decompress((folder / "papers.jsonl.gz").read_bytes()))
    assert (len(papers.records), papers.rejects) == (8277, ())
    assert all(
        record.listed_on and record.identifiers.keys() == {"arxiv"} for record in papers.records
    )
    counts = read_observations(gzip.decompress((folder / "upvote_snapshots.jsonl.gz").read_bytes()))
    assert (len(counts.loose_counts), counts.rejects) == (12_658, ())


def test_the_version_of_an_id_and_the_day_of_its_submission_are_read() -> None:
    line = b'{"id": "2601.00001v2", "title": "T", "submitted_on_daily_at": "2026-01-30T05:55:44Z"}'
    (record,) = read_jsonl(line).records
    assert (record.identifiers, record.version) == ({"arxiv": "2601.00001"}, 2)
    assert record.listed_on == date(2026, 1, 30)


@pytest.mark.accept("F07", part="withdrawn in files")
@pytest.mark.parametrize(
    ("changes", "withdrawn"),
    [
        ({}, False),
        ({"withdrawn": True}, True),
        ({"withdrawn": "yes"}, True),
        ({"withdrawn": "no"}, False),
        ({"withdrawn": 1}, False),
        ({"summary": "This paper has been withdrawn by its author."}, True),
        ({"comment": "Withdrawn: the proof has a gap."}, True),
        ({"id": "10.5555/1", "summary": "This paper has been withdrawn by its author."}, False),
    ],
)
def test_a_line_may_say_that_its_paper_is_withdrawn(
    changes: dict[str, object], withdrawn: bool
) -> None:
    assert read_one(**changes).withdrawn is withdrawn


@pytest.mark.accept("I3", part="user names in links", mutant="a-link-keeps-its-password")
@pytest.mark.parametrize(
    "link",
    [
        "https://user:pass@host.example/x",
        "https://arxiv.org@evil.example/abs/2601.00001",
        "http://:pass@host.example",
        "HTTPS://user@host.example?x=1",
    ],
)
def test_a_link_with_a_user_name_is_dropped(link: str) -> None:
    assert read_one(github_repo=link).links == {}


@pytest.mark.accept("I3", part="user names in links")
@pytest.mark.parametrize(
    "link",
    ["https://host.example/@user", "https://host.example?q=a@b", "https://host.example/#a@b"],
)
def test_a_link_may_hold_an_at_sign_behind_its_host(link: str) -> None:
    assert read_one(github_repo=link).links == {"code": link}
