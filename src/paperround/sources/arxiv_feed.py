"""arXiv's daily announcements, as its RSS 2.0 and its Atom feed carry them.

An entry says how it is announced: `new`, `cross` (new here, at home in another category),
`replace`, `replace-cross`. A replacement brings a later version of a paper and no listing: it
updates what is known and never announces it again.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from email.utils import parsedate_to_datetime

from paperround.domain.errors import InvalidInput
from paperround.domain.papers import ParsedBatch, Record, Reject
from paperround.sources.arxiv_record import arxiv_record, author_names
from paperround.sources.entries import BadEntry, batch_of
from paperround.sources.xml import Node, read_xml

NEW = ("new", "cross")
TYPES = (*NEW, "replace", "replace-cross")

MOST_ENTRIES = 2000
"""arXiv lists no more entries than this in one feed, and does not say when it left some out."""

_EXCERPT = 1000
_ERROR = "feed error"
_HEADING = re.compile(
    r"\s*arXiv:\S+\s+Announce Type:\s*([a-z-]+)\s+(?:Abstract:\s*)?", re.IGNORECASE
)


def read_arxiv_feed(content: bytes, include: Collection[str] = TYPES) -> ParsedBatch:
    """The entries announced in one of the ways in `include`; the others are left out.

    Raises InvalidInput for an answer that is an error or no feed. A feed without entries is what
    arXiv shows on days without an announcement.
    """
    entries = _entries(read_xml(content))

    def records_of(entry: Node) -> list[Record]:
        announced = _announced(entry)
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
    title = next((said for one in holders if (said := one.said("title"))), "")
    if title.lower().startswith(_ERROR):
        raise InvalidInput(f"arXiv answered an error, not papers: {title!r:.200}")
    return [entry for one in holders for name in ("entry", "item") for entry in one.all(name)]


def _announced(entry: Node) -> str:
    heading = _HEADING.match(_description(entry))
    found = entry.said("announce_type") or (heading[1] if heading else "")
    if found.lower() not in TYPES:
        raise BadEntry("no-announce-type", f"how the entry is announced is unknown: {found!r:.60}")
    return found.lower()


def _record(entry: Node, announced: str) -> Record:
    return arxiv_record(
        {
            "id": next(_ids(entry), None),
            "title": entry.said("title"),
            "abstract": _HEADING.sub("", _description(entry), count=1),
            "authors": author_names(", ".join(one.text for one in entry.all("creator"))),
            "categories": [one.attributes.get("term") or one.text for one in entry.all("category")],
            "doi": entry.said("DOI"),
            "journal": entry.said("journal_reference"),
            "licence": entry.said("rights"),
            "listed_at": _date(entry) if announced in NEW else None,
        },
        announces=announced in NEW,
    )


def _ids(entry: Node) -> Iterator[str]:
    """What names the paper: the guid, which has the version, else the address."""
    named = (entry.said("guid"), entry.said("id"), entry.said("link"))
    yield from filter(None, named)
    yield from (href for one in entry.all("link") if (href := one.attributes.get("href")))


def _description(entry: Node) -> str:
    return entry.said("description") or entry.said("summary") or ""


def _date(entry: Node) -> str | None:
    """The day of the announcement: RFC 3339 as it is, RFC 822 made so."""
    stated = entry.said("published") or entry.said("pubDate")
    if stated is None or stated[:4].isdecimal():
        return stated
    try:
        return parsedate_to_datetime(stated).isoformat()
    except (ValueError, OverflowError):
        return stated
