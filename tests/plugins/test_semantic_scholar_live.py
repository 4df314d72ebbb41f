"""Semantic Scholar's bulk search, read by itself."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import FetchFailed, InvalidInput, Misconfigured
from paperround.feeds.sources.registry import Sources
from paperround.http.model import FetchRequest
from paperround.papers.model import ParsedBatch
from paperround.plugins.semantic_scholar import SemanticScholar
from tests.feeds.arxiv_samples import NOW, page, state
from tests.feeds.cursors import stopped
from tests.plugins.cassettes import recorded
from tests.plugins.semantic_scholar_samples import bulk, paper

SOURCE = SemanticScholar()
QUERY = 'asthma | "wheezing children"'


def planned(cursor: str | None = None, query: str = QUERY, **named: str) -> FetchRequest:
    return SOURCE.plan(state(cursor, query=query, **named), NOW)


def at(number: int, token: str) -> str:
    return stopped(SOURCE, {"query": QUERY}, page=number, mark=token)


def parsed(body: bytes, cursor: str | None = None, status: int = 200) -> ParsedBatch:
    return SOURCE.parse(page(planned(cursor), body, status))


def asked(request: FetchRequest) -> dict[str, str]:
    return {key: value[0] for key, value in parse_qs(urlsplit(request.url).query).items()}


@pytest.mark.accept("F05", part="semantic-scholar")
def test_a_poll_asks_for_page_after_page_with_the_token_of_the_last() -> None:
    answers = [
        bulk(paper(1), paper(2), total=3, token="A+b/="),
        bulk(paper(3), total=3),
    ]
    cursor: str | None = None
    requests: list[FetchRequest] = []
    titles: list[str] = []
    for body in answers:
        requests.append(planned(cursor, fields="biology, Computer Science", days="2"))
        batch = SOURCE.parse(page(requests[-1], body))
        titles += [one.title for one in batch.records]
        cursor = batch.next
    assert (cursor, titles) == (None, ["Study 1", "Study 2", "Study 3"])
    first, second = map(asked, requests)
    assert first.pop("fields").startswith("externalIds,title,abstract,authors,publicationDate")
    assert first == {
        "query": QUERY,
        "sort": "publicationDate:desc",
        "publicationDateOrYear": "2026-01-26:",
        "fieldsOfStudy": "Biology,Computer Science",
    }
    assert second.pop("token") == "A+b/="
    assert {"fields", *first} == second.keys()
    base = "https://api.semanticscholar.org/graph/v1/paper/search/bulk"
    assert {one.url.partition("?")[0] for one in requests} == {base}
    budgets = {(one.limiter, one.interval_seconds) for one in requests}
    assert budgets == {("semantic-scholar", 3.0)}


@pytest.mark.accept("F05", part="semantic-scholar")
def test_nothing_found_is_an_empty_answer() -> None:
    assert parsed(bulk()) == ParsedBatch()
    assert parsed(b'{"total": 0, "offset": 0}') == ParsedBatch()


def test_a_page_without_papers_is_the_end_of_a_list_but_never_its_beginning() -> None:
    assert parsed(bulk(total=9, token="t"), at(3, "u")).next is None
    with pytest.raises(FetchFailed, match="no works though it announced 9"):
        parsed(bulk(total=9))
    with pytest.raises(FetchFailed, match="no works after 3,000 though it announced 5,000"):
        parsed(bulk(total=5000, token="t"), at(3, "u"))


@pytest.mark.parametrize("token", [7, "x" * 4001, "a b"])
def test_a_token_that_cannot_be_asked_for_is_a_failure(token: object) -> None:
    with pytest.raises(FetchFailed, match=r"no works after 1|gives no usable link"):
        parsed(bulk(paper(), total=2, token=token))


def test_of_more_papers_than_are_read_the_newest_are_kept_and_the_rest_is_told() -> None:
    last = at(99, "old")
    batch = parsed(bulk(paper(), total=123_456, token="new"), last)
    assert (len(batch.records), batch.next) == (1, None)
    assert [one.reason for one in batch.rejects] == ["too-many-found"]
    assert "has more than 100,000 works" in batch.rejects[0].detail


@pytest.mark.accept("F05", part="semantic-scholar errors")
@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b'{"error": "Bad query parameters"}', 400, ""),
        (b'{"error": "Bad query parameters"}', 200, "'Bad query parameters'"),
        (b'{"message": "Too Many Requests", "code": "429"}', 429, ""),
        (b"<html>busy</html>", 200, "not JSON"),
        (b"[]", 200, "not a response of Semantic Scholar's search"),
        (b'{"recommendedPapers": []}', 200, "not a response of Semantic Scholar's search"),
        (bulk(total="many"), 200, "it has no total"),
        (bulk(total=-1), 200, "it has no total"),
        (b"", 304, ""),
    ],
)
def test_an_answer_without_papers_is_a_failure_and_no_empty_day(
    body: bytes, status: int, said: str
) -> None:
    with pytest.raises(
        FetchFailed, match=rf"api\.semanticscholar\.org answered {status}.*{said}"
    ) as caught:
        parsed(body, status=status)
    assert caught.value.status == status


@pytest.mark.accept("F05", part="semantic-scholar restarts")
def test_a_stopped_poll_keeps_its_day_and_goes_on_with_its_token() -> None:
    settings = {"query": QUERY, "fields": "Biology"}
    cursor = stopped(SOURCE, settings, page=3, mark="tok")
    feed = state(cursor, **settings)
    request = SOURCE.plan(feed, NOW + timedelta(days=2))
    assert (request.cursor, asked(request)["token"]) == (cursor, "tok")


@pytest.mark.accept("F05", part="semantic-scholar key")
def test_a_key_goes_to_the_service_itself_and_to_no_other_address() -> None:
    keyed = Sources({"semantic-scholar": "k3y"})["semantic-scholar"]
    request = keyed.plan(state(query=QUERY), NOW)
    assert (dict(request.headers), request.interval_seconds) == ({"x-api-key": "k3y"}, 1.0)
    assert "k3y" not in f"{request!r} {keyed!r}"
    elsewhere = replace(state(query=QUERY), url="https://mirror.example.org/bulk")
    request = keyed.plan(elsewhere, NOW)
    assert (request.url.partition("?")[0], dict(request.headers)) == (elsewhere.url, {})
    assert planned().headers == {}


@pytest.mark.parametrize("key", ["two words", "k3y\nHost: x", "schlüssel"])
def test_what_can_be_no_key_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(Misconfigured, match="PAPERROUND_SEMANTIC_SCHOLAR_KEY") as caught:
        SemanticScholar(key=key)
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({}, "settings.query", "needs a query"),
        ({"query": " "}, "settings.query", "needs a query"),
        ({"query": "a\nb"}, "settings.query", "on one line"),
        ({"query": "x" * 501}, "settings.query", "1 to 500"),
        ({"query": "x", "fields": "Biologie"}, "settings.fields", "did you mean 'Biology'"),
        ({"query": "x", "fields": "cs.AI"}, "settings.fields", "it knows Agricultural"),
        ({"query": "x", "days": "31"}, "settings.days", "0 to 30"),
        ({"query": "x", "key": "secret"}, "settings.key", "no setting 'key'"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, str], code: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        SOURCE.check(None, settings)
    assert caught.value.code == code


@pytest.mark.accept("F05", part="semantic-scholar")
def test_a_recorded_page_of_the_bulk_search_leads_to_the_next(real_data: Path) -> None:
    folder = real_data / "raw_responses" / "semantic_scholar"
    (answer,) = recorded(folder / "test_search_paper_bulk_retrieval.yaml")
    batch = parsed(answer.body, status=answer.status)
    assert (len(batch.records), len(batch.rejects)) == (1000, 0)
    assert batch.next is not None
    token = asked(planned(batch.next))["token"]
    assert (len(token), token[:10]) == (125, "PCOKWVSKJJ")


@pytest.mark.accept("F05", part="semantic-scholar hostile")
@given(
    total=st.integers() | st.text(max_size=5) | st.none() | st.floats(),
    token=st.text(max_size=9) | st.integers() | st.none() | st.lists(st.text(max_size=3)),
    count=st.integers(0, 3),
)
def test_no_token_leads_astray(total: Any, token: Any, count: int) -> None:
    body = bulk(*map(paper, range(count)), total=total if total is not None else [], token=token)
    try:
        batch = parsed(body)
    except FetchFailed:
        return
    if batch.next is not None:
        assert planned(batch.next).cursor == batch.next
        assert asked(planned(batch.next))["token"] == token
