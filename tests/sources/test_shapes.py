"""What changed in the answers of a service since its source was written.

The shapes are held against recorded answers where there are some; of OpenAlex and Semantic Scholar
these have few of the fields that a feed asks for. Those of bioRxiv, of PubMed's search and of
arXiv's OAI-PMH in the formats `arXiv` and `oai_dc` follow the services' descriptions alone. Where
nothing was recorded, the small answers that the tests of the sources use stand in.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.sources import crossref_record, openalex_record
from paperround.sources.live import SOURCES
from paperround.sources.shapes import NEEDED, Shape, read_shape, shape_of, shapes
from paperround.sources.shapes.compare import MOST_NEW, differences, parent_of
from tests.sources.arxiv_samples import item, rss
from tests.sources.biorxiv_samples import NOTHING, collection, row
from tests.sources.cassettes import recorded
from tests.sources.catalogue_samples import (
    crossref_list,
    crossref_work,
    openalex_list,
    openalex_work,
)
from tests.sources.pubmed_samples import article, articles, found
from tests.sources.semantic_scholar_samples import bulk, paper, pdf

ANSWERED = {"json": b"{}", "xml": b'\xef\xbb\xbf\n<?xml version="1.0"?><x/>'}

SMALL = read_shape(
    "small",
    "kind: small\nform: json\n\n$ object needed\n$.papers list needed\n$.papers[] object some\n"
    "$.papers[].id text needed\n$.papers[].votes number always\n$.papers[].more any some\n",
)


def told(shape: Shape, value: object) -> list[str]:
    return [str(one) for one in differences(shape, json.dumps(value).encode())]


def breaks(shape: Shape, value: object) -> bool:
    return any(one.breaks for one in differences(shape, json.dumps(value).encode()))


@pytest.mark.accept("F09", part="shapes")
@pytest.mark.parametrize(
    ("answer", "says", "is_broken"),
    [
        ({"papers": []}, [], False),
        ({"papers": [{"id": "a", "votes": 1, "more": {"x": [1]}}]}, [], False),
        ({"papers": [{"id": "a", "votes": 1, "stars": 1}]}, ["papers.stars is new"], False),
        ({"papers": [{"id": "a"}]}, ["papers.votes is missing"], False),
        ({"papers": [{"votes": 1}]}, ["papers.id is missing"], True),
        ({"papers": [{"id": "a", "votes": "1"}]}, ["papers.votes is text, was number"], False),
        ({"papers": [{"id": 7, "votes": 1}]}, ["papers.id is number, was text"], True),
        ({"items": []}, ["papers is missing", "items is new"], True),
        ([], ["the whole is list, was object"], True),
    ],
)
def test_what_changed_is_named_and_breaks_only_where_papers_need_it(
    answer: object, says: list[str], is_broken: bool
) -> None:
    assert told(SMALL, answer) == says
    assert breaks(SMALL, answer) is is_broken


def test_one_entry_without_a_needed_field_is_no_change_of_shape() -> None:
    papers = [{"id": "a", "votes": 1}, {"id": "b", "votes": 1}, {"votes": 1}]
    assert told(SMALL, {"papers": papers}) == ["papers.id is missing in 1/3"]
    assert not breaks(SMALL, {"papers": papers})


def test_any_number_of_new_fields_makes_a_short_report() -> None:
    answer = {"papers": [], **{f"x{n}": {"deep": n} for n in range(5000)}}
    said = told(SMALL, answer)
    assert len(said) == MOST_NEW + 1
    assert said[-1] == "more fields are new"


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff", b"[" * 200_000])
def test_an_answer_that_cannot_be_read_is_one_difference_that_breaks(content: bytes) -> None:
    for shape in shapes():
        (one,) = differences(shape, content)
        assert one.breaks


# --- the shapes there are ----------------------------------------------------------------------


@pytest.mark.parametrize("shape", shapes(), ids=lambda one: one.name)
def test_a_shape_belongs_to_a_source_that_takes_its_settings(shape: Shape) -> None:
    SOURCES[shape.kind].check(None, {**shape.when, **shape.ask})
    assert shape_of(shape.kind, shape.when, ANSWERED[shape.form]) is shape
    assert shape.form in {"json", "xml"}
    roots = {path for path in shape.fields if parent_of(path) not in shape.fields}
    assert len(roots) == 1
    assert any(one.presence == NEEDED for one in shape.fields.values())


@pytest.mark.parametrize("kind", sorted({one.kind for one in shapes()}))
def test_a_feed_without_settings_has_one_shape(kind: str) -> None:
    forms = [one.form for one in shapes() if one.kind == kind and one.fits({})]
    assert forms
    assert len(forms) == len(set(forms))  # of a service that answers in both, one shape of each


def test_settings_choose_the_shape() -> None:
    def named(kind: str, **settings: str) -> str | None:
        shape = shape_of(kind, settings)
        return None if shape is None else shape.name

    assert named("arxiv", categories="cs.AI") == "arxiv-rss"
    assert named("arxiv", categories="cs.AI", via=" api ") == "arxiv-api"
    assert named("arxiv-oai", format="oai_dc") == "arxiv-oai-oai_dc"
    assert named("arxiv-oai", format="marc") is None


# --- real answers ------------------------------------------------------------------------------


def of_hf(data: Path) -> Iterator[bytes]:
    for path in sorted((data / "hf_daily_papers").glob("archiveA_*.json")):
        content = path.read_bytes()
        if isinstance(value := json.loads(content), list) and isinstance(value[0], dict):
            yield content


def of_api(data: Path) -> Iterator[bytes]:
    for path in sorted((data / "arxiv_api").glob("*.json")):
        answer: dict[str, Any] = json.loads(path.read_text())
        if answer["status_code"] == 200:
            yield answer["body"].encode()


def of_rss(data: Path) -> Iterator[bytes]:
    yield from (path.read_bytes() for path in (data / "arxiv_rss").glob("*.xml"))


def of_oai(data: Path) -> Iterator[bytes]:
    yield from (path.read_bytes() for path in (data / "arxiv_oai").glob("*.xml"))


def of_openalex(data: Path) -> Iterator[bytes]:
    """Without `select` works have more than a feed asks for; the works alone."""
    for path in sorted((data / "openalex").glob("works_*.json")):
        works = [
            asked_for(work, openalex_record.FIELDS)
            for work in json.loads(path.read_text())["results"]
        ]
        yield openalex_list(*works)


def of_crossref(data: Path) -> Iterator[bytes]:
    for path in sorted((data / "crossref").glob("*.yaml")):
        for one in recorded(path):
            said = json.loads(one.body) if one.status == 200 else {}
            if said.get("message-type") == "work-list":
                items = said["message"]["items"]
                said["message"]["items"] = [asked_for(x, crossref_record.FIELDS) for x in items]
                yield json.dumps(said).encode()


def asked_for(work: dict[str, Any], fields: str) -> dict[str, Any]:
    return {name: value for name, value in work.items() if name in fields.split(",")}


def of_semantic_scholar(data: Path) -> Iterator[bytes]:
    (path,) = (data / "semantic_scholar").glob("*_bulk_*.yaml")
    yield from (one.body for one in recorded(path))


def of_pubmed(data: Path) -> Iterator[bytes]:
    for path in sorted((data / "pubmed").glob("pubmed*.xml")):
        yield path.read_bytes()


RECORDED: dict[str, Callable[[Path], Iterator[bytes]]] = {
    "openalex": of_openalex,
    "crossref": of_crossref,
    "semantic-scholar": of_semantic_scholar,
    "pubmed-articles": of_pubmed,
    "hf-daily": of_hf,
    "arxiv-api": of_api,
    "arxiv-rss": of_rss,
    "arxiv-oai-arXivRaw": of_oai,
}


@pytest.mark.accept("F09", part="shapes")
@pytest.mark.parametrize("name", sorted(RECORDED))
def test_no_recorded_answer_breaks_its_shape_or_has_a_field_it_does_not_know(
    name: str, real_data: Path
) -> None:
    (shape,) = (one for one in shapes() if one.name == name)
    answers = list(RECORDED[name](real_data / "raw_responses"))
    assert answers
    for content in answers:
        found = differences(shape, content)
        assert not [str(one) for one in found if one.breaks or one.says == "is new"]


def test_the_newest_recorded_answers_differ_in_nothing(real_data: Path) -> None:
    newest = real_data / "raw_responses" / "hf_daily_papers" / "archiveA_2026-01-28.json"
    hf = shape_of("hf-daily", {})
    assert hf
    assert differences(hf, newest.read_bytes()) == ()
    announcements = shape_of("arxiv", {})
    assert announcements
    for content in of_rss(real_data / "raw_responses"):
        assert differences(announcements, content) == ()


def test_the_answers_that_other_tests_use_fit_where_nothing_was_recorded() -> None:
    biorxiv = shape_of("biorxiv", {})
    assert biorxiv
    for content in (collection(row(), row(2, version=2, published=None)), NOTHING):
        assert not [one for one in differences(biorxiv, content) if one.breaks]
    arxiv = shape_of("arxiv", {})
    assert arxiv
    assert any(one.breaks for one in differences(arxiv, rss(item("2601.00001v1"))))


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        ("openalex", [openalex_list(openalex_work(), openalex_work(2)), openalex_list()]),
        ("crossref", [crossref_list(crossref_work(), crossref_work(2)), crossref_list()]),
        ("semantic-scholar", [bulk(paper(), paper(2, openAccessPdf=pdf("CCBY"))), bulk()]),
        ("pubmed", [found(), found("0", querykey=None, webenv=None), articles(article())]),
    ],
)
def test_answers_of_the_services_that_are_searched_fit(kind: str, answers: list[bytes]) -> None:
    for content in answers:
        shape = shape_of(kind, {}, content)
        assert shape
        assert not [str(one) for one in differences(shape, content) if one.breaks]
        assert "is new" not in {one.says for one in differences(shape, content)}


@pytest.mark.parametrize(
    ("kind", "answer", "says"),
    [
        ("openalex", openalex_list({"id": "https://openalex.org/W1"}), "results.title is missing"),
        ("crossref", crossref_list({"doi": "10.1000/1"}), "message.items.DOI is missing"),
        ("semantic-scholar", bulk({"paperId": "1" * 40}), "data.title is missing"),
        ("pubmed", articles("<PubmedArticle/>"), "MedlineCitation is missing"),
        ("pubmed", b'{"esearchresult": {}}', "esearchresult.count is missing"),
    ],
)
def test_what_papers_of_a_search_need_is_missed(kind: str, answer: bytes, says: str) -> None:
    shape = shape_of(kind, {}, answer)
    assert shape
    breaking = [str(one) for one in differences(shape, answer) if one.breaks]
    assert any(one.endswith(says) for one in breaking)


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["papers", "id", "votes", "more", "paper"]) | st.text(max_size=3),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_no_json_raises(value: object) -> None:
    for shape in (SMALL, *shapes()):
        if shape.form == "json":
            differences(shape, json.dumps(value).encode())
