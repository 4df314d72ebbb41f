"""Parse arXiv's daily announcements (RSS 2.0 or Atom) and the responses of its query API (Atom).

Both become records by way of the same fields, as do records of arXiv's OAI-PMH.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.entries import (
    BadEntry,
    Entry,
    batch_of,
    instant_of,
    says_withdrawn,
    text_of,
    texts_of,
    title_of,
    with_fingerprint,
)
from paperround.feeds.formats.xml import Node, read_xml
from paperround.papers.identifiers import arxiv_id, doi_identifier
from paperround.papers.model import ParsedBatch, Record, Reject
from paperround.papers.text import clean

# --- the fields of arXiv -----------------------------------------------------------------------

EASTERN = ZoneInfo("America/New_York")
"""arXiv's time zone, for its days and announcements."""

CATEGORY = re.compile(r"[a-z]{1,8}(?:-[a-z]{2,4})?(?:\.[A-Za-z]{2,7}(?:-[a-z]{2,4})?)?")
"""The form of a category (`cs.AI`, `physics.ao-ph`) or an archive (`hep-th`)."""

_INNERMOST = re.compile(r"\([^()]*\)")
_DEEPEST_AFFILIATION = 4
_SUFFIX = re.compile(r"(?:Jr|Sr)\.?|I{2,3}|IV")


def arxiv_record(entry: Entry, *, announces: bool = True) -> Record:
    """Return the record of an entry; raises BadEntry without a title or arXiv id.

    Entries have the keys `id, title, abstract, authors, categories, doi, journal, comment, licence,
    published_at, updated_at, listed_at`. Links follow from the identifier, so none names an old
    version.
    """
    found = arxiv_id(text_of(entry, "id") or "")
    if found is None:
        raise BadEntry("no-id", "the entry has no arXiv id")
    base, version = found
    listed_at = instant_of(entry, "listed_at")
    abstract, comment = text_of(entry, "abstract") or "", text_of(entry, "comment")
    journal = text_of(entry, "journal")
    reference = f"Journal reference: {journal}" if journal else None
    # The first stated DOI; arXiv's own DOI adds nothing.
    stated = (text_of(entry, "doi") or "").split()
    doi = doi_identifier(stated[0]) if stated else None
    record = Record(
        title=title_of(entry),
        abstract=abstract,
        identifiers={**dict([doi] if doi else []), "arxiv": base},
        authors=texts_of(entry, "authors"),
        categories=tuple(filter(CATEGORY.fullmatch, texts_of(entry, "categories"))),
        listed_on=listed_at.astimezone(EASTERN).date() if listed_at else None,
        listed_at=listed_at,
        published_at=instant_of(entry, "published_at"),
        updated_at=instant_of(entry, "updated_at"),
        version=version,
        withdrawn=says_withdrawn(abstract, comment),
        comment="; ".join(filter(None, (comment, reference))) or None,
        licence=text_of(entry, "licence"),
        announces=announces,
    )
    return with_fingerprint(record)


def author_names(joined: str) -> list[str]:
    """Split comma-joined names, dropping affiliations in parentheses.

    TeX accents are kept; `Jr.` and similar suffixes stay with their name.
    """
    for _ in range(_DEEPEST_AFFILIATION):
        joined = _INNERMOST.sub(" ", joined)
    names: list[str] = []
    for part in joined.split(","):
        name = " ".join(part.partition("(")[0].replace(")", " ").split())
        if names and _SUFFIX.fullmatch(name):
            names[-1] += f" {name}"
        elif name:
            names.append(name)
    return names


# --- announcements -----------------------------------------------------------------------------

# An entry states its type: `new`, `cross` (from another category), `replace`, `replace-cross`. A
# replacement is a later version without a listing: it updates a known paper and never announces it.

NEW = ("new", "cross")
TYPES = (*NEW, "replace", "replace-cross")

MOST_ENTRIES = 2000
"""arXiv's limit of entries in one feed; it does not say when it left some out."""

_FEED_ERROR = "feed error"
_HEADING = re.compile(
    r"\s*arXiv:\S+\s+Announce Type:\s*([a-z-]+)\s+(?:Abstract:\s*)?", re.IGNORECASE
)


def read_arxiv_feed(content: bytes, include: Collection[str] = TYPES) -> ParsedBatch:
    """Return the entries with a type in `include`.

    Raises InvalidInput for an error or anything but a feed. A feed without entries is normal on
    days without an announcement.
    """
    entries = _announcements(read_xml(content))

    def records_of(entry: Node) -> list[Record]:
        heading = _HEADING.match(_description(entry))
        found = entry.said("announce_type") or (heading[1] if heading else "")
        announced = found.lower()
        if announced not in TYPES:
            problem = f"the entry has an unknown kind of announcement: {found!r:.60}"
            raise BadEntry("no-announce-type", problem)
        return [_announcement_record(entry, announced)] if announced in include else []

    batch = batch_of(entries, records_of, lambda entry: entry.text)
    if len(entries) < MOST_ENTRIES:
        return batch
    cut = Reject(
        reason="feed-cut",
        detail=f"the feed holds {len(entries):,} entries, the most arXiv puts into one: others are "
        "missing, so ask for its categories one by one",
        position=len(entries),
    )
    return replace(batch, rejects=(*batch.rejects, cut))


def _announcements(root: Node) -> list[Node]:
    if root.name not in {"feed", "rss", "RDF"}:
        raise InvalidInput(
            f"the XML is not a feed of announcements: it begins with {root.name!r:.60}"
        )
    holders = [root, *root.all("channel")]
    title = next((text for one in holders if (text := one.said("title"))), "")
    if title.lower().startswith(_FEED_ERROR):
        raise InvalidInput(f"arXiv returned an error, not papers: {title!r:.200}")
    return [entry for one in holders for name in ("entry", "item") for entry in one.all(name)]


def _announcement_record(entry: Node, announced: str) -> Record:
    named = (entry.said(name) for name in ("guid", "id", "link"))
    hrefs = (one.attributes.get("href") for one in entry.all("link"))
    listed_at = (entry.said("published") or entry.said("pubDate")) if announced in NEW else None
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


# --- responses of the query API ----------------------------------------------------------------

# An error is an entry too, and an overloaded index sometimes returns no entries: neither is an
# empty result.

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
        raise InvalidInput(
            f"the XML is not a response of arXiv's API: it begins with {root.name!r:.60}"
        )
    batch = batch_of(root.all("entry"), _result_records, lambda entry: entry.text)
    entries = len(batch.records) + len(batch.rejects)
    start = _number(root, "startIndex") or 0
    total = _number(root, "totalResults")
    if not entries and total is not None and total > start:
        raise InvalidInput(
            f"arXiv's response is empty though more is announced ({total:,} results, asked "
            f"from number {start:,}): ask again later"
        )
    total = start + entries if total is None else total
    return ArxivResponse(batch=batch, entries=entries, total=total)


def _result_records(entry: Node) -> list[Record]:
    if "/api/errors" in (entry.said("id") or ""):
        reason = clean(entry.said("summary") or "no reason given", limit=_LONGEST_REASON)
        raise InvalidInput(f"arXiv rejected the query: {reason}")
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
