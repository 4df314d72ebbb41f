"""Answers of Semantic Scholar."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.registry import READERS, reader_for
from paperround.papers.model import Count, Record, Show
from paperround.plugins.semantic_scholar import read_bulk, read_semantic_scholar
from tests.plugins.cassettes import recorded
from tests.plugins.semantic_scholar_samples import bulk, paper, pdf

HALF = "\ud800"
"""Half a character: JSON can say it, UTF-8 cannot."""

MANY = {
    "ArXiv": "2601.00001v2",
    "DOI": "10.48550/arXiv.2601.00001",
    "PubMed": "40000001",
    "CorpusId": 7,
}


def only(**fields: Any) -> Record:
    (record,) = read_semantic_scholar(bulk(paper(**fields))).records
    return record


@pytest.mark.accept("F05", part="semantic-scholar")
def test_a_paper_is_read_with_all_it_says() -> None:
    record = only(openAccessPdf=pdf("CCBY"))
    assert replace(record, fingerprint="") == Record(
        title="Study 1",
        abstract="We present study 1.",
        identifiers={"doi": "10.1234/study.1"},
        authors=("Ada Lovelace",),
        categories=("Biology",),
        links={"pdf": "https://papers.example.org/1.pdf"},
        published_at=datetime(2026, 1, 27, tzinfo=UTC),
        comment="Journal reference: Journal of Tests",
        licence="CC BY",
        show=Show.FULL,
        counts=(
            Count(signal="citations", value=4),
            Count(signal="influential_citations", value=1),
        ),
    )


@pytest.mark.accept("F05", part="semantic-scholar citations")
def test_citations_are_counts_of_the_day_they_were_asked_for_and_change_no_paper() -> None:
    before, after = only(), only(citationCount=9, influentialCitationCount=None)
    assert after.counts == (Count(signal="citations", value=9),)
    assert before.fingerprint == after.fingerprint
    assert before.fingerprint != only(title="Another").fingerprint


@pytest.mark.accept("F07", part="semantic scholar identifiers")
@pytest.mark.parametrize(
    ("ids", "known"),
    [
        (MANY, {"arxiv": "2601.00001", "pmid": "40000001"}),
        ({"DOI": "10.1101/2026.01.01.000001"}, {"biorxiv": "10.1101/2026.01.01.000001"}),
        ({"ArXiv": "hep-th/9901001", "DOI": "10.1/x"}, {"arxiv": "hep-th/9901001"}),
        ({"DOI": f"10.1234/{'9' * 600}", "CorpusId": 7}, {"local": "s2:7"}),
        ({"PubMed": "PMC7", "MAG": "7", "CorpusId": 7}, {"local": "s2:7"}),
        ({"CorpusId": 10**30}, {"local": f"s2:{1:040x}"}),
        ({}, {"local": f"s2:{1:040x}"}),
        (None, {"local": f"s2:{1:040x}"}),
    ],
)
def test_a_paper_is_known_by_what_others_know_it_by(ids: object, known: dict[str, str]) -> None:
    assert only(externalIds=ids).identifiers == known


def test_the_day_is_the_first_of_the_year_where_no_more_is_known() -> None:
    assert only(publicationDate=None).published_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert only(publicationDate=None, year=None).published_at is None
    assert only(publicationDate=None, year=0).published_at is None
    assert only(publicationDate=None, year=10**300).published_at is None


@pytest.mark.parametrize("venue", [None, "", " ", "arXiv.org", "ArXiv"])
def test_no_venue_and_arxiv_are_no_journal(venue: str | None) -> None:
    assert only(venue=venue).comment is None


@pytest.mark.accept("F51", part="semantic scholar licences")
@pytest.mark.parametrize(
    ("copy", "licence", "show"),
    [
        (pdf("CCBYNCND"), "CC BY-NC-ND", Show.FULL),
        (pdf("ccbysa"), "CC BY-SA", Show.FULL),
        (pdf("CC0"), "CC0", Show.FULL),
        (pdf("publisher-specific-oa"), "publisher-specific-oa", Show.LINK),
        (pdf("CCBYE"), "CCBYE", Show.LINK),
        (pdf(None), None, Show.LINK),
        (None, None, Show.LINK),
    ],
)
def test_only_an_open_licence_lets_an_abstract_be_shown(
    copy: object, licence: str | None, show: Show
) -> None:
    record = only(openAccessPdf=copy)
    assert (record.licence, record.show) == (licence, show)
    assert record.abstract  # ranking reads it in any case


def test_an_address_that_is_none_is_left_out() -> None:
    assert only(openAccessPdf=pdf(None, url="javascript:alert(1)")).links == {}


@pytest.mark.accept("F05", part="semantic-scholar")
@pytest.mark.parametrize(
    "said",
    [
        {"total": 2, "offset": 0, "next": 100, "data": [paper(1), paper(2)]},
        {"total": 2, "token": "t", "data": [paper(1), paper(2)]},
        [paper(1), None, paper(2)],
        {"recommendedPapers": [paper(1), paper(2)]},
        {"offset": 0, "data": [{"citedPaper": paper(1)}, {"citingPaper": paper(2)}]},
    ],
)
def test_every_shape_of_a_list_gives_its_papers(said: object) -> None:
    batch = read_semantic_scholar(json.dumps(said).encode())
    assert [one.title for one in batch.records] == ["Study 1", "Study 2"]
    assert {one.reason for one in batch.rejects} <= {"unknown-id"}


def test_one_paper_alone_is_a_paper_and_nothing_found_is_nothing() -> None:
    assert len(read_semantic_scholar(json.dumps(paper()).encode()).records) == 1
    assert not read_semantic_scholar(b'\xef\xbb\xbf{"total": 0, "offset": 0}').records


@pytest.mark.accept("I6", part="semantic scholar")
@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("text", "not-a-paper"),
        ([], "not-a-paper"),
        ({"title": "T"}, "not-a-paper"),
        (None, "unknown-id"),
        (paper(title=None), "no-title"),
        (paper(title=["A"]), "wrong-type"),
        (paper(paperId=None, externalIds=None), "no-id"),
        (paper(paperId="7", externalIds=None), "no-id"),
        (paper(paperId=7, externalIds=None), "wrong-type"),
        (paper(externalIds=["x"]), "wrong-type"),
        (paper(externalIds={"DOI": 10.1}), "wrong-type"),
        (paper(authors=["Ada"]), "wrong-type"),
        (paper(authors={"name": "Ada"}), "wrong-type"),
        (paper(authors=[{"name": 1}]), "wrong-type"),
        (paper(openAccessPdf="x"), "wrong-type"),
        (paper(fieldsOfStudy="Biology"), "wrong-type"),
        (paper(citationCount=-1), "bad-count"),
        (paper(citationCount=True), "bad-count"),
        (paper(publicationDate="soon"), "bad-date"),
        (paper(publicationDate=None, year="2026"), "bad-date"),
    ],
)
def test_one_bad_row_costs_one_paper(bad: object, why: str) -> None:
    batch = read_semantic_scholar(bulk(paper(1), bad, paper(2)))
    assert len(batch.records) == 2
    assert [(one.reason, one.position) for one in batch.rejects] == [(why, 2)]


@pytest.mark.accept("F05", part="semantic-scholar errors")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"error": "Unrecognized fields"}', "returned an error: 'Unrecognized fields'"),
        (b'{"message": "Too Many Requests", "code": "429"}', "'Too Many Requests'"),
        (b'{"error": {"a": 1}, "data": []}', "returned an error"),
        (json.dumps({"error": f"a\0{HALF}b"}).encode(), r"'a\?b'"),
        (b'{"data": null}', "neither a paper nor a list"),
        (b'{"total": 0, "data": {}}', "neither a paper nor a list"),
        (b'{"total": 7}', "neither a paper nor a list"),
        (b"{}", "neither a paper nor a list"),
        (b"7", "not a response of Semantic Scholar"),
        (b"<html>busy</html>", "not JSON, it begins with '<html>busy"),
        (b"[" * 100_000, "not JSON"),
        (b"", "not JSON"),
    ],
)
def test_an_error_is_never_an_answer_without_papers(content: bytes, said: str) -> None:
    for read in (read_semantic_scholar, read_bulk):
        with pytest.raises(InvalidInput, match=said) as caught:
            read(content)
        str(caught.value).encode()


@pytest.mark.accept("F06", part="semantic scholar files")
@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"total": 1, "token": None, "data": [paper()]}, "semantic-scholar"),
        ([None, paper()], "semantic-scholar"),
        ({"recommendedPapers": [paper()]}, "semantic-scholar"),
        (paper(), "semantic-scholar"),
        ({"paperId": "ours", "title": "T"}, "jsonl"),
        ({"data": [{"paper": {"id": "2601.00001"}}]}, "hf"),
    ],
)
def test_an_answer_is_known_by_the_ids_in_it(said: object, found: str) -> None:
    assert reader_for("answer", json.dumps(said).encode()) == (found, READERS[found])


def test_an_answer_over_several_lines_is_known_too() -> None:
    written = json.dumps({"total": 1, "data": [paper()]}, indent=1)
    assert reader_for("answer", written.encode())[0] == "semantic-scholar"


def test_papers_line_by_line_are_json_lines() -> None:
    lines = "\n".join(json.dumps(paper(number)) for number in (1, 2))
    assert reader_for("papers.json", lines.encode())[0] == "jsonl"


@pytest.mark.accept("F05", part="semantic-scholar")
def test_recorded_papers_say_what_the_service_says(real_data: Path) -> None:
    folder = real_data / "raw_responses" / "semantic_scholar"
    (answer,) = recorded(folder / "test_get_papers_not_found_warning.yaml")
    batch = read_semantic_scholar(answer.body)
    first = batch.records[0]
    assert first.identifiers == {"doi": "10.2139/ssrn.288970"}
    assert first.counts[0] == Count(signal="citations", value=10670)
    assert first.published_at == datetime(2001, 10, 1, tzinfo=UTC)
    assert first.authors == ("Marianne Bertrand", "E. Duflo", "S. Mullainathan")
    assert first.categories == ("Psychology", "Economics", "Mathematics")
    assert "pdf" in first.links
    assert [one.position for one in batch.rejects] == [1]


ANY_TEXT = st.text(max_size=12) | st.sampled_from(["", "\0", HALF, "2026-1-5", "9" * 40])
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
ALMOST_A_PAPER = st.dictionaries(st.sampled_from(sorted(paper())), ANY_JSON, max_size=4).map(
    lambda changed: {**paper(), **changed}
)
ROWS = st.lists(ALMOST_A_PAPER | ANY_JSON, max_size=4)
ALMOST_AN_ANSWER = ROWS | st.dictionaries(
    st.sampled_from(["data", "recommendedPapers", "total", "token", "error", "paperId"]),
    ROWS | ANY_JSON,
    max_size=4,
)


@pytest.mark.accept("F05", part="semantic-scholar hostile")
@given(said=ALMOST_AN_ANSWER | ANY_JSON)
def test_whatever_is_answered_every_row_is_accounted_for(said: Any) -> None:
    content = json.dumps(said).encode()
    try:
        batch = read_semantic_scholar(content)
        found = read_bulk(content)
    except InvalidInput as refused:
        str(refused).encode()
        return
    assert len(batch.records) + len(batch.rejects) == found.rows
    repr(batch).encode()
