"""Saved answers of live sources, and saved feeds, read as files.

The answers of the details API and of OAI-PMH are written by hand, as in the tests of their sources.
"""

from datetime import date
from pathlib import Path

import pytest

from paperround.domain.errors import InvalidInput, UnreadableFile
from paperround.domain.papers import ParsedBatch
from paperround.sources.formats import reader_for
from paperround.sources.saved_answers import (
    read_arxiv_oai,
    read_biorxiv,
    read_jsonfeed,
    read_rss,
)
from tests.sources.biorxiv_samples import NOTHING, collection, row
from tests.sources.catalogue_samples import openalex_list, openalex_work
from tests.sources.semantic_scholar_samples import bulk
from tests.sources.semantic_scholar_samples import paper as scholar

HARVEST = """<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>{}
<resumptionToken>1|1001</resumptionToken></ListRecords></OAI-PMH>"""
RECORD = """<record><header><identifier>oai:arXiv.org:2601.0000{0}</identifier>
<datestamp>2026-01-28</datestamp></header><metadata><arXiv><id>2601.0000{0}</id>
<created>2026-01-2{0}</created>{1}<title>Study {0}</title></arXiv></metadata></record>"""
DELETED = """<record><header status="deleted"><identifier>oai:arXiv.org:2601.00009</identifier>
<datestamp>2026-01-28</datestamp></header></record>"""

# file: (format, records, rejects)
RECORDED = {
    "generic_feeds/miniflux_encoding_ISO-8859-1.xml": ("rss", 40, 0),
    "generic_feeds/miniflux_encoding_WINDOWS-1251.xml": ("rss", 50, 0),
    "generic_feeds/miniflux_large_atom.xml": ("rss", 25, 0),
    "generic_feeds/miniflux_large_rss.xml": ("rss", 25, 0),
    "generic_feeds/miniflux_no_encoding_ISO-8859-1.xml": ("rss", 9, 1),
    "generic_feeds/miniflux_rdf_UTF8.xml": ("rss", 60, 0),
    "generic_feeds/miniflux_small_atom.xml": ("rss", 20, 0),
    "generic_feeds/miniflux_urdu_UTF8.xml": ("rss", 26, 0),
    "generic_feeds/reader_empty.atom": ("rss", 0, 1),
    "generic_feeds/reader_empty.rss": ("rss", 0, 1),
    "generic_feeds/reader_full.atom": ("rss", 2, 3),
    "generic_feeds/reader_full.json": ("jsonfeed", 2, 0),
    "generic_feeds/reader_full.rss": ("rss", 2, 3),
    "generic_feeds/reader_relative.atom": ("rss", 0, 1),
    "generic_feeds/reader_relative.rss": ("rss", 0, 1),
    "journal_rss/reuters.xml": ("rss", 10, 0),
    "journal_rss/rssv2-dc-prism.xml": ("rss", 1, 0),
    "journal_rss/rssv2-multiple-categories.xml": ("rss", 9, 0),
    "hf_papers_rss/hf_papers.jsonfeed.json": ("jsonfeed", 11, 0),
    "hf_papers_rss/hf_papers.xml": ("rss", 11, 0),
    "arxiv_rss/atom_cs.AI_2025-08-20.xml": ("rss", 7, 0),
    "arxiv_oai/arXivRaw_ListRecords_1000_records_2014-01-16.xml": ("arxiv-oai", 1000, 0),
}


@pytest.mark.accept("F06", part="feed files")
@pytest.mark.parametrize("name", RECORDED)
def test_recorded_files_are_read_whole(real_data: Path, name: str) -> None:
    content = (real_data / "raw_responses" / name).read_bytes()
    file_format, records, rejects = RECORDED[name]
    _, read = reader_for(name, content, file_format)
    batch = read(content)
    assert (len(batch.records), len(batch.rejects)) == (records, rejects)
    if not name.startswith("arxiv_rss"):  # which auto reads as what it is, arXiv's own
        assert reader_for(name, content)[0] == file_format


