"""Convert references of any reference manager to records.

A work is identified by its DOI, arXiv id or PubMed id. Addresses do not identify it: many entries
of a bibliography have that of their conference. Citation keys are chosen by the owner and no ids.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from paperround.core.languages import marked
from paperround.core.times import midnight_utc
from paperround.feeds.formats.arxiv import CATEGORY
from paperround.feeds.formats.dates import period_of
from paperround.feeds.formats.entries import BadEntry, fingerprint, links_of, storable, title_of
from paperround.feeds.formats.feed_names import PUBMED, names_of
from paperround.papers.model import Record, Show
from paperround.papers.text import repair_abstract, repair_title

_MOST_NAMES = 1000
_DOI_LABEL = re.compile(r"\s*doi:?\s+", re.IGNORECASE)
_ARXIV = re.compile(
    r"(?:arxiv\s+(?:preprint|e-prints?),?\s+)?(?:arxiv:\s*|abs/)"
    r"(\d{4}\.\d{4,5}(?:v\d+)?|[a-z-]+(?:\.[a-z]{2})?/\d{7}(?:v\d+)?)"
    r"(?:\s*\[([^\]\s]{1,40})\][^\n]{0,80})?\s*[.,]?",
    re.IGNORECASE,
)
_DOI_SIGN = re.compile(r"(?:doi:\s*|https?://(?:dx\.)?doi\.org/)?10\.\d", re.IGNORECASE)
_VOLATILE_NOTE = re.compile(
    r"cited by:?\s*\d+|export date:.*|all open access(?:,.*)?", re.IGNORECASE | re.DOTALL
)
"""Notes of Scopus that change with the day of the export."""

_SERVERS = frozenset({"arxiv", "arxiv e-prints", "arxiv preprint", "corr"})
"""Journals that exporters state for preprints, in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A work as its file states it. `names` may hold identifiers among other text, in any spelling;
    the first of a kind counts. Of `dates` the most precise one counts, the first of equals."""

    title: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    pdfs: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    journal: str = ""
    note: str = ""
    content: Mapping[str, object] = field(default_factory=dict)


def reference_record(reference: Reference) -> Record:
    """Return the record of a reference; raises BadEntry without a title.

    The paper is listed on the last day of the stated day, month or year, so that an old
    bibliography is not news; a period that is not over yet is ignored (see `merge`).
    """
    is_name = arxiv_name(reference.note) or PUBMED.fullmatch(reference.note.strip())
    note = "" if is_name else repair_abstract(reference.note)
    journal = repair_title(reference.journal)
    is_server = journal.casefold() in _SERVERS or arxiv_name(journal)
    published = f"Journal reference: {journal}" if journal and not is_server else None
    periods = [found for text in reference.dates if (found := period_of(text))]
    period = min(periods, key=lambda one: one.last - one.first, default=None)
    # `arXiv:2601.00001 [cs.LG]` names a category, too.
    matches = (_ARXIV.fullmatch(one.strip()) for one in reference.names if len(one) < 200)
    categories = (*reference.categories, *(match[2] or "" for match in matches if match))
    page = next((one for one in reference.addresses if links_of({"abstract": one})), None)
    pdf = next((one for one in reference.pdfs if links_of({"pdf": one})), None)
    return Record(
        title=title_of({"title": reference.title}),
        abstract=storable(reference.abstract),
        identifiers=_identifiers(reference),
        authors=_filled(reference.authors),
        categories=tuple(dict.fromkeys(filter(CATEGORY.fullmatch, categories))),
        keywords=_filled(reference.keywords),
        links=links_of({"abstract": page, "pdf": pdf}),
        listed_on=period.last if period else None,
        published_at=midnight_utc(period.first) if period else None,
        comment="; ".join(filter(None, (note, published))) or None,
        show=Show.LINK,  # who owns the abstract is unknown
        fingerprint=fingerprint(json.dumps(reference.content, sort_keys=True).encode()),
    )


def given_name_first(name: str) -> str:
    """Return `Lovelace, Ada` or `King, Martin, Jr.` with the given name first."""
    family, *rest = (" ".join(part.split()) for part in name.split(",", 2))
    return " ".join(filter(None, (*rest[:1], family, *rest[1:])))


def require_utf8(text: str) -> None:
    """Raise BadEntry when `text` contains bytes that were not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadEntry("not-utf8", marked("the entry is not UTF-8")) from None


def split_dois(text: str) -> tuple[str, ...]:
    """Return the DOIs of a field with several, as INSPIRE writes them; else the field."""
    parts = tuple(filter(None, re.split(r"[,;]?\s+", text.strip())))
    return parts if len(parts) > 1 and all(map(_DOI_SIGN.match, parts)) else (text,)


def strip_volatile_notes(text: str) -> str:
    """Return a note without daily counts of exporters: `Cited by: 5; All Open Access`."""
    parts = [part.strip() for part in text.split(";")]
    kept = [part for part in parts if not _VOLATILE_NOTE.fullmatch(part)]
    return text if len(kept) == len(parts) else "; ".join(kept)


def arxiv_name(text: str) -> str | None:
    """Return `arXiv:ID` when all of `text` identifies a work on arXiv."""
    match = _ARXIV.fullmatch(text.strip()) if len(text) < 200 else None
    return f"arXiv:{match[1]}" if match else None


def _identifiers(reference: Reference) -> dict[str, str]:
    stated = [arxiv_name(text) or _DOI_LABEL.sub("", text) for text in reference.names]
    return names_of((*stated, *reference.addresses), guid="", link=None, feed="")


def _filled(texts: tuple[str, ...]) -> tuple[str, ...]:
    joined = (" ".join(text.split()) for text in texts[:_MOST_NAMES])
    return tuple(storable(text) for text in joined if text)
