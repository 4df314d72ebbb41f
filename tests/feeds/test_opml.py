"""Feeds as OPML: what leaves comes back, and files of other feed readers are understood.

The foreign files are written by hand in the manner of Feedly, Miniflux and NetNewsWire.
"""

import json
import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]

from paperround.feeds.due import check_feed
from paperround.feeds.files import read_feed
from paperround.feeds.formats.xml import Node, read_xml
from paperround.feeds.model import DescribedFeed, NewFeed
from paperround.feeds.opml import read_opml, write_opml
from paperround.feeds.sources.registry import SOURCES
from paperround.papers.model import Show

JOURNAL = NewFeed(name="journal", kind="feed", url="https://journal.example/feed?a=1&b=2")
ML = NewFeed(name="arxiv-ml", kind="arxiv", settings={"categories": "cs.LG, cs.CL"})


def opml(*outlines: str) -> bytes:
    return (
        f'<opml version="2.0"><head><title>x</title></head><body>{"".join(outlines)}</body></opml>'
    ).encode()


def outline(url: str = "https://journal.example/feed", **attributes: str) -> str:
    said = {"text": "A journal", "type": "rss", "xmlUrl": url, **attributes}
    return f"<outline {attributes_of(said)}/>"


def attributes_of(said: dict[str, str]) -> str:
    return " ".join(f'{name}="{text}"' for name, text in said.items())


def outlines(content: bytes) -> list[Node]:
    (body,) = read_xml(content).all("body")
    return list(body.all("outline"))


def written(feeds: Iterable[NewFeed]) -> bytes:
    return "".join(write_opml(feeds)).encode()


def one(content: bytes) -> DescribedFeed:
    (entry,) = read_opml(content)
    return entry


# --- out ---------------------------------------------------------------------------------------


@pytest.mark.accept("F09", part="OPML")
def test_a_feed_is_an_outline_that_any_reader_understands() -> None:
    root = read_xml(written([JOURNAL]))
    assert (root.name, root.attributes["version"]) == ("opml", "2.0")
    (said,) = outlines(written([JOURNAL]))
    assert said.attributes["type"] == "rss"
    assert said.attributes["text"] == said.attributes["title"] == "journal"
    assert said.attributes["xmlUrl"] == JOURNAL.url


@pytest.mark.accept("F09", part="OPML")
@pytest.mark.parametrize(
    ("feed", "address"),
    [
        (ML, "https://rss.arxiv.org/atom/cs.LG+cs.CL"),
        (
            NewFeed(name="a", kind="arxiv-oai", settings={"sets": "physics:hep-th,cs:cs:LG,math"}),
            "https://rss.arxiv.org/atom/hep-th+cs.LG+math",
        ),
        (
            NewFeed(name="b", kind="biorxiv"),
            "https://connect.biorxiv.org/biorxiv_xml.php?subject=all",
        ),
        (
            NewFeed(
                name="m",
                kind="biorxiv",
                settings={"server": "medrxiv", "categories": "pain medicine,surgery"},
            ),
            "https://connect.medrxiv.org/medrxiv_xml.php?subject=pain_medicine+surgery",
        ),
    ],
)
def test_other_kinds_stand_with_the_public_feed_of_their_service(
    feed: NewFeed, address: str
) -> None:
    (said,) = outlines(written([feed]))
    assert (said.attributes["type"], said.attributes["xmlUrl"]) == ("rss", address)


def test_a_search_has_no_address_for_other_readers() -> None:
    feed = NewFeed(name="x", kind="openalex", settings={"filter": "type:article"})
    (said,) = outlines(written([feed]))
    assert said.attributes["type"] == "link"
    assert not {"url", "xmlUrl", "htmlUrl"} & said.attributes.keys()


ANY = st.text(max_size=20)
FEEDS = st.builds(
    NewFeed,
    name=ANY.filter(bool),
    kind=st.sampled_from([*SOURCES, "unheard-of"]),
    url=st.none() | ANY.filter(bool),
    settings=st.dictionaries(
        st.sampled_from(["categories", "sets", "server", "days"]) | ANY, ANY, max_size=4
    ),
    show=st.none() | st.sampled_from(Show),
    enabled=st.booleans(),
)


@pytest.mark.slow
@pytest.mark.accept("F09", part="OPML round trip")
@given(st.lists(FEEDS, max_size=4))
def test_what_is_exported_is_imported_with_every_field(feeds: list[NewFeed]) -> None:
    content = written(feeds)
    assert content == written(feeds)
    back = read_opml(content)
    assert [read_feed(entry.value) for entry in back] == feeds
    assert all(entry.is_named for entry in back)
    assert [entry.position for entry in back] == list(range(1, len(feeds) + 1))


# --- in ----------------------------------------------------------------------------------------


