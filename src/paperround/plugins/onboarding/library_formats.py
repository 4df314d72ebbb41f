"""Parse a reader's library: BibTeX, RIS, CSL-JSON, items of Zotero, or lines of arXiv ids, DOIs,
addresses and titles.

    @article{...          ─► BibTeX        [{"data": {"itemType": ...}}]  ─► items of Zotero
    TY  - JOUR ...        ─► RIS           [{"title": ...}]               ─► CSL-JSON
    anything else         ─► one work per line

Lines outside of BibTeX or RIS entries are notes, and are ignored. Pure functions.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from paperround.core.errors import UnreadableFile
from paperround.core.languages import marked
from paperround.feeds.formats.bibtex import START as BIBTEX_START
from paperround.feeds.formats.bibtex import read_bibtex
from paperround.feeds.formats.charsets import text_of_bytes
from paperround.feeds.formats.entries import BadEntry, batch_of, reject
from paperround.feeds.formats.references import Reference, reference_record
from paperround.feeds.formats.ris import START as RIS_START
from paperround.feeds.formats.ris import read_ris
from paperround.papers.identifiers import ARXIV, arxiv_id, doi_identifier
from paperround.papers.model import ParsedBatch, Record, Reject

MOST_WORKS = 1000
"""Only the first works of a library are imported."""

LINES = marked("plain lines")

_JSON = re.compile(r"[\ufeff\s]*(?:\[\s*[\[{\]]|\{)")
"""The start of a list of objects; `[12] A. Lovelace` is a line of references."""

_NO_WORKS = frozenset({"annotation", "attachment", "note"})
"""Types of Zotero items that are not works."""

_BULLET = re.compile(r"\s*(?:[-*•·–—]|\(?\d{1,3}[.)]|\[\d{1,3}\])\s+")
_STATED = re.compile(
    r"(?:arxiv\s*:\s*|arxiv\.org/(?:abs|pdf|html)/)(\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{7})"
    r"(?:v\d+)?",
    re.IGNORECASE,
)
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>]+", re.IGNORECASE)
_PARTED = re.compile(r"[\s,;]+")
_LONGEST_LINE = 1000
_NEITHER = marked("it has neither a title nor an identifier")
_NO_TITLE = marked("it is too long for a title, or contains unprintable characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenWork:
    """A work by its title, its identifiers (kind: value), or both."""

    title: str = ""
    identifiers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A parsed file: `called` is the name of its format, `left` the number of works over the limit,
    `refused` the invalid entries or lines, with reasons. `size` counts these and all works, even
    those given twice."""

    called: str
    works: tuple[GivenWork, ...] = ()
    refused: tuple[Reject, ...] = ()
    left: int = 0
    size: int = 0

    @property
    def is_of_lines(self) -> bool:
        """Whether it has lines, and no entries."""
        return self.called == LINES


def read_library(content: bytes) -> Library:
    """Return the first MOST_WORKS works, without duplicates.

    Raises UnreadableFile for content that is no text, or JSON that is no list of works.
    """
    if b"\0" in content[:1000] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableFile(
            marked(
                "this is not a text file: export the library as BibTeX, RIS or CSL-JSON, and use "
                "that"
            )
        )
    text = text_of_bytes(content)
    if not text.strip():
        raise UnreadableFile(marked("it is empty"))
    if _JSON.match(text) and not BIBTEX_START.search(text):
        return read_json(text)
    if BIBTEX_START.search(text):
        return _build_library("BibTeX", _entry_works(read_bibtex(content)))
    if RIS_START.search(text.replace("\r", "\n")):
        return _build_library("RIS", _entry_works(read_ris(content)))
    return _build_library(LINES, _line_works(text))


_Found = GivenWork | Reject
_Fields = Mapping[str, object]


def _build_library(called: str, found: Iterable[_Found]) -> Library:
    """Build the library from its works, without duplicates."""
    given = list(found)
    works: dict[tuple[object, ...], GivenWork] = {}
    for one in given:
        if isinstance(one, GivenWork):
            works.setdefault((*sorted(one.identifiers.items()), one.title.casefold()), one)
    each = tuple(works.values())
    return Library(
        called=called,
        works=each[:MOST_WORKS],
        refused=tuple(one for one in given if isinstance(one, Reject)),
        left=max(0, len(each) - MOST_WORKS),
        size=len(given),
    )


