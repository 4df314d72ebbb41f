"""What reference managers say of a work, whichever file they say it in, as a record.

A work is named by its DOI, arXiv id or PubMed id. An address names nothing here: many entries of
one bibliography carry that of their conference. A citation key is the owner's own word, and no id.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from paperround.core.languages import marked
from paperround.core.times import midnight_utc
from paperround.feeds.formats.entries import BadEntry, fingerprint, links_of, storable, title_of
from paperround.feeds.formats.feed_names import names_of
from paperround.feeds.formats.stated_dates import period_of
from paperround.feeds.sources.arxiv_record import CATEGORY
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
_PASSING_NOTE = re.compile(
    r"cited by:?\s*\d+|export date:.*|all open access(?:,.*)?", re.IGNORECASE | re.DOTALL
)
"""What Scopus notes of a work at the day of an export."""

_SERVERS = frozenset({"arxiv", "arxiv e-prints", "arxiv preprint", "corr"})
"""What exporters write for the journal of a preprint, in lower case."""

_PMID = re.compile(r"(?:pmid|pubmed(?:\s+id)?)\s*:?\s*(\d{1,8})\.?", re.IGNORECASE)
_PUBMED = re.compile(
    r"https?://(?:pubmed\.ncbi\.nlm\.nih\.gov|www\.ncbi\.nlm\.nih\.gov/pubmed)/(\d{1,8})/?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A work as its file states it. `names` may hold its identifiers among other things, in any
    spelling; the first of a kind counts. `dates` are tried in order, the most exact one counts."""

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
    said: Mapping[str, object] = field(default_factory=dict)


def reference_record(said: Reference) -> Record:
    """The record of a reference; raises BadEntry for one without a title.

    The paper counts from the last day of the stated day, month or year, so that an old
    bibliography brings no news; a time that is not over yet names no listing (see `merge`).
    """
    is_name = arxiv_name(said.note) or _PMID.fullmatch(said.note.strip())
    note = "" if is_name else repair_abstract(said.note)
    journal = repair_title(said.journal)
    is_server = journal.casefold() in _SERVERS or arxiv_name(journal)
    reference = f"Journal reference: {journal}" if journal and not is_server else None
    periods = [found for text in said.dates if (found := period_of(text))]
    when = min(periods, key=lambda one: one.last - one.first, default=None)
    page = next((one for one in said.addresses if links_of({"abstract": one})), None)
    pdf = next((one for one in said.pdfs if links_of({"pdf": one})), None)
    return Record(
        title=title_of({"title": said.title}),
        abstract=storable(said.abstract),
        identifiers=_identifiers(said),
        authors=_filled(said.authors),
        categories=_categories(said),
        keywords=_filled(said.keywords),
        links=links_of({"abstract": page, "pdf": pdf}),
        listed_on=when.last if when else None,
        published_at=midnight_utc(when.first) if when else None,
        comment="; ".join(filter(None, (note, reference))) or None,
        show=Show.LINK,  # whose abstract it is, a reference manager does not say
        fingerprint=fingerprint(json.dumps(said.said, sort_keys=True).encode()),
    )


def in_order(name: str) -> str:
    """`Lovelace, Ada` or `King, Martin, Jr.` the way a person says it."""
    family, *rest = (" ".join(part.split()) for part in name.split(",", 2))
    return " ".join(filter(None, (*rest[:1], family, *rest[1:])))


def readable(text: str) -> str:
    """`text` of an entry; raises BadEntry when bytes in it were no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadEntry("not-utf8", marked("the entry is not UTF-8")) from None
    return text


def dois(text: str) -> tuple[str, ...]:
    """The DOIs of a field that holds several, as INSPIRE writes them; else the field itself."""
    parts = tuple(filter(None, re.split(r"[,;]?\s+", text.strip())))
    return parts if len(parts) > 1 and all(map(_DOI_SIGN.match, parts)) else (text,)


def lasting_note(text: str) -> str:
    """A note without what its exporter counted that day: `Cited by: 5; All Open Access`."""
    parts = [part.strip() for part in text.split(";")]
    kept = [part for part in parts if not _PASSING_NOTE.fullmatch(part)]
    return text if len(kept) == len(parts) else "; ".join(kept)


def arxiv_name(text: str) -> str | None:
    """`arXiv:ID` when all of `text` says that this work is on arXiv."""
    match = _ARXIV.fullmatch(text.strip()) if len(text) < 200 else None
    return f"arXiv:{match[1]}" if match else None


def _identifiers(said: Reference) -> dict[str, str]:
    stated = [arxiv_name(text) or _DOI_LABEL.sub("", text) for text in said.names]
    found = names_of((*stated, *said.addresses), guid="", link=None, feed="")
    texts = (one.strip() for one in (*said.names, *said.addresses) if len(one) < 200)
    matches = (_PMID.fullmatch(one) or _PUBMED.fullmatch(one) for one in texts)
    pmid = next((match[1].lstrip("0") for match in matches if match), "")
    return {**found, **({"pmid": pmid} if pmid else {})}


def _categories(said: Reference) -> tuple[str, ...]:
    """Those stated, and the one in brackets behind an arXiv id: `arXiv:2601.00001 [cs.LG]`."""
    matches = (_ARXIV.fullmatch(one.strip()) for one in said.names if len(one) < 200)
    behind = (match[2] or "" for match in matches if match)
    return tuple(dict.fromkeys(filter(CATEGORY.fullmatch, (*said.categories, *behind))))


def _filled(texts: tuple[str, ...]) -> tuple[str, ...]:
    joined = (" ".join(text.split()) for text in texts[:_MOST_NAMES])
    return tuple(storable(text) for text in joined if text)
