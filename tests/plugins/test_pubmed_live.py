"""PubMed, read by itself: a search, then its articles page after page."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import FetchFailed
from paperround.http.model import FetchRequest
from paperround.papers.model import ParsedBatch
from paperround.plugins.pubmed.source import PubMed
from tests.feeds.arxiv_samples import NOW, page, state
from tests.feeds.cursors import stopped
from tests.plugins.pubmed_samples import EXPIRED, article, articles, found

SOURCE = PubMed()
QUERY = "asthma|wheeze AND review[pt]"
SEARCH = stopped(SOURCE, {"query": QUERY})


def listed(start: int, count: int) -> str:
    """The cursor of a page of what was found."""
    found = {"begun": NOW, "query_key": "1", "web_env": "MCID_1"}
    return stopped(SOURCE, {"query": QUERY}, start=start, count=count, **found)


def planned(cursor: str | None = None, query: str = QUERY, **named: str) -> FetchRequest:
    return SOURCE.plan(state(cursor, query=query, **named), NOW)


def parsed(body: bytes, cursor: str | None = None, status: int = 200) -> ParsedBatch:
    return SOURCE.parse(page(planned(cursor), body, status))


def asked(request: FetchRequest) -> dict[str, str]:
    return {key: value[0] for key, value in parse_qs(urlsplit(request.url).query).items()}


@pytest.mark.accept("F05", part="pubmed")
def test_a_poll_searches_and_fetches_what_was_found_page_after_page() -> None:
    answers = [found("450"), *(articles(article(str(n))) for n in (1, 2, 3))]
    cursor: str | None = None
    requests: list[FetchRequest] = []
    numbers: list[str] = []
    for body in answers:
        requests.append(planned(cursor, days="2"))
        batch = SOURCE.parse(page(requests[-1], body))
        numbers += [one.identifiers["pmid"] for one in batch.records]
        cursor = batch.next
    assert (cursor, numbers) == (None, ["1", "2", "3"])
    base = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
    scripts = [f"{base}/esearch.fcgi", *[f"{base}/efetch.fcgi"] * 3]
    assert [one.url.partition("?")[0] for one in requests] == scripts
    assert {(one.limiter, one.interval_seconds) for one in requests} == {("ncbi", 1.0)}
    assert asked(requests[0]) == {
        "db": "pubmed",
        "term": QUERY,
        "datetype": "edat",
        "mindate": "2026/01/26",
        "maxdate": "2026/01/28",
        "retmode": "json",
        "retmax": "0",
        "usehistory": "y",
        "tool": "paperround",
    }
    assert [asked(one)["retstart"] for one in requests[1:]] == ["0", "200", "400"]
    assert asked(requests[1]) == {
        "db": "pubmed",
        "query_key": "1",
        "WebEnv": "MCID_1",
        "retstart": "0",
        "retmax": "200",
        "retmode": "xml",
        "tool": "paperround",
    }


@pytest.mark.accept("F05", part="pubmed")
def test_a_search_without_a_find_is_an_empty_answer() -> None:
    assert parsed(found("0", querykey=None, webenv=None)) == ParsedBatch()


@pytest.mark.accept("F05", part="pubmed limits")
def test_what_lies_behind_the_first_ten_thousand_is_told_and_not_asked_for() -> None:
    batch = parsed(found("42249"))
    assert [one.reason for one in batch.rejects] == ["too-many-found"]
    assert "42,249 articles but returns at most 10,000" in batch.rejects[0].detail
    assert parsed(articles(article()), listed(9600, 42_249)).next == listed(9800, 42_249)
    assert parsed(articles(article()), listed(9800, 42_249)).next is None


def test_the_last_page_of_a_small_find_is_the_end() -> None:
    assert parsed(articles(article()), listed(0, 200)).next is None
    assert parsed(articles(article()), listed(0, 201)).next == listed(200, 201)


@pytest.mark.accept("F05", part="pubmed errors")
@pytest.mark.parametrize(
    ("count", "errors", "told"),
    [
        ("0", {"phrasesnotfound": ["abcXYZ"], "fieldsnotfound": []}, ["abcXYZ"]),
        ("9", {"phrasesnotfound": ["abcXYZ"], "fieldsnotfound": []}, []),
        ("9", {"phrasesnotfound": [], "fieldsnotfound": ["tiitle"]}, ["tiitle"]),
        ("9", {"fieldsnotfound": "tiitle"}, []),
        ("9", [], []),
    ],
)
def test_a_part_of_the_query_that_is_not_known_is_told(
    count: str, errors: object, told: list[str]
) -> None:
    batch = parsed(found(count, errorlist=errors))
    assert [one.reason for one in batch.rejects] == ["unknown-words"] * len(told)
    assert [one.detail.rpartition(": ")[2] for one in batch.rejects] == told


@pytest.mark.accept("F05", part="pubmed errors")
@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b'{"error": "API rate limit exceeded", "count": "4"}', 200, "API rate limit exceeded"),
        (b'{"esearchresult": {"ERROR": "Search Backend failed"}}', 200, "Search Backend failed"),
        (b'{"esearchresult": []}', 200, "not a response of PubMed's esearch"),
        (b"[]", 200, "not a response of PubMed's esearch"),
        (b"<html>busy</html>", 200, "not JSON, it begins with '<html>"),
        (b"", 200, "not JSON"),
        (found("many"), 200, "no count"),
        (found(3), 200, "no count"),
        (found(webenv=None), 200, "no webenv"),
        (found(webenv="a b|c"), 200, "no webenv"),
        (found(querykey="0"), 200, "no querykey"),
        (found("0"), 429, ""),
    ],
)
def test_a_failed_search_is_a_failure_and_no_empty_answer(
    body: bytes, status: int, said: str
) -> None:
    with pytest.raises(
        FetchFailed, match=rf"eutils\.ncbi\.nlm\.nih\.gov answered {status}.*{said}"
    ):
        parsed(body, status=status)


@pytest.mark.accept("F05", part="pubmed errors")
@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (EXPIRED, 200, "Unable to obtain query #1"),
        (articles(), 200, "no articles though it found 300"),
        (b"<html><title>Error</title></html>", 200, "'html' and no PubmedArticleSet"),
        (articles(article()), 502, "answered 502"),
    ],
)
def test_a_page_without_articles_is_a_failure(body: bytes, status: int, said: str) -> None:
    with pytest.raises(FetchFailed, match=said):
        parsed(body, listed(0, 300), status)


@pytest.mark.accept("F05", part="pubmed restarts")
def test_a_stopped_poll_goes_on_with_its_list_while_pubmed_keeps_it() -> None:
    cursor = listed(200, 450)
    kept = SOURCE.plan(state(cursor, query=QUERY), NOW + timedelta(hours=5))
    assert (kept.cursor, asked(kept)["retstart"]) == (cursor, "200")
    late = SOURCE.plan(state(cursor, query=QUERY), NOW + timedelta(hours=6))
    assert late.cursor == SEARCH
    much_later = SOURCE.plan(state(cursor, query=QUERY), NOW + timedelta(days=9))
    assert (much_later.cursor, asked(much_later)["maxdate"]) == (SEARCH, "2026/01/28")


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
KEYS = ("count", "querykey", "webenv", "errorlist", "ERROR")
ALMOST = st.dictionaries(st.sampled_from(KEYS), ANY_JSON | st.sampled_from(["7", "\ud800"]))


@pytest.mark.accept("F05", part="pubmed hostile")
@given(said=ALMOST.map(lambda fields: json.loads(found(**fields))) | ANY_JSON)
def test_whatever_a_search_answers_it_is_read_or_a_failure(said: Any) -> None:
    try:
        batch = parsed(json.dumps(said).encode())
    except FetchFailed as failure:
        str(failure).encode()
        return
    repr(batch.rejects).encode()
    if batch.next is not None:
        assert planned(batch.next).cursor == batch.next