def _entry_works(batch: ParsedBatch) -> Iterator[_Found]:
    for record in batch.records:
        kinds = ("arxiv", "doi", "biorxiv", "pmid")  # no addresses or numbers of a file
        named = {kind: record.identifiers[kind] for kind in kinds if kind in record.identifiers}
        yield GivenWork(title=record.title, identifiers=named)
    yield from batch.rejects


def read_json(text: str) -> Library:
    """Parse CSL-JSON, or what Zotero's API and its exports call JSON: a list of items, or an object
    with a list as `items`.

    Raises UnreadableFile for anything else.
    """
    try:
        value = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        raise UnreadableFile(marked("it begins like JSON but is not valid JSON")) from None
    items = value.get("items", [value]) if isinstance(value, dict) else value
    if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
        raise UnreadableFile(marked("this JSON is not CSL-JSON, which is a list of works"))
    batch = batch_of(items, _records_of_item, lambda item: json.dumps(item)[:500])
    called = "Zotero JSON" if any(map(_zotero_data, items)) else "CSL-JSON"
    return _build_library(called, _entry_works(batch))


def _records_of_item(item: _Fields) -> list[Record]:
    data = _zotero_data(item)
    if data is None:
        numbers = (f"PMID: {one}" for one in _texts(item, "PMID"))
        names = (*_texts(item, "DOI", "number", "archive_location"), *numbers)
        return [_reference_record(item, names, notes="note", address="URL")]
    if data["itemType"] in _NO_WORKS or data.get("deleted"):  # `deleted`: in the trash
        return []
    # Zotero keeps an arXiv id in `archiveID`; before version 6 in the number of a report, the name
    # of the journal, or a line of `extra`.
    held = _texts(data, "DOI", "archiveID", "number", "reportNumber", "publicationTitle")
    return [_reference_record(data, held, notes="extra", address="url")]


def _reference_record(fields: _Fields, names: Iterable[str], *, notes: str, address: str) -> Record:
    lines = (line for text in _texts(fields, notes) for line in text.splitlines())
    title, addresses = next(_texts(fields, "title"), ""), tuple(_texts(fields, address))
    return reference_record(Reference(title=title, names=(*names, *lines), addresses=addresses))


def _zotero_data(item: _Fields) -> _Fields | None:
    """Return the fields of a Zotero item, which its API wraps in `data`; None for another item."""
    data = item.get("data", item)
    return data if isinstance(data, dict) and isinstance(data.get("itemType"), str) else None


def _texts(fields: _Fields, *names: str) -> Iterator[str]:
    return (str(fields[name]) for name in names if isinstance(fields.get(name), str | int))


def _line_works(text: str) -> Iterator[_Found]:
    """Yield the works of each line: several identifiers, or one work with its title."""
    for number, raw_line in enumerate(text.splitlines(), start=1):
        if not raw_line.strip():
            continue
        line = _BULLET.sub("", raw_line, count=1).strip()
        named, title = list(_identified_works(line)), " ".join(line.split())
        if named:
            yield from named
        elif len(title) > _LONGEST_LINE or not title.isprintable():
            yield reject(BadEntry("no-title", _NO_TITLE), number, line)
        elif not any(char.isalnum() for char in title):
            yield reject(BadEntry("no-title", _NEITHER), number, line)
        else:
            yield GivenWork(title=title)


def _identified_works(line: str) -> Iterator[GivenWork]:
    """Yield the works that a line identifies."""
    several = [_parse_identifier(part) for part in _PARTED.split(line) if part]
    if several and all(several):
        yield from (GivenWork(identifiers=dict([one])) for one in several if one)
        return
    # The identifier is first in a line of arXiv, or anywhere in a line of a reference list.
    first, _, rest = line.partition(" ")
    stated = _parse_identifier(first) if rest else None
    if stated is None and (match := _STATED.search(line)):
        stated = "arxiv", match[1].lower()
    if stated is None and (match := _DOI.search(line)):
        stated = doi_identifier(match[0].rstrip(".,;)]"))
    if stated is not None:
        yield GivenWork(identifiers=dict([stated]))


def _parse_identifier(part: str) -> tuple[str, str] | None:
    """Return (kind, value) of a part that is an identifier and nothing else."""
    bare = part.strip("<>()[]\"'")
    if ARXIV.fullmatch(bare):
        found = arxiv_id(bare)
        return None if found is None else ("arxiv", found[0])
    return doi_identifier(bare)
