"""arXiv's announcements, in Atom and in RSS 2.0."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.arxiv import MOST_ENTRIES, NEW, read_arxiv_feed
from paperround.papers.merge import repaired
from paperround.papers.model import Record
from paperround.papers.text import repair_title
from tests.feeds.arxiv_samples import item, rss

HOSTILE_TITLES = [
    "<script>alert(1)</script>",
    "One\r\nBcc: all@example.org",
    "=?utf-8?q?Free_=0D=0ABcc:_x?=",
    "{{ 7 * 7 }} {% raw %}",
    "0",
    "\u202egnp.exe\u202c and \u200f",
    "a\0b",
    "]]> &amp; <!DOCTYPE a>",
    "CO/CO2 \\ a/b",
]


def only(content: bytes) -> Record:
    batch = read_arxiv_feed(content)
    assert batch.rejects == ()
    return batch.records[0]


@pytest.mark.accept("F03", part="rss")
def test_the_recorded_feed_is_read_whole(real_data: Path) -> None:
    path = real_data / "raw_responses" / "arxiv_rss" / "atom_cs.AI_2025-08-20.xml"
    batch = read_arxiv_feed(path.read_bytes())
    assert (len(batch.records), batch.rejects) == (7, ())
    for record in batch.records:
        assert record.listed_on == date(2025, 8, 20)
        assert record.version == 1
        assert "cs.AI" in record.categories
        assert "creativecommons" in str(record.licence)
        assert record.abstract
        assert "Announce Type" not in record.abstract
    assert repaired(batch.records[2]).authors == ("Paulo André Lima de Castro",)


@pytest.mark.accept("F03", part="rss")
def test_an_entry_of_rss_is_read_with_all_it_says() -> None:
    more = "<arxiv:DOI>10.1000/x</arxiv:DOI><arxiv:journal_reference>J 1</arxiv:journal_reference>"
    record = only(rss(item(creator=r"Andr\'e Weil (Princeton, NJ), Ada Lovelace", more=more)))
    assert replace(record, fingerprint="") == Record(
        title="A Study",
        abstract="We study.",
        identifiers={"doi": "10.1000/x", "arxiv": "2601.00001"},
        authors=(r"Andr\'e Weil", "Ada Lovelace"),
        categories=("cs.AI", "cs.LG"),
        listed_on=date(2026, 1, 28),
        listed_at=datetime(2026, 1, 28, 5, tzinfo=UTC),
        version=1,
        comment="Journal reference: J 1",
        licence="http://creativecommons.org/licenses/by/4.0/",
    )


@pytest.mark.accept("F03", part="announce types")
def test_what_is_not_asked_for_is_left_out_and_no_reject() -> None:
    types = ("new", "cross", "replace", "replace-cross")
    feed = rss(*(item(f"2601.0000{n}v1", announced=kind) for n, kind in enumerate(types)))
    batch = read_arxiv_feed(feed, include=NEW)
    found = [record.identifiers["arxiv"] for record in batch.records]
    assert (found, batch.rejects) == (["2601.00000", "2601.00001"], ())
    assert len(read_arxiv_feed(feed).records) == 4


def test_one_paper_in_two_categories_has_one_fingerprint() -> None:
    new, cross = (only(rss(item(announced=kind))) for kind in ("new", "cross"))
    assert new == cross


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (item(title=" "), "no-title"),
        (item(announced="retracted"), "no-announce-type"),
        (item(day="the other day"), "bad-date"),
        (item(day="Wed, 28 Jan 99999999999999999999 00:00:00 -0500"), "bad-date"),
        (item("not-an-id"), "no-id"),
    ],
)
def test_what_is_wrong_with_an_entry_is_named(bad: str, why: str) -> None:
    assert [one.reason for one in read_arxiv_feed(rss(bad)).rejects] == [why]


def test_an_entry_without_a_guid_or_a_type_is_known_by_its_address_and_description() -> None:
    bare = item().replace("oai:arXiv.org:2601.00001v1", "")
    bare = bare.replace("<arxiv:announce_type>new</arxiv:announce_type>", "")
    record = only(rss(bare))
    assert (record.identifiers, record.version) == ({"arxiv": "2601.00001"}, None)


@pytest.mark.accept("I8", part="arxiv titles")
@pytest.mark.parametrize("title", HOSTILE_TITLES)
def test_a_hostile_title_is_text_and_never_spoils_its_feed(title: str) -> None:
    batch = read_arxiv_feed(rss(item("2601.00001v1", title=title), item("2601.00002v1")))
    assert (len(batch.records), batch.rejects) == (2, ())
    shown = repair_title(batch.records[0].title)
    assert shown
    assert shown.isprintable()
    assert not set("\r\n\0\u202e\u200f").intersection(shown)


@pytest.mark.accept("F03", part="rss")
def test_a_feed_that_was_cut_says_so() -> None:
    batch = read_arxiv_feed(rss(*(item(f"2601.{n:05}v1") for n in range(MOST_ENTRIES))))
    assert len(batch.records) == MOST_ENTRIES
    assert [one.reason for one in batch.rejects] == ["feed-cut"]
    assert "ask for its categories one by one" in batch.rejects[0].detail


@pytest.mark.accept("F03", part="rss")
def test_a_day_without_announcements_is_empty() -> None:
    batch = read_arxiv_feed(rss())
    assert (batch.records, batch.rejects) == ((), ())


@pytest.mark.accept("F03", part="errors")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (rss().replace(b"cs.AI updates", b"Feed error for query: cs.XX, "), "Feed error for query"),
        (b"<error>no</error>", "not a feed of announcements"),
        (b"Rate exceeded.", "cannot be read"),
        (rss(item())[:-30], "cannot be read"),
    ],
)
def test_an_error_is_never_an_empty_day(content: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_arxiv_feed(content)
