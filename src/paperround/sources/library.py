"""A reader's own library, in whichever form they have it: BibTeX, RIS, CSL-JSON, or plain lines of
arXiv ids, DOIs, addresses and titles. Pure.

    @article{...          ─► BibTeX        TY  - JOUR ...   ─► RIS
    [{"title": ...}]      ─► CSL-JSON      anything else    ─► one work a line
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import chain

from paperround.domain.errors import UnreadableFile
from paperround.domain.identifiers import ARXIV, arxiv_id, doi_identifier
from paperround.domain.libraries import MOST_WORKS, GivenWork, Library
from paperround.domain.papers import ParsedBatch, Reject
from paperround.sources.bibtex import START as BIBTEX_START
from paperround.sources.bibtex import read_bibtex
from paperround.sources.charsets import text_of_bytes
from paperround.sources.entries import BadEntry, reject
from paperround.sources.references import Reference, reference_record
from paperround.sources.ris import START as RIS_START
from paperround.sources.ris import read_ris

LINES = "plain lines"

_JSON = re.compile(r"[\ufeff\s]*(?:\[\s*[\[{\]]|\{)")
"""How a list of objects begins; `[12] A. Lovelace` is a line of references."""

_BULLET = re.compile(r"\s*(?:[-*•·–—]|\(?\d{1,3}[.)]|\[\d{1,3}\])\s+")
_STATED = re.compile(
    r"(?:arxiv\s*:\s*|arxiv\.org/(?:abs|pdf|html)/)(\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{7})"
    r"(?:v\d+)?",
    re.IGNORECASE,
)
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>]+", re.IGNORECASE)
_PARTED = re.compile(r"[\s,;]+")
_LONGEST_LINE = 1000
_NEITHER = "there is neither a title nor an identifier in it"


def read_library(content: bytes) -> Library:
    """Every work in it, each once, the first MOST_WORKS of them.

    Raises UnreadableFile for what holds no text, or JSON that is no CSL-JSON.
    """
    if b"\0" in content[:1000] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableFile(
            "the file is no text: export the library as BibTeX, RIS or CSL-JSON, and give that"
        )
    text = text_of_bytes(content)
    if not text.strip():
        raise UnreadableFile("there is nothing in it")
    if _JSON.match(text) and not BIBTEX_START.search(text):
        return read_csl(text)
    if BIBTEX_START.search(text):
        return _library("BibTeX", _works(read_bibtex(content)))
    if RIS_START.search(text.replace("\r", "\n")):
        return _library("RIS", _works(read_ris(content)))
    return _library(LINES, _of_lines(text))


def _library(called: str, found: Iterator[GivenWork | Reject]) -> Library:
    works: dict[tuple[object, ...], GivenWork] = {}
    refused: list[Reject] = []
    for one in found:
        if isinstance(one, Reject):
            refused.append(one)
        else:
            works.setdefault((*sorted(one.identifiers.items()), one.title.casefold()), one)
    each = tuple(works.values())
    return Library(
        called=called,
        works=each[:MOST_WORKS],
        refused=tuple(refused),
        left=max(0, len(each) - MOST_WORKS),
    )


def _works(batch: ParsedBatch) -> Iterator[GivenWork | Reject]:
    named = (
        GivenWork(title=one.title, identifiers=_lasting(one.identifiers)) for one in batch.records
    )
    return chain(named, batch.rejects)


def _lasting(identifiers: Mapping[str, str]) -> dict[str, str]:
    """What names a work everywhere: not an address, nor a number of some file."""
    kinds = ("arxiv", "doi", "biorxiv", "pmid")
    return {kind: identifiers[kind] for kind in kinds if kind in identifiers}


# --- CSL-JSON ----------------------------------------------------------------------------------


def read_csl(text: str) -> Library:
    """Works in CSL-JSON: a list of items, or an object that holds one as `items`.

    Raises UnreadableFile for anything else.
    """
    try:
        said = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        raise UnreadableFile("it begins like JSON and cannot be read as JSON") from None
    items = said.get("items", [said]) if isinstance(said, dict) else said
    if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
        raise UnreadableFile("this JSON is no CSL-JSON, which is a list of works")
    return _library("CSL-JSON", _of_items(items))


def _of_items(items: list[dict[str, object]]) -> Iterator[GivenWork | Reject]:
    for position, item in enumerate(items, start=1):
        try:
            record = reference_record(_reference(item))
        except BadEntry as problem:
            yield reject(problem, position, json.dumps(item)[:500])
            continue
        yield GivenWork(title=record.title, identifiers=_lasting(record.identifiers))


def _reference(item: Mapping[str, object]) -> Reference:
    def said(*keys: str) -> tuple[str, ...]:
        return tuple(str(item[key]) for key in keys if isinstance(item.get(key), str | int))

    pmid = said("PMID")
    notes = (line for text in said("note") for line in text.splitlines())
    return Reference(
        title=next(iter(said("title")), ""),
        names=(
            *said("DOI", "number", "archive_location"),
            *(f"PMID: {one}" for one in pmid),
            *notes,
        ),
        addresses=said("URL"),
    )


# --- plain lines -------------------------------------------------------------------------------


def _of_lines(text: str) -> Iterator[GivenWork | Reject]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield from _of_line(_BULLET.sub("", line, count=1).strip(), number)


def _of_line(line: str, number: int) -> Iterator[GivenWork | Reject]:
    """The works of a line: several identifiers, or one work with its title beside an identifier."""
    several = [_named(part) for part in _PARTED.split(line) if part]
    if several and all(several):
        yield from (GivenWork(identifiers=dict([one])) for one in several if one)
        return
    if stated := _stated(line):
        yield GivenWork(identifiers=dict([stated]))
        return
    title = " ".join(line.split())
    if len(title) > _LONGEST_LINE or not title.isprintable():
        problem = "is too long for a title, or holds characters that cannot be printed"
        yield reject(BadEntry("no-title", f"line {number} {problem}"), number, line)
    elif not any(char.isalnum() for char in title):
        yield reject(BadEntry("no-title", f"line {number}: {_NEITHER}"), number, line)
    else:
        yield GivenWork(title=title)


def _named(part: str) -> tuple[str, str] | None:
    """(kind, value) of a part that is an identifier and nothing else."""
    bare = part.strip("<>()[]\"'")
    if ARXIV.fullmatch(bare):
        found = arxiv_id(bare)
        return None if found is None else ("arxiv", found[0])
    return doi_identifier(bare)


def _stated(line: str) -> tuple[str, str] | None:
    """The identifier that stands in a line of a list of references, or begins one of arXiv's."""
    first, _, rest = line.partition(" ")
    if rest and (named := _named(first)):
        return named
    if match := _STATED.search(line):
        return "arxiv", match[1].lower()
    match = _DOI.search(line)
    return doi_identifier(match[0].rstrip(".,;)]")) if match else None
