"""Answers of arXiv's query API: an Atom feed with one entry a paper, and totals beside them.

An error is an entry too, and a full index sometimes answers with no entry at all: neither is ever
an empty result.
"""

from dataclasses import dataclass

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.entries import batch_of
from paperround.feeds.formats.xml import Node, read_xml
from paperround.feeds.sources.arxiv_record import arxiv_record
from paperround.papers.model import ParsedBatch, Record
from paperround.papers.text import clean

_EXCERPT = 1000
_SAID = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ArxivResponse:
    """One page of results: what it held, how many entries that were, and of how many in all."""

    batch: ParsedBatch
    entries: int
    total: int


def read_arxiv_atom(content: bytes) -> ParsedBatch:
    """The papers of a saved answer."""
    return read_answer(content).batch


def read_answer(content: bytes) -> ArxivResponse:
    """The answer; raises InvalidInput when it is an error, no feed, or empty without reason."""
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
        said = clean(entry.said("summary") or "no reason given", limit=_SAID)
        raise InvalidInput(f"arXiv did not take the question: {said}")
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
