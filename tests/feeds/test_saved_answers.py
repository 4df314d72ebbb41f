"""Saved answers of live sources, and saved feeds, read as files.

The answers of the details API and of OAI-PMH are written by hand, as in the tests of their sources.
"""

from datetime import date

import pytest

from paperround.core.errors import InvalidInput, UnreadableFile
from paperround.feeds.formats.feed_items import read_jsonfeed, read_rss
from paperround.feeds.formats.registry import reader_for
from paperround.plugins.arxiv_oai import read_arxiv_oai
from tests.plugins.catalogue_samples import openalex_list, openalex_work
from tests.plugins.semantic_scholar_samples import bulk
from tests.plugins.semantic_scholar_samples import paper as scholar

HARVEST = """<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>{}
<resumptionToken>1|1001</resumptionToken></ListRecords></OAI-PMH>"""
RECORD = """<record><header><identifier>oai:arXiv.org:2601.0000{0}</identifier>
<datestamp>2026-01-28</datestamp></header><metadata><arXiv><id>2601.0000{0}</id>
<created>2026-01-2{0}</created>{1}<title>Study {0}</title></arXiv></metadata></record>"""
DELETED = """<record><header status="deleted"><identifier>oai:arXiv.org:2601.00009</identifier>
<datestamp>2026-01-28</datestamp></header></record>"""


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
        with pytest.raises(UnreadableFile, match="not a JSON Feed"):
            read_jsonfeed(content)
