"""Parse arXiv's daily announcements, as RSS 2.0 or Atom.

An entry states its type: `new`, `cross` (from another category), `replace`, `replace-cross`. A
replacement is a later version without a listing: it updates a known paper and never announces it.
"""

import re
from collections.abc import Collection
from dataclasses import replace

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.entries import BadEntry, batch_of
from paperround.feeds.formats.xml import Node, read_xml
from paperround.feeds.sources.arxiv_record import arxiv_record, author_names, mail_date
from paperround.papers.model import ParsedBatch, Record, Reject

NEW = ("new", "cross")
TYPES = (*NEW, "replace", "replace-cross")

MOST_ENTRIES = 2000
"""arXiv's limit of entries in one feed; it does not say when it left some out."""

_EXCERPT = 1000
_ERROR = "feed error"
_HEADING = re.compile(
    r"\s*arXiv:\S+\s+Announce Type:\s*([a-z-]+)\s+(?:Abstract:\s*)?", re.IGNORECASE
)


def read_arxiv_feed(content: bytes, include: Collection[str] = TYPES) -> ParsedBatch:
    """Return the entries with a type in `include`.

    Raises InvalidInput for an error or anything but a feed. A feed without entries is normal on
    days without an announcement.
    """
    entries = _entries(read_xml(content))

    def records_of(entry: Node) -> list[Record]:
        heading = _HEADING.match(_description(entry))
        found = entry.said("announce_type") or (heading[1] if heading else "")
        announced = found.lower()
        if announced not in TYPES:
            problem = f"how the entry is announced is unknown: {found!r:.60}"
            raise BadEntry("no-announce-type", problem)
        return [_record(entry, announced)] if announced in include else []

    batch = batch_of(entries, records_of, lambda entry: entry.text[:_EXCERPT])
    if len(entries) < MOST_ENTRIES:
        return batch
    cut = Reject(
        reason="feed-cut",
        detail=f"the feed holds {len(entries):,} entries, the most arXiv puts into one: others are "
        "missing, so ask for its categories one by one",
        position=len(entries),
    )
    return replace(batch, rejects=(*batch.rejects, cut))


def _entries(root: Node) -> list[Node]:
    if root.name not in {"feed", "rss", "RDF"}:
        raise InvalidInput(f"the XML is no feed of announcements: it begins with {root.name!r:.60}")
    holders = [root, *root.all("channel")]
    title = next((text for one in holders if (text := one.said("title"))), "")
    if title.lower().startswith(_ERROR):
        raise InvalidInput(f"arXiv answered an error, not papers: {title!r:.200}")
    return [entry for one in holders for name in ("entry", "item") for entry in one.all(name)]


def _record(entry: Node, announced: str) -> Record:
    named = (entry.said(name) for name in ("guid", "id", "link"))
    hrefs = (one.attributes.get("href") for one in entry.all("link"))
    listed_at = (entry.said("published") or entry.said("pubDate")) if announced in NEW else None
    if listed_at is not None and not listed_at[:4].isdecimal():
        listed_at = mail_date(listed_at)
    return arxiv_record(
        {
            # The guid, which includes the version, else the address.
            "id": next(filter(None, (*named, *hrefs)), None),
            "title": entry.said("title"),
            "abstract": _HEADING.sub("", _description(entry), count=1),
            "authors": author_names(", ".join(one.text for one in entry.all("creator"))),
            "categories": [one.attributes.get("term") or one.text for one in entry.all("category")],
            "doi": entry.said("DOI"),
            "journal": entry.said("journal_reference"),
            "licence": entry.said("rights"),
            "listed_at": listed_at,
        },
        announces=announced in NEW,
    )


def _description(entry: Node) -> str:
    return entry.said("description") or entry.said("summary") or ""
