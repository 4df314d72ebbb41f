"""Saved answers of the services that have a live source, and saved feeds, as files of papers."""

from dataclasses import replace
from datetime import date

from paperround.core.errors import UnreadableFile
from paperround.feeds.formats.feed_items import read_feed
from paperround.papers.model import ParsedBatch

_BLANK = b"\xef\xbb\xbf \t\r\n"


def listed_when_published(batch: ParsedBatch) -> ParsedBatch:
    """The papers of a search, each listed when it was published: an old one is no news."""
    records = tuple(
        replace(one, listed_on=_day(one.published_at.date())) if one.published_at else one
        for one in batch.records
    )
    return replace(batch, records=records)


def _day(published: date) -> date:
    """The day; of a first of January, which both write for a year alone, the year's last."""
    is_year = (published.month, published.day) == (1, 1)
    return published.replace(month=12, day=31) if is_year else published


def read_rss(content: bytes) -> ParsedBatch:
    """The papers of a saved feed: RSS 2.0, RSS 1.0 (RDF) or Atom."""
    if _is_object(content):
        raise UnreadableFile("the file holds JSON, not RSS or Atom: read it as jsonfeed")
    return read_feed(content, "")


def read_jsonfeed(content: bytes) -> ParsedBatch:
    """The papers of a saved JSON Feed."""
    if not _is_object(content):
        raise UnreadableFile("the file holds no JSON object: it is no JSON Feed")
    return read_feed(content, "")


def _is_object(content: bytes) -> bool:
    return content[:1000].lstrip(_BLANK)[:1] == b"{"
