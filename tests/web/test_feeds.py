"""Feeds for readers, as an outside parser and the rules of each format see them."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import feedparser  # type: ignore[import-untyped]
import pytest
from lxml import etree  # type: ignore[import-untyped]

from paperround.db.schema.tables import metadata
from paperround.digests.publish import freeze_cuts
from paperround.editions.archive import quiet_reason_text
from paperround.editions.model import DeliveryState, Edition
from paperround.papers.model import Show
from paperround.papers.store.papers import PaperStore
from tests.builders import NOW, paper, write
from tests.web.active import Active
from tests.web.conftest import PUBLIC_URL, Site, sql
from tests.web.feeds import ENDINGS, RFC_822, fetched, own_feed
from tests.web.papers import XSS, keep

MEDIA = {
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
}
ATOM = {"a": "http://www.w3.org/2005/Atom"}
GRAMMAR = etree.RelaxNG(etree.parse(Path(__file__).with_name("atom.rng")))
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.mark.accept("F39", part="lists")
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_list_is_a_feed_of_its_papers_in_every_format(
    site: Site, edition: Edition, ending: str
) -> None:
    answer = site.client.get(f"/feeds/trending.{ending}")
    assert answer.headers["content-type"] == f"{MEDIA[ending]}; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=300"
    if ending == "json":
        titles = [one["title"] for one in answer.json()["items"]]
    else:
        read = feedparser.parse(answer.content)
        assert not read.bozo
        titles = [one.title for one in read.entries]
    assert titles == [one.title for one in edition.papers]


@pytest.mark.accept("F39", part="Atom")
def test_an_atom_feed_keeps_to_the_rules_of_its_format(site: Site, edition: Edition) -> None:
    root = etree.fromstring(fetched(site, "/feeds/trending.atom"))

    def texts(path: str) -> list[str]:
        found: list[str] = root.xpath(path, namespaces=ATOM)
        return found

    own = f"{PUBLIC_URL}/feeds/trending.atom"
    assert texts("/a:feed/a:id/text()") == [own]
    assert texts("/a:feed/a:link[@rel='self']/@href") == [own]
    assert texts("/a:feed/a:author/a:name/text()") == ["Paperround"]
    dates = texts("//a:updated/text() | //a:published/text()")
    assert dates
    assert all(RFC_3339.fullmatch(one) for one in dates)
    ids = texts("/a:feed/a:entry/a:id/text()")
    assert len(ids) == len(set(ids)) == len(edition.papers)
    assert all(one.startswith(f"{PUBLIC_URL}/papers/") for one in ids)
    for entry in root.findall("a:entry", ATOM):
        for name in ("id", "title", "updated", "content"):
            assert len(entry.findall(f"a:{name}", ATOM)) == 1
        assert len(entry.findall("a:link[@rel='alternate']", ATOM)) == 1
    assert set(texts("//a:content/@type")) == {"html"}


@pytest.mark.accept("F39", part="the grammar of Atom")
def test_every_atom_feed_fits_the_grammar_of_its_rfc(
    site: Site, edition: Edition, choices_token: str
) -> None:
    own = own_feed(site, site.client.get(f"/preferences/{choices_token}").text)
    author = quote(edition.papers[0].authors[0], safe="")
    found = quote("category:cs.LG OR model", safe="")
    paths = (
        *("/feeds/trending.atom", "/feeds/topics/nothing%20of%20that.atom", own),
        *(f"/feeds/authors/{author}.atom", f"/feeds/search/{found}.atom"),
    )
    for path in paths:
        require_atom(fetched(site, path))


def require_atom(content: bytes) -> None:
    """Fail, with the line and the rule, where a document is no Atom."""
    GRAMMAR.assertValid(etree.fromstring(content))


@pytest.mark.slow
@pytest.mark.accept("F39", part="RSS")
def test_an_rss_feed_keeps_to_the_rules_of_its_format(site: Site, edition: Edition) -> None:
    root = etree.fromstring(fetched(site, "/feeds/trending.rss"))
    channel = root.find("channel")
    assert root.get("version") == "2.0"
    assert all(channel.findtext(name) for name in ("title", "link", "description"))
    own = channel.find("a:link", ATOM)
    assert own.get("href") == f"{PUBLIC_URL}/feeds/trending.rss"
    assert own.get("rel") == "self"
    items = channel.findall("item")
    assert len(items) == len(edition.papers)
    for item in items:
        guid = item.find("guid")
        assert guid.get("isPermaLink") == "true"
        assert site.client.get(guid.text.removeprefix(PUBLIC_URL)).status_code == 200
        assert RFC_822.fullmatch(item.findtext("pubDate"))
        assert item.findtext("link").startswith(PUBLIC_URL)


@pytest.mark.accept("F39", part="JSON Feed")
def test_a_json_feed_keeps_to_the_rules_of_its_format(site: Site, edition: Edition) -> None:
    feed = json.loads(fetched(site, "/feeds/trending.json"))
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"] == f"{PUBLIC_URL}/feeds/trending.json"
    assert len(feed["items"]) == len(edition.papers)
    for item in feed["items"]:
        assert isinstance(item["id"], str)
        assert item["content_html"]
        assert item["url"].startswith(PUBLIC_URL)
        assert RFC_3339.fullmatch(item["date_published"])
        assert all(set(one) == {"name"} for one in item["authors"])


def test_a_paper_keeps_its_entry_when_it_stands_in_a_later_edition_too(
    site: Site, edition: Edition
) -> None:
    before = {one.id: one for one in _entries(site)}
    later = NOW + timedelta(hours=13)
    assert freeze_cuts(database=site.runtime.database, ranker=site.runtime.ranker, now=later)
    after = {one.id: one for one in _entries(site)}
    stayed = before.keys() & after.keys()  # the oldest made room for new ones
    assert stayed
    assert after.keys() - stayed
    for id_ in stayed:
        one, again = before[id_], after[id_]
        assert (again.updated, again.published) == (one.updated, one.published)
        assert (again.title, _body(again)) == (one.title, _body(one))


def _entries(site: Site) -> list[Any]:
    found: list[Any] = feedparser.parse(fetched(site, "/feeds/trending.atom")).entries
    return found


def test_an_empty_list_is_a_valid_feed_that_says_why_it_is_empty(site: Site) -> None:
    read = feedparser.parse(fetched(site, "/feeds/trending.atom"))
    assert not read.bozo
    assert read.entries == []
    assert "The first edition has not been made yet." in read.feed.subtitle


def about(site: Site, ending: str) -> tuple[str, int]:
    """What the feed of the list says of itself, and how many entries it has."""
    content = fetched(site, f"/feeds/trending.{ending}")
    if ending == "json":
        feed = json.loads(content)
        return feed["description"], len(feed["items"])
    read = feedparser.parse(content)
    return read.feed.subtitle, len(read.entries)


@pytest.mark.accept("F39", part="no news", mutant="an-old-feed-says-nothing")
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_list_whose_newest_edition_is_old_keeps_its_entries_and_says_since_when(
    site: Site, edition: Edition, ending: str
) -> None:
    fresh, held = about(site, ending)
    assert (fresh, held) == ("Trending papers, ranked and explained.", len(edition.papers))
    site.clock.move(days=1)
    assert about(site, ending) == (fresh, held)
    for days in (1, 200):
        site.clock.move(days=days)
        said, entries = about(site, ending)
        assert said == f"{fresh} No edition has been made since Monday 2 March 2026."
        assert entries == held


@pytest.mark.accept("F39", part="no news", mutant="an-old-feed-is-empty")
def test_a_list_without_papers_for_months_keeps_the_last_ones_and_says_why(
    site: Site, edition: Edition
) -> None:
    site.clock.move(days=100)
    now = site.clock.now()
    [empty] = freeze_cuts(database=site.runtime.database, ranker=site.runtime.ranker, now=now)
    assert empty.papers == ()
    said, entries = about(site, "atom")
    assert said == f"Trending papers, ranked and explained. {quiet_reason_text(empty)}"
    assert quiet_reason_text(empty)
    assert entries == len(edition.papers)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/feeds/nothing.atom", 404),
        ("/feeds/trending.xml", 404),
        ("/feeds/search/%22%22.atom", 422),
        ("/feeds/topics/%21.rss", 422),
        ("/feeds/me/forged.json", 404),
    ],
)
def test_an_error_never_looks_like_an_empty_feed(site: Site, path: str, status: int) -> None:
    answer = site.client.get(path)
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"
    assert not feedparser.parse(answer.content).version


def labels(site: Site, path: str) -> list[list[str]]:
    """What each entry of a feed says it is about."""
    content = fetched(site, path)
    if path.endswith(".json"):
        return [one.get("tags", []) for one in json.loads(content)["items"]]
    entries = feedparser.parse(content).entries
    return [[tag.term for tag in one.get("tags", [])] for one in entries]


@pytest.mark.accept("F39", part="categories and keywords", mutant="an-entry-has-no-keywords")
@pytest.mark.parametrize("ending", ENDINGS)
def test_an_entry_says_what_its_paper_is_about(
    site: Site, edition: Edition, choices_token: str, ending: str
) -> None:
    first = edition.papers[0]
    with site.runtime.database.writing() as work:
        known = work[PaperStore].load([first.paper_id])[first.paper_id]
        about = replace(known, categories=("cs.LG", "stat.ML"), keywords=("graphs", "cs.LG", " "))
        work[PaperStore].save([write(about)], now=NOW)
    own = own_feed(site, site.client.get(f"/preferences/{choices_token}").text)
    search = "/feeds/topics/" + quote(first.title, safe="")
    for path in ("/feeds/trending", search, own.removesuffix(".atom")):
        found = labels(site, f"{path}.{ending}")
        assert ["cs.LG", "stat.ML", "graphs"] in found
        assert all("" not in one for one in found)


@pytest.mark.accept("F39", part="topics, authors and searches")
def test_a_topic_an_author_and_a_search_are_feeds_of_the_newest_papers_that_fit(
    site: Site,
) -> None:
    keep(
        site,
        paper(1, title="Dense retrieval", authors=("Ada Ring",)),
        paper(2, title="Retrieval that is dense", authors=("Bo Stone",)),
        paper(3, title="Dense things", authors=("Ada Stone", "Bo Ring")),
    )

    def titles(path: str) -> list[str]:
        return [one.title for one in feedparser.parse(fetched(site, path)).entries]

    both = {"Dense retrieval", "Retrieval that is dense"}
    assert titles("/feeds/topics/dense%20retrieval.atom") == ["Dense retrieval"]
    assert titles("/feeds/authors/Ada%20Ring.rss") == ["Dense retrieval"]
    assert titles("/feeds/authors/Ring%2C%20Ada.rss") == ["Dense retrieval"]
    assert set(titles("/feeds/search/dense%20retrieval.atom")) == both
    assert len(titles("/feeds/search/retrieval%20OR%20things.atom")) == 3
    assert titles("/feeds/search/nothing%20of%20that.atom") == []


def test_a_search_feed_names_itself_whatever_is_looked_for(site: Site) -> None:
    keep(site, paper(1, title="C++ and/or 100% of it?"))
    text = 'title:"and/or" 100% c++?'
    path = f"/feeds/search/{quote(text, safe='')}.atom"
    read = feedparser.parse(fetched(site, path))
    assert [one.title for one in read.entries] == ["C++ and/or 100% of it?"]
    assert read.feed.id == PUBLIC_URL + path


@pytest.mark.accept("W7", part="feeds")
@pytest.mark.parametrize("ending", ENDINGS)
def test_no_text_of_a_paper_runs_or_breaks_a_feed(site: Site, ending: str) -> None:
    hostile = [*XSS, "]]>", "&amp;lt;script&gt;", "a\u0000\u0008\ufffe\U0001f4a9 b", "\u202eabc"]
    for number, text in enumerate(hostile, start=1):
        keep(
            site,
            paper(
                number,
                title=f"common {text}".replace("\0", ""),
                abstract=f"common {text}".replace("\0", ""),
                authors=(text.replace("\0", "") or "x",),
                links={"abstract": "javascript:alert(1)"},
            ),
        )
    content = fetched(site, f"/feeds/search/common.{ending}")
    if ending == "json":
        bodies = [one["content_html"] for one in json.loads(content)["items"]]
    else:
        read = feedparser.parse(content, sanitize_html=False)
        assert not read.bozo
        if ending == "atom":
            require_atom(content)
        bodies = [_body(one) for one in read.entries]
    assert len(bodies) == len(hostile)
    assert [Active.in_page(body) for body in bodies] == [[]] * len(hostile)
    assert not any("javascript:" in href for body in bodies for href in _hrefs(body))


def _body(entry: Any) -> str:
    return str(entry.content[0].value if "content" in entry else entry.summary)


def _hrefs(body: str) -> list[str]:
    return re.findall(r'href="([^"]*)"', body)


@pytest.mark.accept("F51", part="feeds")
def test_a_feed_shows_no_more_of_an_abstract_than_its_source_lets_us(site: Site) -> None:
    keep(site, paper(1, title="Hidden", abstract="Nobody may print this.", show=Show.LINK))
    assert b"Nobody may print" not in fetched(site, "/feeds/search/hidden.atom")


@pytest.mark.accept("F39", part="personal")
def test_a_reader_has_a_secret_feed_of_what_they_were_sent(
    site: Site, edition: Edition, choices_token: str
) -> None:
    path = own_feed(site, site.client.get(f"/preferences/{choices_token}").text)
    answer = site.client.get(path)
    read = feedparser.parse(answer.content)
    assert not read.bozo
    assert read.entries
    assert {one.title for one in read.entries} <= {one.title for one in edition.papers}
    assert answer.headers["cache-control"] == "private, max-age=300"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "alice" not in answer.text
    assert "Disallow: /feeds/me/" in site.client.get("/robots.txt").text


@pytest.mark.accept("F39", part="revoked")
def test_a_new_address_ends_the_old_one_at_once_and_no_other_link(
    site: Site, choices_token: str, digest_token: str
) -> None:
    first = own_feed(site, site.client.get(f"/preferences/{choices_token}").text)
    answer = site.client.post(f"/preferences/{choices_token}", data={"action": "new-feed"})
    assert "Your feed has a new address" in answer.text
    second = own_feed(site, answer.text)
    assert second != first
    assert site.client.get(first).status_code == 404
    assert site.client.get(second).status_code == 200
    assert site.client.get(f"/feedback/{digest_token}").status_code == 200


def test_no_other_link_opens_the_feed_and_it_opens_nothing_else(
    site: Site, choices_token: str, digest_token: str
) -> None:
    path = own_feed(site, site.client.get(f"/preferences/{choices_token}").text)
    token = path.removeprefix("/feeds/me/").removesuffix(".atom")
    for other in (choices_token, digest_token):
        assert site.client.get(f"/feeds/me/{other}.atom").status_code == 404
        assert own_page(site, other) == (other == choices_token)
    assert not own_page(site, token)
    site.client.post(f"/unsubscribe/{token}")
    assert site.client.get(path).status_code == 200


def own_page(site: Site, token: str) -> bool:
    """Whether a link opens somebody's choices."""
    return "Your feed" in site.client.get(f"/preferences/{token}").text


