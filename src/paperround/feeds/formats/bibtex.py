r"""Parse BibTeX and BibLaTeX of Zotero, Mendeley, Google Scholar, arXiv, DBLP and the ACL
Anthology.

    text ─► pieces, each from an `@word{` that begins a line ─► bibtexparser ─► fields ─► Record

Each piece is parsed separately, so an entry with unclosed braces is one reject and affects no
other. `@string` macros are expanded, `@comment` and `@preamble` are ignored.
"""

import logging
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from paperround.core.errors import UnreadableFile
from paperround.core.languages import marked
from paperround.feeds.formats.bibtex_text import unbraced, value_of, verbatim
from paperround.feeds.formats.charsets import text_of_bytes
from paperround.feeds.formats.entries import MOST_BYTES, BadEntry, Line, reject
from paperround.feeds.formats.references import (
    Reference,
    arxiv_name,
    given_name_first,
    reference_record,
    require_utf8,
    split_dois,
    strip_volatile_notes,
)
from paperround.papers.model import ParsedBatch, Record, Reject

if TYPE_CHECKING:
    from bibtexparser.model import Block

START = re.compile(r"^[ \t]*@[ \t]*\w+[ \t\r\n]*[{(]", re.MULTILINE)
"""The beginning of a piece of a bibliography."""

_NO_ENTRY = re.compile(r"\s*@\s*(?:comment|preamble)\b", re.IGNORECASE)
_EXCERPT = 1000
_UNREADABLE = marked(
    "the entry cannot be read: see that its braces and quotes close, and that commas part its "
    "fields"
)
_MOST_MACRO = 2000
_MOST_AUTHORS = 100_000
"""Characters of the authors of one work."""

_TEXTS = "title abstract keywords journal journaltitle booktitle note author".split()
_NAMES = (
    "doi eprint archiveprefix eprinttype eprintclass primaryclass arxivid pmid url howpublished"
    " file pdf number volume pages eid date year month day"
).split()
_NAME_PARTS = re.compile(r"\s*(?:family|given|prefix|suffix)(?:-i)?\s*=")
_NAME_PART = re.compile(
    r"""(?:^|,)\s*([a-z-]{1,20})\s*=\s*(\{(?:[^{}]|\{[^{}]*\})*\}|"[^"]*"|[^,]*)"""
)
_OTHERS = frozenset({"others", "et al", "et al."})


def read_bibtex(content: bytes) -> ParsedBatch:
    """Return the papers, and a reject for each entry that is none. Entries count from 1.

    Raises UnreadableFile for text without an entry.
    """
    return read_bibtex_and_rest(content)[0]


def read_bibtex_and_rest(content: bytes) -> tuple[ParsedBatch, tuple[Line, ...]]:
    """Return the batch of `read_bibtex`, and the lines outside of entries, which BibTeX ignores and
    exporters use for notes. Empty lines and `%` comments are left out."""
    # The library logs what it cannot read; here those are rejects.
    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL + 1)
    text = text_of_bytes(content)
    starts = [match.start() for match in START.finditer(text)]
    reading = _EntryReader()
    reading.collect_rest(text[: starts[0]] if starts else text, 1)
    number = 1 + text.count("\n", 0, starts[0]) if starts else 1
    for start, end in pairwise([*starts, len(text)]):
        reading.add(text[start:end], number)
        number += text.count("\n", start, end)
    if text.strip() and not reading.position:
        raise UnreadableFile(marked("the file has no entry such as @article{...}: it is no BibTeX"))
    batch = ParsedBatch(records=tuple(reading.records), rejects=tuple(reading.rejects))
    return batch, tuple(reading.rest)


