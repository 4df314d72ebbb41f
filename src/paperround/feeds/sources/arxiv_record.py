"""Build records from arXiv's fields, shared by announcements, API and OAI-PMH.

Entries have the keys `id, title, abstract, authors, categories, doi, journal, comment, licence,
published_at, updated_at, listed_at`. Links follow from the identifier, so none names an old
version.
"""

import re
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from paperround.feeds.formats.entries import (
    BadEntry,
    Entry,
    instant_of,
    says_withdrawn,
    text_of,
    texts_of,
    title_of,
    with_fingerprint,
)
from paperround.papers.identifiers import arxiv_id, doi_identifier
from paperround.papers.model import Record

EASTERN = ZoneInfo("America/New_York")
"""arXiv's time zone, for its days and announcements."""

CATEGORY = re.compile(r"[a-z]{1,8}(?:-[a-z]{2,4})?(?:\.[A-Za-z]{2,7}(?:-[a-z]{2,4})?)?")
"""The form of a category (`cs.AI`, `physics.ao-ph`) or an archive (`hep-th`)."""

_INNERMOST = re.compile(r"\([^()]*\)")
_DEEPEST_AFFILIATION = 4
_SUFFIX = re.compile(r"(?:Jr|Sr)\.?|I{2,3}|IV")


def arxiv_record(entry: Entry, *, announces: bool = True) -> Record:
    """Return the record of an entry; raises BadEntry without a title or arXiv id."""
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


def mail_date(stated: str) -> str:
    """Convert an RFC 822 date to RFC 3339; return anything else unchanged."""
    try:
        return parsedate_to_datetime(stated).isoformat()
    except (ValueError, OverflowError):
        return stated


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
