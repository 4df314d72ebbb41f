"""Parse responses of arXiv's query API: an Atom feed of papers with totals.

An error is an entry too, and an overloaded index sometimes returns no entries: neither is treated
as an empty result.
"""

from dataclasses import dataclass

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.entries import batch_of
from paperround.feeds.formats.xml import Node, read_xml
from paperround.feeds.sources.arxiv_record import arxiv_record
from paperround.papers.model import ParsedBatch, Record
from paperround.papers.text import clean

_EXCERPT = 1000
_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ArxivResponse:
    """One page of results: the papers, the number of entries, and the total."""

    batch: ParsedBatch
    entries: int
    total: int


def read_arxiv_atom(content: bytes) -> ParsedBatch:
    """Return the papers of a saved response."""
    return read_response(content).batch


def read_response(content: bytes) -> ArxivResponse:
    """Parse a response; raises InvalidInput when it is an error, no feed, or unexpectedly empty."""
    root = read_xml(content)
    if root.name != "feed":
        raise InvalidInput(f"the XML is no answer of arXiv's API: it begins with {root.name!r:.60}")
    batch = batch_of(root.all("entry"), _records, lambda entry: entry.text[:_EXCERPT])
    entries = len(batch.records) + len(batch.rejects)
    start = _number(root, "startIndex") or 0
    total = _number(root, "totalResults")
    if not entries and total is not None and total > start:
        raise InvalidInput(
            f"arXiv's answer came back empty though more is announced ({total:,} results, asked "
            f"from number {start:,}): ask again later"
        )
    total = start + entries if total is None else total
    return ArxivResponse(batch=batch, entries=entries, total=total)


def _records(entry: Node) -> list[Record]:
    if "/api/errors" in (entry.said("id") or ""):
        reason = clean(entry.said("summary") or "no reason given", limit=_LONGEST_REASON)
        raise InvalidInput(f"arXiv did not take the question: {reason}")
    record = arxiv_record(
        {
            "id": entry.said("id"),
            "title": entry.said("title"),
            "abstract": entry.said("summary"),
            "authors": [one.said("name") or "" for one in entry.all("author")],
            "categories": [one.attributes.get("term", "") for one in entry.all("category")],
            "doi": entry.said("doi"),
            "journal": entry.said("journal_ref"),
            "comment": entry.said("comment"),
            "licence": entry.said("rights"),
            "published_at": entry.said("published"),
            "updated_at": entry.said("updated"),
        }
    )
    return [record]


def _number(root: Node, name: str) -> int | None:
    text = root.said(name) or ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
