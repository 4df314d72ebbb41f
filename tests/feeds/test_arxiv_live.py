"""arXiv, read by itself: announcements by category, or the query API page by page."""

from urllib.parse import parse_qs, urlsplit

import pytest

from paperround.core.errors import FetchFailed
from paperround.feeds.model import FeedState, PollProgress
from paperround.feeds.sources.arxiv import Arxiv
from paperround.http.model import FetchRequest
from paperround.papers.model import ParsedBatch
from tests.feeds.arxiv_samples import NOW, answer, entry, item, page, rss, state
from tests.feeds.cursors import stopped

SOURCE = Arxiv()
API = {"categories": "cs.AI,hep-th", "via": "api"}


def parsed(body: bytes, cursor: str | None = None, **settings: str) -> ParsedBatch:
    request = SOURCE.plan(state(cursor, **settings), NOW)
    return SOURCE.parse(page(request, body))


@pytest.mark.accept("F03", part="rss")
def test_each_category_is_asked_for_once_and_slowly() -> None:
    cursor: str | None = None
    requests: list[FetchRequest] = []
    while not requests or cursor:
        requests.append(SOURCE.plan(state(cursor, categories="cs.AI, hep-th,cs.AI"), NOW))
        cursor = SOURCE.parse(page(requests[-1], rss(item()))).next
    base = "https://rss.arxiv.org/atom"
    assert [one.url for one in requests] == [f"{base}/cs.AI", f"{base}/hep-th"]
    assert {(one.limiter, one.interval_seconds) for one in requests} == {("arxiv", 3.0)}


@pytest.mark.accept("F03", part="announce types")
def test_only_what_is_new_is_read_unless_asked_otherwise() -> None:
    feed = rss(item(), item("2601.00002v2", announced="replace"))
    assert len(parsed(feed, categories="cs.AI").records) == 1
    both = parsed(feed, categories="cs.AI", include="new,replace").records
    assert [record.listed_on is None for record in both] == [False, True]


@pytest.mark.accept("I12", part="arxiv validators")
def test_an_unchanged_category_leads_to_the_next() -> None:
    known = PollProgress(
        validators={"http://127.0.0.1:9/cs.AI": {"etag": '"x"', "last-modified": "Mon"}}
    )
    feed = FeedState(
        url="http://127.0.0.1:9/", settings={"categories": "cs.AI,cs.LG"}, progress=known
    )
    request = SOURCE.plan(feed, NOW)
    assert request.headers == {"If-None-Match": '"x"', "If-Modified-Since": "Mon"}
    following = SOURCE.parse(page(request, status=304))
    assert following.records == ()
    assert following.next == stopped(SOURCE, {"categories": "cs.AI,cs.LG"}, index=1)


@pytest.mark.accept("F08", part="outage")
def test_the_api_is_always_asked_in_full_for_an_unchanged_page_hides_those_behind_it() -> None:
    url = SOURCE.plan(state(**API), NOW).url
    known = PollProgress(validators={url: {"etag": '"x"'}})
    request = SOURCE.plan(FeedState(url=None, settings=API, progress=known), NOW)
    assert (request.url, request.headers) == (url, {})


@pytest.mark.accept("F03", part="api")
def test_the_api_is_asked_for_the_newest_of_a_category() -> None:
    request = SOURCE.plan(state(url="http://127.0.0.1:9/api/query", **API), NOW)
    assert urlsplit(request.url).path == "/api/query"
    assert parse_qs(urlsplit(request.url).query) == {
        "search_query": ["cat:cs.AI"],
        "sortBy": ["submittedDate"],
        "sortOrder": ["descending"],
        "start": ["0"],
        "max_results": ["100"],
    }
    assert (request.limiter, request.interval_seconds) == ("arxiv", 3.0)


@pytest.mark.parametrize(
    "archive",
    "astro-ph cond-mat cs econ eess math nlin physics q-bio q-fin stat".split(),
)
def test_a_whole_archive_is_asked_for_with_all_its_subjects(archive: str) -> None:
    url = SOURCE.plan(state(categories=archive, via="api"), NOW).url
    assert f"search_query=cat:{archive}.*&" in url


@pytest.mark.accept("F03", part="api")
def test_pages_follow_until_papers_are_older_than_asked_for() -> None:
    new = parsed(answer(*(entry(f"2601.{n:05}v1") for n in range(3)), total=500), **API)
    assert (len(new.records), new.next) == (3, stopped(SOURCE, API, start=3))
    old = entry("2601.00009v1", published="2026-01-24T23:59:59Z")
    last = parsed(answer(entry(), old, total=500, start=3), new.next, **API)
    assert len(last.records) == 1
    assert last.next == stopped(SOURCE, API, index=1)
    assert parsed(answer(entry(), total=1), last.next, **API).next is None


@pytest.mark.accept("F03", part="errors")
def test_a_category_without_any_paper_is_a_failure() -> None:
    with pytest.raises(FetchFailed, match=r"no paper of cs\.AI"):
        parsed(answer(total=0), **API)


def test_an_error_in_a_feed_is_a_failure_with_its_host() -> None:
    feed = rss().replace(b"cs.AI updates", b"Feed error for query ")
    with pytest.raises(FetchFailed, match=r"rss\.arxiv\.org answered 200: arXiv returned an error"):
        parsed(feed, categories="cs.AI")