FEEDLY = opml(
    '<outline text="Journals" title="Journals">',
    outline("https://journal.example/feed", title="Journal of Things"),
    '<outline text="Deeper">',
    outline("https://blog.example/atom.xml", text="Écoles d&#8217;été", type="atom"),
    "</outline></outline>",
    outline("https://journal.example/feed", title="The same again"),
    '<outline text="No type" xmlUrl="https://other.example/rss" htmlUrl="https://other.example"/>',
    '<outline text="" title="" xmlURL="https://third.example/rss"/>',
)


@pytest.mark.accept("F09", part="OPML of others")
def test_folders_are_looked_into_and_names_are_made_of_titles() -> None:
    entries = read_opml(FEEDLY)
    values = [entry.value for entry in entries if entry.problem is None]
    assert values == [
        {"name": "journal-of-things", "kind": "feed", "url": "https://journal.example/feed"},
        {"name": "ecoles-d-ete", "kind": "feed", "url": "https://blog.example/atom.xml"},
        {"name": "no-type", "kind": "feed", "url": "https://other.example/rss"},
        {"name": "https-third.example-rss", "kind": "feed", "url": "https://third.example/rss"},
    ]
    assert not any(entry.is_named for entry in entries)
    for value in values:
        check_feed(SOURCES, read_feed(value))


@pytest.mark.accept("F09", part="OPML of others")
def test_a_second_outline_of_one_address_is_a_reject_that_names_the_first() -> None:
    (again,) = (entry for entry in read_opml(FEEDLY) if entry.problem is not None)
    assert (again.position, again.label) == (3, "The same again")
    assert again.problem == ("duplicate", "the outline 1 has the same address")


@pytest.mark.parametrize(
    "address",
    [
        "http://rss.arxiv.org/rss/cs.LG",
        "https://rss.arxiv.org/atom/cs.LG",
        "https://export.arxiv.org/rss/cs.LG?version=2.0",
        "http://arxiv.org/rss/cs.LG/",
    ],
)
def test_an_address_of_arxiv_becomes_a_feed_of_its_own_source(address: str) -> None:
    value = one(opml(outline(address, text="cs.LG updates"))).value
    assert value == {
        "name": "cs.lg-updates",
        "kind": "arxiv",
        "settings": {"categories": "cs.LG"},
    }


@pytest.mark.parametrize(
    "address",
    [
        "https://rss.arxiv.org/rss/cs.ZZ",
        "https://rss.arxiv.org/rss/cs.LG+x",
        "https://rss.arxiv.org.example/rss/cs.LG",
        "https://arxiv.org/list/cs.LG/new",
    ],
)
def test_what_only_looks_like_arxiv_stays_a_feed(address: str) -> None:
    value = one(opml(outline(address))).value
    assert isinstance(value, dict)
    assert (value["kind"], value["url"]) == ("feed", address)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("feed://x.example/rss", "http://x.example/rss"),
        ("feed:https://x.example/rss", "https://x.example/rss"),
        (" https://x.example/rss#news ", "https://x.example/rss"),
    ],
)
def test_addresses_of_old_readers_are_put_right(written: str, asked: str) -> None:
    value = one(opml(outline(written))).value
    assert isinstance(value, dict)
    assert value["url"] == asked


@pytest.mark.parametrize(
    "title", ["", "Новости", "日本語", "!!!", "-" * 300, "x" * 300, "ＡＢＣ", "a/b\\c", "&#0;"]
)
def test_any_title_makes_a_name_that_a_feed_can_have(title: str) -> None:
    value = one(opml(outline(text=title, title=title))).value
    check_feed(SOURCES, read_feed(value))


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ('<outline text="Nothing"/>', "no-address"),
        ('<outline text="A page" type="link" url="https://x.example"/>', "no-address"),
        ('<outline text="More" type="include" url="https://x.example/more.opml"/>', "no-address"),
        ('<outline text="Ours" feed="{broken"/>', "feed"),
    ],
)
def test_an_outline_that_is_no_feed_says_why(written: str, problem: str) -> None:
    entry = one(opml(written))
    assert entry.label
    assert entry.problem is not None
    assert entry.problem[0] == problem


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["text", "title", "type", "xmlUrl", "htmlUrl", "feed"]),
            st.text(max_size=30)
            | st.sampled_from(["https://[", "http://x:99999/", "{", '{"name": 1}', "feed:"]),
        ),
        max_size=5,
    )
)
def test_whatever_outlines_say_each_is_a_feed_or_a_reject(said: list[dict[str, str]]) -> None:
    written = [outline_of(one) for one in said]
    entries = read_opml(opml(*written))
    assert len(entries) == len(said)
    for entry in entries:
        json.dumps(entry.value)


def outline_of(said: dict[str, str]) -> str:
    node = etree.Element("outline")
    for name, text in said.items():
        node.set(name, re.sub("[^ -~\u00a0-\ud7ff]", "", text))
    return str(etree.tostring(node, encoding="unicode"))
