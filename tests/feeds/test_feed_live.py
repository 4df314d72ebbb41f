"""Any RSS, Atom or JSON Feed at an address."""

import json
import re
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import FetchFailed, InvalidInput, UnreadableFile
from paperround.feeds.formats.arxiv import read_arxiv_feed
from paperround.feeds.formats.feed_items import read_feed
from paperround.feeds.sources.registry import SOURCES
from paperround.papers.model import ParsedBatch, Record, Show
from tests.feeds.arxiv_samples import NOW, item, page, rss, state

SOURCE = SOURCES["feed"]
URL = "https://journal.example/rss?type=current"
ITEM = """<item><title>Tides &amp;amp; &lt;i&gt;moons&lt;/i&gt;</title>
<link>/a/1?utm_source=rss#top</link><description>&lt;p&gt;We tide.&lt;/p&gt;</description>
<dc:creator>Ada Lovelace, Alan Turing</dc:creator><category>Moons</category>
<pubDate>Wed, 28 Jan 2026 06:00:00 GMT</pubDate>MORE</item>"""
RSS = f'<rss version="2.0" xmlns:dc="d" xmlns:prism="p"><channel>{ITEM}</channel></rss>'
RDF = f'<r:RDF xmlns:r="r" xmlns:dc="d" xmlns:prism="p"><channel/>{ITEM}</r:RDF>'
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://else.example/x/"><entry>
<title>Tides</title><id>urn:1</id><link rel="self" href="no"/><link href="a"/>
<author><name>Lovelace, Ada</name></author><summary>We tide.</summary>
<updated>2026-01-28T06:00:00Z</updated></entry></feed>"""
JSON = {
    "version": "https://jsonfeed.org/version/1.1",
    "items": [
        {
            "id": "7",
            "title": "Tides",
            "url": "/a/7",
            "content_html": "<p>We tide.</p>",
            "authors": [{"name": "Ada Lovelace"}],
            "tags": ["Moons"],
            "date_published": "2026-01-28T06:00:00Z",
        }
    ],
}
SIX = datetime(2026, 1, 28, 6, tzinfo=UTC)


# file: (records, rejects)
def parsed(body: bytes, status: int = 200) -> ParsedBatch:
    return SOURCE.parse(page(SOURCE.plan(state(url=URL), NOW), body, status))


def only(body: str) -> Record:
    batch = parsed(body.replace("MORE", "").encode())
    assert batch.rejects == ()
    return batch.records[0]


def named(more: str) -> dict[str, str]:
    return dict(only(RSS.replace("MORE", more)).identifiers)


@pytest.mark.accept("F06", part="live feeds")
@pytest.mark.parametrize("body", [RSS, RDF])
def test_an_item_of_rss_is_read_with_all_it_says(body: str) -> None:
    record = only(body)
    assert (record.title, record.abstract) == ("Tides & moons", "We tide.")
    assert record.authors == ("Ada Lovelace", "Alan Turing")
    assert record.keywords == ("Moons",)
    assert record.published_at == SIX
    assert record.identifiers == {"url": "https://journal.example/a/1"}
    assert record.links == {"abstract": "https://journal.example/a/1?utm_source=rss#top"}


@pytest.mark.accept("F06", part="live feeds")
def test_an_entry_of_atom_is_read_with_all_it_says() -> None:
    record = only(ATOM)
    assert record.identifiers == {"url": "https://else.example/x/a"}
    assert record.authors == ("Lovelace, Ada",)
    assert (record.published_at, record.updated_at) == (None, SIX)


@pytest.mark.accept("F06", part="live feeds")
def test_an_item_of_a_json_feed_is_read_with_all_it_says() -> None:
    record = only(json.dumps(JSON))
    assert (record.title, record.abstract) == ("Tides", "We tide.")
    assert record.identifiers == {"url": "https://journal.example/a/7"}
    assert (record.authors, record.keywords) == (("Ada Lovelace",), ("Moons",))
    assert record.published_at == SIX


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("<prism:doi>10.1000/AbC</prism:doi>", {"doi": "10.1000/abc"}),
        ("<dc:identifier>doi:10.1000/x</dc:identifier>", {"doi": "10.1000/x"}),
        ("<guid>https://doi.org/10.1000/x</guid>", {"doi": "10.1000/x"}),
        ("<guid>https://p.example/doi/full/10.1000/x?af=R</guid>", {"doi": "10.1000/x"}),
        ("<guid>oai:arXiv.org:2601.00001v2</guid>", {"arxiv": "2601.00001"}),
        ("<guid>https://huggingface.co/papers/2601.00001</guid>", {"arxiv": "2601.00001"}),
        ("<prism:doi>10.48550/arXiv.2601.00001</prism:doi>", {"arxiv": "2601.00001"}),
        (
            "<guid>https://www.biorxiv.org/content/10.1101/2026.01.02.000001v1?rss=1</guid>",
            {"biorxiv": "10.1101/2026.01.02.000001"},
        ),
        ("<dc:identifier>pmid:35000000</dc:identifier>", {"pmid": "35000000"}),
        ("<guid>pubmed:35000000</guid>", {"pmid": "35000000"}),
        (
            (
                "<dc:identifier>pmid:35000000</dc:identifier><dc:identifier>doi:10.1000/x"
                "</dc:identifier>"
            ),
            {"pmid": "35000000", "doi": "10.1000/x"},
        ),
        ("<dc:identifier>pmid:0</dc:identifier>", {"url": "https://journal.example/a/1"}),
        ("<guid>2601.00001</guid>", {"url": "https://journal.example/a/1"}),
        ("<dc:identifier>1234-5678</dc:identifier>", {"url": "https://journal.example/a/1"}),
    ],
)
def test_a_paper_is_named_by_its_doi_or_arxiv_id(more: str, expected: dict[str, str]) -> None:
    assert named(more) == expected


@pytest.mark.parametrize(
    ("says", "is_link"),
    [("", True), (' isPermaLink="true"', True), (' isPermaLink="false"', False)],
)
def test_without_a_link_an_address_in_the_guid_is_the_link_unless_it_says_no(
    says: str, is_link: bool
) -> None:
    guid = "https://journal.example/a/2"
    body = re.sub("<link>.*</link>", "", RSS).replace("MORE", f"<guid{says}>{guid}</guid>")
    record = only(body)
    assert record.links == ({"abstract": guid} if is_link else {})


def test_a_paper_of_arxiv_has_the_name_arxiv_gives_it() -> None:
    (announced,) = read_arxiv_feed(rss(item("2601.00001v1"))).records
    more = "<guid>https://arxiv.org/abs/2601.00001v3</guid><prism:doi>10.1000/x</prism:doi>"
    assert named(more) == {**announced.identifiers, "doi": "10.1000/x"}


@pytest.mark.accept("I9", part="one item at every poll")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "https://pubmed.ncbi.nlm.nih.gov/35000000/?utm_source=Other&amp;ff=20260127&amp;v=2.1",
            "https://pubmed.ncbi.nlm.nih.gov/35000000/?utm_source=Other&amp;ff=20260128&amp;v=2.2",
        ),
        (
            "https://www.sciencedirect.com/science/article/pii/S1?dgcid=rss_sd_all",
            "https://www.sciencedirect.com/science/article/pii/S1",
        ),
    ],
)
def test_when_and_how_a_feed_was_read_names_no_other_paper(first: str, second: str) -> None:
    link = "/a/1?utm_source=rss#top"
    one, other = (only(RSS.replace(link, address)) for address in (first, second))
    assert one.identifiers == other.identifiers


def test_an_identifier_nobody_can_print_is_none() -> None:
    more = "<guid>https://p.example/doi/10.1000/%00</guid>"
    assert named(more) == {"url": "https://journal.example/a/1"}


def test_an_item_without_an_address_is_named_by_its_guid() -> None:
    body = "<rss><channel><item><title>A</title><guid>x1</guid></item></channel></rss>"
    assert only(body).identifiers == {"local": "journal.example:x1"}


@pytest.mark.accept("F06", part="foreign elements")
def test_what_is_said_of_a_picture_is_not_said_of_the_paper() -> None:
    media = (
        '<rss xmlns:media="http://search.yahoo.com/mrss/" xmlns:dc="d"><channel><item>'
        "<media:title>A moon</media:title><media:description>Seen from afar.</media:description>"
        "<dc:title>Tides, again</dc:title><title>Tides</title>ABSTRACT</item></channel></rss>"
    )
    described = only(media.replace("ABSTRACT", "<description>We tide.</description>"))
    assert (described.title, described.abstract) == ("Tides", "We tide.")
    assert only(media.replace("ABSTRACT", "")).abstract == ""
    atom = ATOM.replace(
        "<title>", '<m:title xmlns:m="http://search.yahoo.com/mrss">A</m:title><title>'
    )
    assert only(atom).title == "Tides"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("ABSTRACT We tide.", "We tide."),
        ("Abstract: We tide.", "We tide."),
        ("Abstract art is old.", "Abstract art is old."),
        ("Publication date: May 2026, Source: Tides, Author(s): A. Lovelace", ""),
        (
            (
                "<p>Publication date: Available online 3 May 2026</p><p><b>Source:</b> Tides</p>"
                "<p>Author(s): A. Lovelace, B. Moon</p>"
            ),
            "",
        ),
        ("<p>Publication date: June 2026</p><p><b>Source:</b> Tides, Volume 15</p>", ""),
        (
            "Publication date: when it matters for tides.",
            "Publication date: when it matters for tides.",
        ),
        ("<img/><div><cite>Tides &amp; Moons</cite></div><div>DOI: 10.1000/x.1</div>", ""),
        ("We tide. DOI: 10.1000/x.1", "We tide. DOI: 10.1000/x.1"),
        (
            'of <inline-formula><tex-math notation="LaTeX">$k$</tex-math></inline-formula> tides',
            "of $k$ tides",
        ),
        ("in H<inf>2</inf>O of <cite>Moons</cite>", "in H₂O of Moons"),
        ("a < b and c > d", "a < b and c > d"),
        ("<script>evil()</script>We tide.", "We tide."),
    ],
)
def test_only_what_is_surely_no_abstract_is_taken_out(said: str, read: str) -> None:
    feed = {**JSON, "items": [{"title": "A", "content_text": said}]}
    assert only(json.dumps(feed)).abstract == read


def test_a_date_that_cannot_be_read_loses_no_paper() -> None:
    record = only(RSS.replace("Wed, 28 Jan 2026 06:00:00 GMT", "soon"))
    assert record.published_at is None


@pytest.mark.accept("F06", part="listing")
@pytest.mark.parametrize(
    ("body", "listed"),
    [
        (RSS, SIX),
        (ATOM, SIX),
        (json.dumps(JSON), SIX),
        (
            RSS.replace("Wed, 28 Jan 2026 06:00:00 GMT", "Tue, 27 Jan 2026 23:00:00 -0500"),
            datetime(2026, 1, 28, 4, tzinfo=UTC),
        ),
        (
            ATOM.replace("<updated>", "<published>2024-01-28</published><updated>"),
            datetime(2024, 1, 28, tzinfo=UTC),
        ),
    ],
)
def test_an_item_is_listed_when_it_was_published(body: str, listed: datetime) -> None:
    record = only(body)
    assert (record.listed_on, record.listed_at) == (listed.date(), listed)


def test_an_item_without_a_date_or_with_only_that_of_its_issue_lists_nothing() -> None:
    undated = RSS.replace("<pubDate>Wed, 28 Jan 2026 06:00:00 GMT</pubDate>", "MORE")
    assert only(undated).listed_on is None
    record = only(undated.replace("MORE", "<prism:coverDate>2026-02-01</prism:coverDate>", 1))
    assert (record.listed_on, record.listed_at) == (None, None)
    assert record.published_at is not None
    assert record.published_at.date() == date(2026, 2, 1)


def test_a_service_with_a_source_of_its_own_shares_one_budget() -> None:
    request = SOURCE.plan(state(url="https://rss.arxiv.org/rss/cs.AI"), NOW)
    assert (request.limiter, request.interval_seconds) == ("arxiv", 3.0)


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html>\n<html><head><title>A journal</title><link rel=x></head></html>",
        b"\xef\xbb\xbf\n<HTML><body><br></body></HTML>",
        b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body/></html>',
    ],
)
def test_the_page_of_a_journal_in_place_of_its_feed_is_called_a_page(page: bytes) -> None:
    with pytest.raises(UnreadableFile, match="web page, not a feed: find"):
        read_feed(page, "https://journal.example/")


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf \n"])
def test_nothing_at_all_is_no_feed_without_items(content: bytes) -> None:
    with pytest.raises(UnreadableFile, match="the feed is empty"):
        read_feed(content, "https://journal.example/feed")


@pytest.mark.parametrize(
    "url",
    [None, "", "ftp://a.example/", "https://u:pw@a.example/", "https://a.example/#x", "https://["],
)
def test_an_address_that_cannot_be_used_is_refused(url: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        SOURCE.check(url, {})
    assert caught.value.code == "url"
    assert "pw" not in str(caught.value).replace("password", "")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"<html><body>Sorry</body></html>", 200),
        (b'{"error": "no"}', 200),
        (b'{"items": []}', 200),
        (b"<rss><channel><item>", 200),
        (RSS.encode(), 500),
        (b'{"items":' + b"[" * 100_000, 200),
    ],
)
def test_what_is_no_feed_is_never_an_empty_one(body: bytes, status: int) -> None:
    with pytest.raises(FetchFailed):
        parsed(body, status)


@pytest.mark.slow
@given(st.sampled_from([RSS, RDF, ATOM]), st.integers(0, 900), st.binary(max_size=12))
def test_a_mutated_feed_is_read_or_refused(body: str, at: int, put: bytes) -> None:
    content = body.encode()
    with suppress(InvalidInput):
        read_feed(content[:at] + put + content[at + len(put) :], URL)


@pytest.mark.accept("F51", part="any feed")
def test_a_feed_does_not_say_whose_abstracts_it_carries_so_title_and_link_are_shown() -> None:
    body = b"<rss><channel><item><title>A study</title><link>/a</link></item></channel></rss>"
    [record] = read_feed(body, "https://journal.example/feed").records
    assert record.show is Show.LINK
