"""Answers of arXiv's query API."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.arxiv import read_arxiv_atom, read_response
from paperround.papers.model import Record
from tests.feeds.arxiv_samples import answer, entry


def recorded(real_data: Path, name: str) -> bytes:
    (path,) = (real_data / "raw_responses" / "arxiv_api").glob(f"{name}_*.json")
    saved: dict[str, Any] = json.loads(path.read_text())
    return str(saved["body"]).encode()


@pytest.mark.accept("F03", part="api")
def test_every_recorded_answer_is_read_whole(real_data: Path) -> None:
    paths = sorted((real_data / "raw_responses" / "arxiv_api").glob("q_*.json"))
    assert len(paths) == 11
    for path in paths:
        saved = json.loads(path.read_text())
        found = read_response(saved["body"].encode())
        assert saved["url"].endswith(f"max_results={found.entries}")
        assert (len(found.batch.records), found.batch.rejects) == (found.entries, ())
        assert found.total == 214_881
        for record in found.batch.records:
            assert record.abstract
            assert record.authors
            assert record.categories
            assert record.published_at
            assert record.version


@pytest.mark.accept("F03", part="api")
@pytest.mark.parametrize(
    ("name", "base"),
    [("id_quant-ph", "quant-ph/0201082"), ("id_astro-ph", "astro-ph/0601001")],
)
def test_an_old_identifier_keeps_its_archive(name: str, base: str, real_data: Path) -> None:
    (record,) = read_arxiv_atom(recorded(real_data, name)).records
    assert record.identifiers["arxiv"] == base


@pytest.mark.accept("F03", part="api")
def test_an_entry_is_read_with_all_it_says() -> None:
    more = (
        "<arxiv:comment>9 pages</arxiv:comment><arxiv:doi>10.1000/X</arxiv:doi>"
        "<arxiv:journal_ref>J 1</arxiv:journal_ref>"
        '<category term="68T07"/><category term="cs.LG"/>'
    )
    record = read_arxiv_atom(answer(entry("2601.00001v3", more=more))).records[0]
    moment = datetime(2026, 1, 27, 10, tzinfo=UTC)
    assert replace(record, fingerprint="") == Record(
        title="A Study",
        abstract="We study.",
        identifiers={"doi": "10.1000/x", "arxiv": "2601.00001"},
        authors=("Ada Lovelace",),
        categories=("cs.AI", "cs.LG"),
        published_at=moment,
        updated_at=moment,
        version=3,
        comment="9 pages; Journal reference: J 1",
    )


def test_a_paper_called_error_is_a_paper() -> None:
    (record,) = read_arxiv_atom(answer(entry(title="Error"))).records
    assert record.title == "Error"


@pytest.mark.accept("F03", part="errors")
def test_an_error_that_comes_as_an_entry_is_an_error(real_data: Path) -> None:
    with pytest.raises(InvalidInput, match="rejected the query: incorrect id format for abc"):
        read_arxiv_atom(recorded(real_data, "id_abc"))


@pytest.mark.accept("F03", part="errors")
@pytest.mark.parametrize("start", [0, 200])
def test_an_empty_answer_with_results_left_is_an_error(start: int) -> None:
    with pytest.raises(InvalidInput, match="response is empty though more is announced"):
        read_response(answer(total=214_881, start=start))


def test_an_empty_answer_without_results_is_empty(real_data: Path) -> None:
    found = read_response(recorded(real_data, "id_0000.0000"))
    assert (found.entries, found.total, found.batch.records) == (0, 0, ())
    assert read_response(answer(total=300, start=300)).entries == 0


@pytest.mark.accept("I6", part="arxiv")
def test_one_malformed_entry_costs_one_paper() -> None:
    bad = entry(published="yesterday")
    found = read_response(answer(entry("2601.00001v1"), bad, entry("2601.00002v1")))
    assert (found.entries, len(found.batch.records)) == (3, 2)
    assert [(one.reason, one.position) for one in found.batch.rejects] == [("bad-date", 2)]


def test_totals_that_are_no_numbers_are_unknown() -> None:
    content = answer(entry()).replace(b"Results>1<", b"Results>many<")
    assert read_response(content).total == 1


def test_what_is_no_answer_is_refused() -> None:
    with pytest.raises(InvalidInput, match="begins with 'rss'"):
        read_response(b"<rss/>")