@pytest.mark.accept("F06", part="feed files")
def test_an_answer_of_biorxiv_is_a_file_of_papers() -> None:
    batch = read_biorxiv(collection(row(1), row(2, doi=None), row(3, version="2")))
    assert [one.title for one in batch.records] == ["Study 1", "Study 3"]
    assert [one.announces for one in batch.records] == [True, False]
    assert [one.reason for one in batch.rejects] == ["no-id"]
    assert read_biorxiv(NOTHING) == ParsedBatch()
    with pytest.raises(InvalidInput, match="did not take the question"):
        read_biorxiv(collection(status="bad interval"))


@pytest.mark.accept("F06", part="feed files")
def test_a_page_of_oai_pmh_is_a_file_of_papers_that_count_from_their_submission() -> None:
    records = (
        RECORD.format(1, ""),
        RECORD.format(2, "<updated>2026-01-27</updated>"),
        DELETED,
        "<record><header/></record>",
    )
    batch = read_arxiv_oai(HARVEST.format("".join(records)).encode())
    first, replaced, deleted = batch.records
    assert [one.announces for one in (first, replaced, deleted)] == [True, True, False]
    assert (first.listed_on, replaced.listed_on) == (date(2026, 1, 21), date(2026, 1, 22))
    assert (deleted.withdrawn, deleted.listed_on) == (True, None)
    assert [one.reason for one in batch.rejects] == ["no-metadata"]
    assert batch.next is None
    error = '<OAI-PMH><error code="badArgument">No such set.</error></OAI-PMH>'
    with pytest.raises(InvalidInput, match="badArgument"):
        read_arxiv_oai(error.encode())


@pytest.mark.accept("F06", part="searches as files")
@pytest.mark.parametrize(
    ("stated", "listed"),
    [
        ("2017-06-12", date(2017, 6, 12)),
        ("1985-03-01", date(1985, 3, 1)),
        ("2017-01-01", date(2017, 12, 31)),
        (None, None),
    ],
)
def test_the_old_papers_of_a_saved_search_are_no_news(
    stated: str | None, listed: date | None
) -> None:
    bodies = (
        openalex_list(openalex_work(publication_date=stated)),
        bulk(scholar(publicationDate=stated, year=None)),
        bulk(scholar(publicationDate=None, year=int(stated[:4]) if stated else None)),
    )
    days = [listed, listed, date(listed.year, 12, 31) if listed else None]
    for body, day in zip(bodies, days, strict=True):
        (record,) = reader_for("saved.json", body)[1](body).records
        assert record.listed_on == day


@pytest.mark.accept("F06", part="feed files")
@pytest.mark.parametrize(
    ("own", "named"),
    [
        ('<link rel="self" href="https://journal.example/x/feed"/>', "https://journal.example/a"),
        ("<link>https://journal.example/</link>", "https://journal.example/a"),
        ("<link>/</link>", None),
        ("", None),
    ],
)
def test_addresses_in_a_file_are_resolved_against_what_the_feed_says_of_itself(
    own: str, named: str | None
) -> None:
    item = "<item><title>A</title><link>/a</link><guid>7</guid></item>"
    (record,) = read_rss(f"<rss><channel>{own}{item}</channel></rss>".encode()).records
    assert record.identifiers == ({"url": named} if named else {"local": "file:7"})


def test_a_json_feed_says_where_it_is() -> None:
    feed = b"""{"version": "https://jsonfeed.org/version/1", "feed_url": 7,
        "home_page_url": "https://journal.example/", "items": [{"title": "A", "url": "/a"}]}"""
    (record,) = read_jsonfeed(feed).records
    assert record.identifiers == {"url": "https://journal.example/a"}


def test_one_kind_of_feed_is_not_read_as_the_other() -> None:
    with pytest.raises(UnreadableFile, match="read it as jsonfeed"):
        read_rss(b'\xef\xbb\xbf {"version": "https://jsonfeed.org/version/1", "items": []}')
    for content in (b"<rss><channel/></rss>", b"[]", b""):
        with pytest.raises(UnreadableFile, match="no JSON Feed"):
            read_jsonfeed(content)


def test_a_badly_written_feed_is_read_as_a_file_too() -> None:
    item = "<item><title>A & <b>B</title><guid>7</guid></item>"
    (record,) = read_rss(f"<rss><channel>{item}</channel></rss>".encode()).records
    assert (record.title, record.identifiers) == ("A & B", {"local": "file:7"})
