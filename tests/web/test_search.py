"""The search page, and the search of programs."""

import re

import pytest

from paperround.config import Settings
from paperround.web.templates import static_url
from tests.builders import paper
from tests.web.active import Active
from tests.web.conftest import Site, running
from tests.web.papers import XSS, keep

API = "/api/v1/search"


@pytest.mark.accept("F16", part="page")
def test_the_page_is_a_form_and_says_what_can_be_found(site: Site) -> None:
    page = site.client.get("/search")
    assert page.status_code == 200
    assert '<form method="get" action="/search" role="search">' in page.text
    assert '<label for="q"' in page.text
    assert "Search all papers in our database" in page.text
    assert re.findall("<script[^>]*>", page.text) == [
        f'<script src="{static_url("keys.js")}" defer>'
    ]


@pytest.mark.accept("F16", part="page")
def test_hits_lead_to_their_pages_with_the_words_marked(site: Site) -> None:
    keep(site, paper(1, title="Dense retrieval"), paper(2, title="Other things"))
    page = site.client.get("/search?q=retrieving").text
    assert "<h2>1 paper</h2>" in page
    assert '<a href="/papers/2603.00001">Dense <mark>retrieval</mark></a>' in page
    assert "Ada Ring and Bo Stone" in page
    assert 'value="retrieving"' in page


def test_a_search_that_finds_nothing_says_so_and_offers_what_may_have_been_meant(
    site: Site,
) -> None:
    keep(site, paper(1, title="Dense retrieval"))
    page = site.client.get("/search?q=retreival+%26+x").text
    assert "No papers found." in page
    assert 'Did you mean <a href="/search?q=retrieval%20%26%20x">retrieval &amp; x</a>?' in page
    assert (
        "match your search with these filters"
        in site.client.get("/search?q=dense+category:zz").text
    )
    assert '<a href="/search?q=dense">Search all papers</a>' in (
        site.client.get("/search?q=dense+category:zz+after:2026-01-01").text
    )
    assert "Remove a + or a -" in site.client.get("/search?q=%2Bdense+%2Bstars").text
    assert "This search has no words" in site.client.get("/search?q=-dense").text


def test_more_than_a_page_is_reached_by_links(site: Site) -> None:
    keep(site, *(paper(number) for number in range(1, 46)))
    first = site.client.get("/search?q=%22study+of%22").text
    assert "<h2>45 papers</h2>" in first
    following = re.search(r'<a href="([^"]+)" rel="next">', first)
    assert following is not None
    second = site.client.get(following[1].replace("&amp;", "&")).text
    assert "45 papers, page 2" in second
    assert 'rel="prev"' in second
    shown = [set(re.findall(r'<a href="(/papers/[^"]+)"><?', page)) for page in (first, second)]
    assert [len(one) for one in shown] == [20, 20]
    assert not shown[0] & shown[1]
    last = site.client.get("/search?q=%22study+of%22&page=3").text
    assert 'rel="next"' not in last
    assert "No more papers." in site.client.get("/search?q=study&page=4").text


@pytest.mark.parametrize("page", ["", "0", "-1", "x", "²", "9" * 30, "99999"])
def test_any_page_number_is_answered(site: Site, page: str) -> None:
    keep(site, paper())
    assert site.client.get("/search", params={"q": "things", "page": page}).status_code == 200


@pytest.mark.parametrize("asked", ["{} things", "things"])
@pytest.mark.parametrize("text", XSS)
def test_what_was_typed_and_what_papers_say_is_only_text(site: Site, text: str, asked: str) -> None:
    keep(site, paper(title=f"{text} things", abstract=f"{text} things", authors=(text,)))
    page = site.client.get("/search", params={"q": asked.replace("{}", text)})
    assert page.status_code == 200
    assert "<h2>1 paper</h2>" in page.text
    assert Active.in_page(page.text) == []
    assert str(71 * 8111) not in page.text


def test_a_text_without_end_is_cut(site: Site) -> None:
    page = site.client.get("/search", params={"q": "a" * 5000}).text
    assert "a" * 2000 in page
    assert "a" * 2001 not in page
    assert site.client.get(API, params={"q": "a" * 5000}).status_code == 422


@pytest.mark.accept("F16", part="api")
def test_programs_get_papers_with_marks_a_page_at_a_time(site: Site) -> None:
    keep(site, *(paper(number) for number in range(1, 6)))
    first = site.client.get(API, params={"q": "counting", "limit": 2}).json()
    assert (first["total"], first["suggestion"], len(first["items"])) == (5, None, 2)
    one = first["items"][0]
    assert [one["excerpt"][start:end] for start, end in one["marks"]] == ["count"]
    assert set(one["identifiers"]) == {"arxiv"}
    assert one["links"]["abstract"].startswith("https://papers.example/")
    pages = [first]
    for _ in range(2):
        cursor = pages[-1]["next_cursor"]
        answer = site.client.get(API, params={"q": "counting", "limit": 2, "cursor": cursor})
        pages.append(answer.json())
    assert pages[-1]["next_cursor"] is None
    seen = [it["id"] for page in pages for it in page["items"]]
    assert sorted(seen) == [1, 2, 3, 4, 5]


def test_programs_name_filters_beside_the_words(site: Site) -> None:
    keep(site, paper(1), paper(2, categories=("math.CO",)))

    def ids(**filters: str) -> list[int]:
        answer = site.client.get(API, params={"q": "things", **filters})
        assert answer.status_code == 200
        return [one["id"] for one in answer.json()["items"]]

    assert ids(category="math") == [2]
    assert sorted(ids(after="2026-03-02")) == [1, 2]
    assert ids(before="2026-03-02") == ids(feed="none") == []
    assert site.client.get(API, params={"q": "x", "after": "soon"}).status_code == 422
    assert site.client.get(API, params={"q": "x", "cursor": "bm9wZQ"}).status_code == 422


@pytest.mark.accept("F16", part="similar papers")
def test_a_paper_page_leads_to_similar_papers(site: Site) -> None:
    words = "Leaves of plants grow towards light, and chlorophyll moves."
    keep(
        site, *(paper(number, title=f"Leaves <{number}>", abstract=words) for number in range(1, 4))
    )
    page = site.client.get("/papers/2603.00001").text
    assert '<a href="/papers/2603.00002" dir="auto">Leaves &lt;2&gt;</a>' in page
    assert '<a href="/papers/2603.00001" dir="auto">' not in page


@pytest.mark.accept("F16", part="limits")
def test_who_searches_without_end_is_told_to_wait(settings: Settings) -> None:
    tight = settings.model_copy(update={"rate_search_ip": "10/m"})
    with running(tight) as site:
        assert site.client.get("/search?q=things").status_code == 200
        assert site.client.get(f"{API}?q=things").status_code == 200
        page, answer = site.client.get("/search?q=things"), site.client.get(f"{API}?q=things")
        assert (page.status_code, answer.status_code) == (429, 429)
        assert page.headers["retry-after"] == answer.headers["retry-after"] == "60"
        assert page.headers["content-type"].startswith("text/html")
        assert "wait a moment" in page.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 429
        assert site.client.get("/editions").status_code == 200, "only searches are counted"
        site.clock.move(minutes=1)
        assert site.client.get("/search?q=things").status_code == 200


@pytest.mark.parametrize("written", ["5", "8.2e-102", "1772438400", "2026-1-2", "2026-01-02T00:00"])
def test_a_number_is_no_date(site: Site, written: str) -> None:
    answer = site.client.get("/api/v1/search", params={"q": "x", "after": written})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "after", "message": "Enter a date like 2026-01-30."}
    ]
