"""Answers of OpenAlex. Works are invented after its documentation; two recorded files are read."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.registry import reader_for
from paperround.papers.model import Count, Record, Show
from paperround.plugins.openalex import read_answer, read_openalex
from tests.plugins.catalogue_samples import openalex_list, openalex_work

HALF = "\ud800"
OWN_DOI = "10.1000/work.1"


def only(**fields: Any) -> Record:
    batch = read_answer(openalex_list(openalex_work(**fields))).batch
    assert batch.rejects == ()
    (record,) = batch.records
    return record


@pytest.mark.accept("F05", part="openalex")
def test_a_work_is_read_with_all_it_says() -> None:
    assert replace(only(), fingerprint="") == Record(
        title="Work 1",
        abstract="We study a study",
        identifiers={"doi": OWN_DOI, "pmid": "4001"},
        authors=("Ada Lovelace", "A. Turing"),
        categories=("Computer Science",),
        keywords=("Graphs", "Colouring"),
        links={
            "abstract": "https://doi.org/10.1000/work.1",
            "pdf": "https://journal.example/1.pdf",
        },
        published_at=datetime(2026, 1, 27, tzinfo=UTC),
        comment="Journal of Examples",
        licence="CC BY",
        organization="University of Somewhere",
        show=Show.FULL,
        counts=(Count(signal="citations", value=3),),
        known_as=(("openalex", "W1"),),
    )


@pytest.mark.accept("F05", part="openalex citations")
def test_more_citations_are_a_new_count_and_no_change_of_the_paper() -> None:
    before, after = only(), only(cited_by_count=4)
    assert after.counts == (Count(signal="citations", value=4),)
    assert before.fingerprint == after.fingerprint != only(title="Another").fingerprint
    assert only(cited_by_count=None).counts == ()


@pytest.mark.accept("F07", part="openalex identifiers")
@pytest.mark.parametrize(
    ("doi", "copies", "known_as"),
    [
        ("https://doi.org/10.48550/arXiv.2601.00001", [], {"arxiv": "2601.00001"}),
        (None, ["https://arxiv.org/abs/2601.00001v2"], {"arxiv": "2601.00001"}),
        (None, ["http://arxiv.org/pdf/2601.00001"], {"arxiv": "2601.00001"}),
        (
            f"https://doi.org/{OWN_DOI}",
            ["https://doi.org/10.48550/arxiv.2601.00001", "https://doi.org/10.1101/2026.01.01.1"],
            {"doi": OWN_DOI, "arxiv": "2601.00001", "biorxiv": "10.1101/2026.01.01.1"},
        ),
        (
            f"https://doi.org/{OWN_DOI}",
            ["https://arxiv.org/abs/2601.00001", "https://arxiv.org/abs/2601.00002"],
            {"doi": OWN_DOI},
        ),
        (f"https://doi.org/{OWN_DOI}", ["https://doi.org/10.1000/other"], {"doi": OWN_DOI}),
        (None, [None, "https://repository.example/1"], {"local": "openalex:W1"}),
    ],
)
def test_a_work_is_known_by_its_doi_and_by_the_preprint_it_was(
    doi: str | None, copies: list[str | None], known_as: dict[str, str]
) -> None:
    locations = [{"landing_page_url": address, "pdf_url": None} for address in copies]
    record = only(doi=doi, ids={}, locations=locations, primary_location=None)
    assert record.identifiers == known_as


@pytest.mark.accept("F51", part="openalex licences")
@pytest.mark.parametrize(
    ("stated", "licence", "show"),
    [
        ("cc-by-nc-nd", "CC BY-NC-ND", Show.FULL),
        ("cc0", "CC0", Show.FULL),
        ("publisher-specific-oa", "publisher-specific-oa", Show.LINK),
        ("cc-by-permission", "cc-by-permission", Show.LINK),
        (None, None, Show.LINK),
    ],
)
def test_the_licence_of_the_published_text_says_how_much_is_shown(
    stated: str | None, licence: str | None, show: Show
) -> None:
    record = only(
        primary_location={"license": stated}, best_oa_location={"license": "cc-by", "pdf_url": None}
    )
    assert (record.licence, record.show) == (licence, show)
    assert record.abstract  # ranking reads it in any case


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("A <scp>small</scp> study of <i>E. coli</i>", "A small study of E. coli"),
        ("On <mml:math><mml:mi>x</mml:mi></mml:math> &amp; y", "On x & y"),
        ("Where a < b", "Where a < b"),
    ],
)
def test_a_title_is_read_without_its_markup(title: str, read: str) -> None:
    assert only(title=title).title == read


@pytest.mark.accept("F05", part="openalex abstracts")
@pytest.mark.parametrize(
    ("index", "abstract"),
    [
        ({"b": [1], "a": [0, 2]}, "a b a"),
        ({"far": [10**9], "near": [-5], "never": [10**300]}, "near far never"),
        ({"a": [True, "1", None, 0.5, 7]}, "a"),
        ({}, ""),
        (None, ""),
        ({f"a\0{HALF}": [0]}, "a?"),
        ({"word": list(range(100_000))}, ("word " * 8000).rstrip()),
        (
            {"<jats:p>We": [0], "use": [1], "H<sub>2</sub>O": [2], "if": [3], "a": [4, 7]}
            | {"<": [5], "b": [6], "c.</jats:p>": [8]},
            "We use H<sub>2</sub>O if a < b a c.",
        ),
    ],
)
def test_an_abstract_is_put_together_however_far_apart_its_words_are(
    index: object, abstract: str
) -> None:
    assert only(abstract_inverted_index=index).abstract == abstract


def test_a_retracted_work_is_withdrawn() -> None:
    assert only(is_retracted=True).withdrawn
    assert not only(is_retracted="no").withdrawn


@pytest.mark.accept("F05", part="openalex")
@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("text", "not-a-paper"),
        (None, "not-a-paper"),
        (openalex_work(type="paratext"), "other-kind"),
        (openalex_work(type="erratum"), "other-kind"),
        (openalex_work(is_paratext=True), "other-kind"),
        (openalex_work(title=None, display_name=None), "no-title"),
        (openalex_work(title=["A"]), "wrong-type"),
        (openalex_work(doi=None, ids=None, id="https://openalex.org/A1", locations=[]), "no-id"),
        (openalex_work(doi=7), "wrong-type"),
        (openalex_work(ids=[]), "wrong-type"),
        (openalex_work(locations={"a": 1}), "wrong-type"),
        (openalex_work(authorships=["Ada"]), "wrong-type"),
        (openalex_work(abstract_inverted_index=["We"]), "wrong-type"),
        (openalex_work(abstract_inverted_index={"We": 0}), "wrong-type"),
        (openalex_work(cited_by_count=-1), "bad-count"),
        (openalex_work(cited_by_count=10**12), "bad-count"),
        (openalex_work(publication_date="soon"), "bad-date"),
    ],
)
def test_one_bad_work_costs_one_paper(bad: object, why: str) -> None:
    if isinstance(bad, dict) and why == "no-id":
        bad["primary_location"] = None
    answer = read_answer(openalex_list(openalex_work(2), bad, openalex_work(3)))
    assert [record.title for record in answer.batch.records] == ["Work 2", "Work 3"]
    assert [(one.reason, one.position) for one in answer.batch.rejects] == [(why, 2)]
    assert answer.rows == 3


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b'{"error": "Invalid query parameters error.", "message": "x is no filter"}',
        b'{"error": "busy", "meta": {}, "results": []}',
        b'{"meta": {}}',
        b'{"meta": {}, "results": {}}',
        b'{"meta": [], "results": []}',
        b'{"status": "ok", "message-type": "work-list", "message": {"items": []}}',
    ],
)
def test_an_error_is_never_an_answer_without_works(content: bytes) -> None:
    for read in (read_answer, read_openalex):
        with pytest.raises(InvalidInput, match="of OpenAlex"):
            read(content)


@pytest.mark.accept("F05", part="openalex files")
def test_a_file_may_hold_one_work_or_a_list_and_is_known_by_its_content() -> None:
    for content in (
        json.dumps(openalex_work()).encode(),
        json.dumps(openalex_work(), indent=1).encode(),
        openalex_list(openalex_work()),
        openalex_list(openalex_work()).replace(b": ", b":"),
    ):
        assert reader_for("works.json", content)[0] == "openalex"
        assert [record.title for record in read_openalex(content).records] == ["Work 1"]
    paper = b'{"id": "https://openalex.org/W1", "title": "A"}\n{"id": "2", "title": "B"}\n'
    assert reader_for("own.jsonl", paper)[0] == "jsonl"


@pytest.mark.accept("F05", part="openalex recorded")
@pytest.mark.parametrize(
    ("name", "dois", "authors", "citations"),
    [
        ("workJsonResponse", ["10.7717/peerj.4375"], [9], [565]),
        (
            "works_two_results",
            ["10.1038/s41586-021-03534-y", "10.1038/s41587-020-0561-9"],
            [42, 3],
            [768, 2282],
        ),
    ],
)
def test_recorded_works_are_read(
    real_data: Path, name: str, dois: list[str], authors: list[int], citations: list[int]
) -> None:
    content = (real_data / "raw_responses" / "openalex" / f"{name}.json").read_bytes()
    assert reader_for(f"{name}.json", content)[0] == "openalex"
    batch = read_openalex(content)
    assert batch.rejects == ()
    assert [record.identifiers["doi"] for record in batch.records] == dois
    assert [len(record.authors) for record in batch.records] == authors
    assert [record.counts[0].value for record in batch.records] == citations
    with pytest.raises(InvalidInput):  # neither is a page that names the next one
        read_answer(content)


ANY_TEXT = st.text(max_size=12) | st.sampled_from(["", "\0", HALF, "cc-by", "2026-1-5", "9" * 40])
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
ALMOST_A_WORK = st.dictionaries(st.sampled_from(sorted(openalex_work())), ANY_JSON, max_size=4).map(
    lambda changed: {**openalex_work(), **changed}
)
ALMOST_A_LIST = st.fixed_dictionaries(
    {
        "meta": st.fixed_dictionaries({"count": ANY_JSON, "next_cursor": ANY_JSON}) | ANY_JSON,
        "results": st.lists(ALMOST_A_WORK | ANY_JSON, max_size=4) | ANY_JSON,
    }
)


@pytest.mark.accept("F05", part="openalex hostile")
@given(said=ALMOST_A_LIST | ALMOST_A_WORK | ANY_JSON)
def test_whatever_is_answered_every_work_is_accounted_for(said: Any) -> None:
    content = json.dumps(said).encode()
    try:
        answer = read_answer(content)
    except InvalidInput as refused:
        str(refused).encode()
        return
    assert len(answer.batch.records) + len(answer.batch.rejects) == answer.rows
    for record in answer.batch.records:
        assert record.fingerprint
        repr(record).encode()


@pytest.mark.parametrize("depth", [200, 900, 990, 1000, 5000, 50_000])
@pytest.mark.parametrize("key", ["cited_by_count", "title", "id", "abstract_inverted_index"])
def test_a_deeply_nested_work_costs_no_more_than_its_answer(depth: int, key: str) -> None:
    nested = b"[" * depth + b"]" * depth
    content = openalex_list(openalex_work(1), openalex_work(2, **{key: "here"}))
    try:
        answer = read_answer(content.replace(b'"here"', nested))
    except InvalidInput:
        return
    assert len(answer.batch.records) in {1, 2}
    assert answer.rows == 2
