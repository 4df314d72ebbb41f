"""Feeds that are no well-formed XML. All of them are invented."""

import pytest

from paperround.core.errors import FetchFailed, UnreadableFile
from paperround.feeds.formats import wild_feed
from paperround.feeds.formats.wild_feed import ParserLimits, items_of, wild_items
from paperround.feeds.sources.registry import SOURCES
from paperround.papers.model import ParsedBatch
from tests.feeds.arxiv_samples import NOW, page, state

SOURCE = SOURCES["feed"]
URL = "https://journal.example/rss"
HEAD = (
    '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/"><channel><title>T</title>'
)
FIRST = """<item><title>Tides & <b>moons</title><link>/a?x=1&y=2</link>
<description>&lt;p&gt;We <i>tide</b>, a &lt; b.&lt;/p&gt;</description>
<dc:creator>Ada Lovelace</dc:creator><dc:creator>Alan Turing</dc:creator>
<prism:doi>10.1000/x</prism:doi><category>Moons</category>
<pubDate>Wed, 28 Jan 2026 06:00:00 GMT</pubDate><guid isPermaLink="false">u1</guid>"""
SECOND = """<item><title>Caf\xe9</title>
<description><![CDATA[<p>A < b & c</p> <item>]]></description>
<guid>https://journal.example/2</guid><dc:date>2026-01-28</dc:date></item>"""
TAIL = "</channel></rss>\n<!-- cached -->\n"
WILD = f"{HEAD}{FIRST}{SECOND}{TAIL}"
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><entry><title>A <b>c</title>
<link href="/x"/><id>u</id><updated>2026-01-28T06:00:00Z</updated>
<author><name>Ada Lovelace</name></author><category term="Moons"/></entry></feed>"""


def parsed(body: bytes) -> ParsedBatch:
    return SOURCE.parse(page(SOURCE.plan(state(url=URL), NOW), body))


@pytest.mark.accept("F06", part="wild feeds")
@pytest.mark.parametrize("declared", ["", "utf-8", "utf-16", "us-ascii", "x-unknown"])
def test_bare_ampersands_and_crossed_tags_lose_no_paper(declared: str) -> None:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>\n' if declared else ""
    batch = parsed(f"{declaration}<!-- a feed -->{WILD}".encode())
    assert batch.rejects == ()
    first, second = batch.records
    assert (first.title, first.abstract) == ("Tides & moons", "We tide, a < b.")
    assert first.authors == ("Ada Lovelace", "Alan Turing")
    assert (first.identifiers, first.keywords) == ({"doi": "10.1000/x"}, ("Moons",))
    assert first.links == {"abstract": "https://journal.example/a?x=1&y=2"}
    assert str(first.published_at) == "2026-01-28 06:00:00+00:00"
    assert (second.title, second.abstract) == ("Café", "A < b & c <item>")
    assert second.identifiers == {"url": "https://journal.example/2"}
    assert str(second.published_at) == "2026-01-28 00:00:00+00:00"


@pytest.mark.accept("F06", part="wild feeds")
def test_atom_with_crossed_tags_is_read_too() -> None:
    (record,) = parsed(ATOM.encode()).records
    assert (record.title, record.authors) == ("A c", ("Ada Lovelace",))
    assert record.identifiers == {"url": "https://journal.example/x"}
    assert str(record.updated_at) == "2026-01-28 06:00:00+00:00"


@pytest.mark.accept("F06", part="wild feeds")
@pytest.mark.parametrize(
    ("body", "why"),
    [
        (f"{HEAD}{FIRST}{SECOND}", "ends too early"),
        (f"{HEAD}{FIRST}{SECOND}</channel>", "ends too early"),
        (f"{HEAD}{FIRST}{SECOND}</channel></rs", "ends too early"),
        (f"{HEAD}{FIRST}{SECOND[:60]}", "does not end"),
        (f"{HEAD}{FIRST}<!-- {TAIL.partition('<!--')[0]}", "does not end"),
        (WILD.replace("]]>", ""), "does not end"),
        (f"{HEAD}{FIRST}</feed>", "ends too early"),
    ],
)
def test_a_feed_that_ends_too_early_is_an_error_and_never_a_shorter_one(
    body: str, why: str
) -> None:
    with pytest.raises(FetchFailed, match=why):
        parsed(body.encode())


def test_a_feed_whose_items_cannot_be_told_apart_is_an_error() -> None:
    with pytest.raises(UnreadableFile, match="3 items begin in the feed and only 2"):
        wild_items(WILD.replace("<b>moons", "<b moons='<item>'>"))


@pytest.mark.accept("I5", part="wild feeds")
@pytest.mark.parametrize(
    "more", ['<!DOCTYPE rss [<!ENTITY a "b">]>', "<!doctype html>", '<!ENTITY a SYSTEM "f">']
)
def test_a_document_type_is_refused_wherever_it_stands(
    more: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wild_feed, "CHILD", "paperround.no_such_module")
    for body in (f"{more}{WILD}", WILD.replace("<title>T", f"</x>{more}<title>T")):
        with pytest.raises(FetchFailed, match=r"document type|web page"):
            parsed(body.encode())


@pytest.mark.accept("I5", part="wild feeds")
@pytest.mark.parametrize("filling", ["x" * 4 * 1024 * 1024, "<b>" * 100_000, "<!--" * 100_000])
def test_too_large_a_feed_is_not_handed_on(filling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wild_feed, "CHILD", "paperround.no_such_module")
    with pytest.raises(UnreadableFile, match="this large"):
        wild_items(WILD.replace("<b>moons", filling))


@pytest.mark.accept("I5", part="wild feeds")
@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (ParserLimits(memory=8 * 1024 * 1024), "too much memory or time"),
        (ParserLimits(timeout=0.001), "took too long"),
    ],
)
def test_a_reading_that_meets_a_limit_is_a_failure(
    limits: ParserLimits, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = "<item><title>A & B</title><b></item>" * 19_000
    monkeypatch.setattr(wild_feed, "LIMITS", limits)
    with pytest.raises(FetchFailed, match=why):
        parsed(f"{HEAD}{many}{TAIL}".encode())


@pytest.mark.slow
@pytest.mark.accept("I5", part="wild feeds")
def test_a_reading_that_works_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wild_feed, "CHILD", "tests.feeds.busy_child")
    with pytest.raises(UnreadableFile, match="too much memory or time"):
        wild_items(f"{HEAD}{SECOND}{TAIL}", ParserLimits(cpu_seconds=1, timeout=60.0))


def test_the_child_sees_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONSTARTUP", "/nonexistent")
    monkeypatch.setenv("PAPERROUND_SECRET_KEY", "open sesame")
    monkeypatch.setattr(wild_feed, "CHILD", "tests.feeds.environment_child")
    assert wild_items(f"{HEAD}{SECOND}{TAIL}") == [{"seen": ["PYTHONPATH"]}]


def test_an_address_is_a_text_like_any_other() -> None:
    assert items_of(b"https://journal.example/feed") == []
    assert items_of(b"/etc/passwd") == []
