"""What the enrichers ask, and how they read what strangers answer.

The answers are written after the services' documentation: there are no recorded ones.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import FetchFailed, InvalidInput
from paperround.core.plugins import plugins
from paperround.http.model import Page
from paperround.papers.enrichment import Enricher
from paperround.papers.model import Paper, Record
from paperround.plugins.enrichers import (
    CrossrefNews,
    Github,
    HuggingFace,
    OpenAlexNews,
    SemanticScholarNews,
)
from tests.builders import paper
from tests.plugins.catalogue_samples import (
    crossref_list,
    crossref_work,
    openalex_list,
    openalex_work,
)

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
CODE = replace(
    paper(1),
    identifiers={"arxiv": "2603.00001", "doi": "10.1000/work.1"},
    links={"code": "https://github.com/ring/things"},
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def every() -> dict[str, Enricher]:
    return {name: make() for name, make in plugins("enrichers").items()}


def page(name: str, of: Paper, body: bytes) -> Page:
    request = plugins("enrichers")[name]().request([of])
    return Page(request=request, url=request.url, status=200, headers={}, body=body, fetched_at=NOW)


def test_every_enricher_of_the_settings_is_there() -> None:
    named = ["huggingface", "github", "openalex", "crossref", "semantic-scholar", "figures"]
    assert [*plugins("enrichers")] == named
    assert [plugins("enrichers")[name].name for name in named] == named


@pytest.mark.parametrize(
    "link",
    [
        "https://github.com/ring/things",
        "http://www.github.com/ring/things.git",
        "https://github.com/ring/things/tree/main/src#readme",
        "https://github.com/ring/things?tab=readme",
    ],
)
def test_github_is_asked_for_the_repository(link: str) -> None:
    asked = Github().request([replace(paper(), links={"code": link})])
    assert asked.url == "https://api.github.com/repos/ring/things"


@pytest.mark.parametrize(
    "link",
    [
        "https://gitlab.com/ring/things",
        "https://github.com/ring",
        "https://github.com.evil.example/ring/things",
        "https://github.com/ring/..",
        "https://github.com/ring/a%2Fb",
        "https://evil.example/?x=https://github.com/ring/things",
    ],
)
def test_github_is_not_asked_for_what_is_no_repository_there(link: str) -> None:
    assert not Github().knows(replace(paper(), links={"code": link}))


@pytest.mark.parametrize("body", [b"[]", b"{}", b"<html>", b'{"stargazers_count": "many"}', b""])
def test_what_is_no_repository_is_an_error(body: bytes) -> None:
    with pytest.raises(FetchFailed):
        Github().parse(page("github", CODE, body), [CODE])


def test_an_answer_about_another_paper_says_nothing_of_ours() -> None:
    other = json.dumps({"id": "2603.00002", "title": "Other", "upvotes": 900}).encode()
    assert HuggingFace().parse(page("huggingface", CODE, other), [CODE]).records == ()


@given(
    said=st.dictionaries(st.sampled_from(["id", "title", "upvotes", "githubRepo", "authors"]), JSON)
)
def test_whatever_is_answered_is_read_or_refused(said: dict[str, object]) -> None:
    body = json.dumps(said).encode("utf-8", "surrogatepass")
    for name, enricher in every().items():
        try:
            enricher.parse(page(name, CODE, body), [CODE])
        except (FetchFailed, InvalidInput):
            continue


# --- catalogues --------------------------------------------------------------------------------

PREPRINT = paper(1, identifiers={"arxiv": "2603.00001", "title_key": "a"})
ARTICLE = paper(2, identifiers={"doi": "10.1000/work.2", "title_key": "b"})
BIOLOGY = paper(3, identifiers={"biorxiv": "10.1101/2026.03.01.000003", "title_key": "c"})
LOCAL = paper(4, identifiers={"local": "file:4", "title_key": "d"})


def said_by(name: str, body: bytes, *papers: Paper) -> list[Record]:
    enricher = every()[name]
    request = enricher.request(papers)
    answer = Page(
        request=request, url=request.url, status=200, headers={}, body=body, fetched_at=NOW
    )
    return list(enricher.parse(answer, papers).records)


def test_openalex_is_asked_for_many_papers_at_once_by_their_dois() -> None:
    asked = OpenAlexNews().request([PREPRINT, ARTICLE, BIOLOGY]).url
    assert "filter=doi:10.48550/arxiv.2603.00001|10.1000/work.2|10.1101/2026.03.01.000003&" in asked
    assert "abstract" not in asked


def test_crossref_is_not_asked_for_papers_of_arxiv_alone() -> None:
    assert not CrossrefNews().knows(PREPRINT)
    asked = CrossrefNews().request([ARTICLE, BIOLOGY]).url
    assert "filter=doi:10.1000/work.2,doi:10.1101/2026.03.01.000003&rows=40" in asked


@pytest.mark.parametrize(
    "doi", ["10.1000/a,b", "10.1000/a|b", "10.1000/<1>", f"10.1000/{'9' * 300}"]
)
def test_a_doi_that_means_something_else_in_a_filter_is_not_asked_for(doi: str) -> None:
    strange = paper(5, identifiers={"doi": doi})
    assert not OpenAlexNews().knows(strange)
    assert not CrossrefNews().knows(strange)


@pytest.mark.accept("F05", part="openalex as an enricher")
def test_openalex_tells_citations_the_journals_doi_and_a_retraction() -> None:
    work = openalex_work(2, cited_by_count=31, is_retracted=True)
    (news,) = said_by("openalex", openalex_list(work), ARTICLE)
    assert (news.title, news.abstract, news.authors, news.announces) == ("", "", (), False)
    assert [(one.signal, one.value) for one in news.counts] == [("citations", 31)]
    assert news.withdrawn


@pytest.mark.accept("F05", part="crossref as an enricher")
def test_crossref_tells_citations() -> None:
    work = crossref_work(2, **{"is-referenced-by-count": 7})
    (news,) = said_by("crossref", crossref_list(work), ARTICLE)
    assert [(one.signal, one.value) for one in news.counts] == [("citations", 7)]


@pytest.mark.accept("F05", part="semantic scholar as an enricher")
def test_semantic_scholar_tells_the_journals_doi_of_a_preprint() -> None:
    body = json.dumps(
        {
            "paperId": "0" * 40,
            "externalIds": {"ArXiv": "2603.00001", "DOI": "10.1000/journal.1"},
            "title": "A title there",
            "citationCount": 3,
        }
    ).encode()
    (news,) = said_by("semantic-scholar", body, PREPRINT)
    assert news.identifiers == {"arxiv": "2603.00001", "doi": "10.1000/journal.1"}
    assert [(one.signal, one.value) for one in news.counts] == [("citations", 3)]


@pytest.mark.accept("F51", part="licences of other copies")
def test_the_licence_of_the_journals_copy_is_not_that_of_the_preprint() -> None:
    work = openalex_work(doi="https://doi.org/10.48550/arxiv.2603.00001")
    (openalex,) = said_by("openalex", openalex_list(work), PREPRINT)
    (crossref,) = said_by("crossref", crossref_list(crossref_work(2)), ARTICLE)
    pdf = {"url": "https://journal.example/1.pdf", "license": "CCBY"}
    ids = {"ArXiv": "2603.00001"}
    body = json.dumps({"paperId": "0" * 40, "externalIds": ids, "title": "A", "openAccessPdf": pdf})
    (scholar,) = said_by("semantic-scholar", body.encode(), PREPRINT)
    assert [one.licence for one in (openalex, crossref, scholar)] == [None, None, None]
    assert scholar.links  # where it can be read, they may say


def test_semantic_scholar_is_asked_by_what_a_paper_is_known_by() -> None:
    asked = [
        SemanticScholarNews().request([one]).url.partition("?")[0].rpartition("paper/")[2]
        for one in (PREPRINT, ARTICLE, BIOLOGY)
    ]
    assert asked == [
        "ARXIV:2603.00001",
        "DOI:10.1000/work.2",
        "DOI:10.1101/2026.03.01.000003",
    ]
    assert not SemanticScholarNews().knows(LOCAL)


def test_a_key_goes_in_a_header_and_stands_in_no_address() -> None:
    asked = SemanticScholarNews(key="hush").request([ARTICLE])
    assert asked.headers == {"x-api-key": "hush"}
    assert "hush" not in asked.url + repr(asked)


def test_works_that_nobody_asked_for_say_nothing() -> None:
    assert said_by("openalex", openalex_list(openalex_work(9)), ARTICLE) == []
    assert said_by("crossref", crossref_list(crossref_work(9)), ARTICLE) == []