def test_the_feed_ends_when_its_reader_is_erased(site: Site, choices_token: str) -> None:
    path = own_feed(site, site.client.get(f"/preferences/{choices_token}").text)
    site.client.post(f"/preferences/{choices_token}", data={"action": "erase-now"})
    assert site.client.get(path).status_code == 404


def test_reading_a_feed_changes_nothing(site: Site, choices_token: str) -> None:
    path = own_feed(site, site.client.get(f"/preferences/{choices_token}").text)
    before = site.dump()
    for one in (path, "/feeds/trending.atom", "/feeds/search/dense.rss"):
        fetched(site, one)
    assert site.dump() == before


def test_a_digest_that_was_skipped_is_not_in_the_feed(site: Site, choices_token: str) -> None:
    path = own_feed(site, site.client.get(f"/preferences/{choices_token}").text)
    table = metadata.tables["deliveries"]
    with sql(site.runtime).begin() as connection:
        connection.execute(table.update().values(state=DeliveryState.SKIPPED.value))
    read = feedparser.parse(fetched(site, path))
    assert read.entries == []
    assert "has not been made yet" in read.feed.subtitle


def test_a_digest_is_in_the_feed_from_the_hour_it_is_due(site: Site, choices_token: str) -> None:
    path = own_feed(site, site.client.get(f"/preferences/{choices_token}").text)
    later = site.clock.now() + timedelta(hours=1)
    with sql(site.runtime).begin() as connection:
        connection.execute(metadata.tables["deliveries"].update().values(due_at=later))
    assert feedparser.parse(fetched(site, path)).entries == []
    site.clock.move(hours=1)
    assert feedparser.parse(fetched(site, path)).entries


@pytest.mark.parametrize(
    ("page", "feed"),
    [
        ("/", "/feeds/trending.atom"),
        ("/editions", "/feeds/trending.rss"),
        ("/editions/trending/2026-03-02", "/feeds/trending.json"),
        ("/search?q=a/b", "/feeds/search/a%2Fb.atom"),
    ],
)
def test_a_page_names_its_feed_for_readers_to_find(
    site: Site, edition: Edition, page: str, feed: str
) -> None:
    text = site.client.get(page).text
    assert re.search(rf'<link rel="alternate"[^>]* href="{re.escape(feed)}">', text)


def test_a_page_that_is_one_persons_names_no_feed_to_find(site: Site, choices_token: str) -> None:
    text = site.client.get(f"/preferences/{choices_token}").text
    assert 'rel="alternate"' not in text