class _EntryReader:
    """The entries and macros read so far."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.rejects: list[Reject] = []
        self.rest: list[Line] = []
        self.position = 0
        self._macros: dict[str, str] = {}

    def add(self, piece: str, number: int) -> None:
        """Read one piece that starts at line `number`, up to its first broken part."""
        from bibtexparser.model import ImplicitComment

        try:
            blocks = _blocks(piece)
        except BadEntry as problem:
            self._reject(problem, piece)
            return
        for block in blocks:
            if isinstance(block, ImplicitComment):
                self.collect_rest(block.comment, number + (block.start_line or 0))
            elif not self._read_block(block):
                break

    def collect_rest(self, lines: str, number: int) -> None:
        """Collect the lines outside of entries, numbered from `number`."""
        for at, line in enumerate(lines.split("\n"), start=number):
            text = line.strip(" \t\r\ufeff")
            if text and not text.startswith("%"):
                self.rest.append((at, text))

    def _read_block(self, block: "Block") -> bool:
        """Read a block; return whether the text after it can be trusted."""
        from bibtexparser.model import Entry, ParsingFailedBlock, String

        is_broken = isinstance(block, ParsingFailedBlock) and not _NO_ENTRY.match(block.raw or "")
        inner = block.ignore_error_block if isinstance(block, ParsingFailedBlock) else block
        try:
            if isinstance(inner, Entry):  # duplicate fields or keys are accepted
                require_utf8(inner.raw or "")
                raw: dict[str, str] = {}
                for one in inner.fields:  # BibTeX uses the first of duplicate fields
                    raw.setdefault(one.key.strip().casefold(), one.value)
                fields = {
                    key: value_of(raw[key], self._macros)
                    for key in (*_TEXTS, *_NAMES)
                    if key in raw
                }
                if "note" in fields:
                    fields["note"] = strip_volatile_notes(fields["note"])
                record = reference_record(_reference(fields))
                self.position += 1
                self.records.append(record)
            elif isinstance(inner, String):
                value = value_of(inner.value, self._macros)[:_MOST_MACRO]
                self._macros[inner.key.strip().casefold()] = value
            elif is_broken:
                raise BadEntry("bad-bibtex", _UNREADABLE)
        except BadEntry as problem:
            self._reject(problem, block.raw or "")
        return inner is not None

    def _reject(self, problem: BadEntry, text: str) -> None:
        self.position += 1
        self.rejects.append(reject(problem, self.position, text[:_EXCERPT]))


def _blocks(piece: str) -> list["Block"]:
    if len(piece) > MOST_BYTES:
        raise BadEntry(
            "too-long", marked("the entry has more than %(all)s characters", all=MOST_BYTES)
        )
    from bibtexparser.entrypoint import parse_string
    from bibtexparser.exceptions import ParserStateException

    try:
        return parse_string(piece, parse_stack=[]).blocks
    except ParserStateException:
        raise BadEntry("bad-bibtex", _UNREADABLE) from None


def _reference(fields: Mapping[str, str]) -> Reference:
    texts = {key: unbraced(fields.get(key, "")) for key in _TEXTS}
    names = {key: verbatim(fields.get(key, "")) for key in _NAMES}
    journal = texts["journal"] or texts["journaltitle"] or texts["booktitle"]
    pmid = names["pmid"]
    year, month, day = names["year"], names["month"], names["day"]
    whole = [f"{year} {month} {day}"] if month and day else []
    return Reference(
        title=texts["title"],
        abstract=texts["abstract"],
        authors=_parse_authors(fields.get("author", "")),
        names=(
            *split_dois(names["doi"]),
            _eprint_id(names),
            f"PMID: {pmid}" if pmid else "",
            *(names["number"], texts["note"], journal),
            *(names[key] for key in ("volume", "pages", "eid") if arxiv_name(names[key])),
        ),
        addresses=(names["url"], names["howpublished"]),
        pdfs=(names["pdf"],),
        keywords=tuple(re.split(r"[;,]", texts["keywords"])),
        categories=(names["primaryclass"], names["eprintclass"]),
        # The most precise first; a day needs a month.
        dates=(names["date"], *whole, f"{year} {month}", year),
        journal=journal,
        note=texts["note"],
        content=fields,
    )


def _eprint_id(names: Mapping[str, str]) -> str:
    """Return the number under `eprint`, prefixed with its archive."""
    eprint = names["eprint"] or names["arxivid"]
    archive = (names["archiveprefix"] or names["eprinttype"]).casefold()
    if archive in {"", "arxiv"}:
        return (
            eprint if eprint[:6].casefold() in {"arxiv:", "https:", "http:/"} else f"arXiv:{eprint}"
        )
    return f"PMID: {eprint}" if archive in {"pubmed", "pmid"} else ""


def _parse_authors(text: str) -> tuple[str, ...]:
    """Split the names at `and` outside of braces, each with the given name first."""
    if not text.strip():
        return ()
    from bibtexparser.middlewares.names import split_multiple_persons_names

    names = split_multiple_persons_names(text[:_MOST_AUTHORS])
    return tuple(_parse_name(name) for name in names if name.casefold() not in _OTHERS)


def _parse_name(name: str) -> str:
    """Return `von Neumann, Jr., John` as John von Neumann Jr.; braces group a name."""
    from bibtexparser.middlewares.names import InvalidNameError, parse_single_name_into_parts

    if _NAME_PARTS.match(name):
        # biblatex's extended names: `family=Duc, given=Marc, prefix=le` is Marc le Duc.
        named = {match[1]: match[2].strip(' "') for match in _NAME_PART.finditer(name)}
        each = (named.get(key, "") for key in ("given", "prefix", "family", "suffix"))
        return unbraced(" ".join(filter(None, each)))
    try:
        parts = parse_single_name_into_parts(name, strict=False)
    except InvalidNameError:
        return unbraced(given_name_first(name))
    return unbraced(" ".join((*parts.first, *parts.von, *parts.last, *parts.jr)))
