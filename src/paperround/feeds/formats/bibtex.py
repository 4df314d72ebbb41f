r"""Parse BibTeX and BibLaTeX of Zotero, Mendeley, Google Scholar, arXiv, DBLP and the ACL
Anthology.

    text ─► pieces, each from an `@word{` that begins a line ─► bibtexparser ─► fields ─► Record

Each piece is parsed separately, so an entry with unclosed braces is one reject and affects no
other. `@string` macros are expanded, `@comment` and `@preamble` are ignored.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from paperround.core.errors import UnreadableFile
from paperround.core.languages import marked
from paperround.feeds.formats.charsets import text_of_bytes
from paperround.feeds.formats.entries import MOST_BYTES, BadEntry, reject
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
from paperround.papers.tex_symbols import IN_TEXT

if TYPE_CHECKING:
    from bibtexparser.model import Block

START = re.compile(r"^[ \t]*@[ \t]*\w+[ \t\r\n]*[{(]", re.MULTILINE)
"""The beginning of a piece of a bibliography."""

_NO_ENTRY = re.compile(r"\s*@\s*(?:comment|preamble)\b", re.IGNORECASE)
_UNREADABLE = marked(
    "the entry cannot be read: check that its braces and quotes are closed, and that commas "
    "separate its fields"
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
    # The library logs what it cannot read; here those are rejects.
    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL + 1)
    text = text_of_bytes(content)
    starts = [match.start() for match in START.finditer(text)]
    reading = _EntryReader()
    for start, end in pairwise([*starts, len(text)]):
        reading.add(text[start:end])
    if text.strip() and not reading.position:
        raise UnreadableFile(
            marked("the file has no entry such as @article{...}: it is not BibTeX")
        )
    return ParsedBatch(records=tuple(reading.records), rejects=tuple(reading.rejects))


class _EntryReader:
    """The entries and macros read so far."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.rejects: list[Reject] = []
        self.position = 0
        self._macros: dict[str, str] = {}

    def add(self, piece: str) -> None:
        """Read one piece, up to its first broken part."""
        try:
            blocks = _blocks(piece)
        except BadEntry as problem:
            self._reject(problem, piece)
            return
        for block in blocks:
            if not self._read_block(block):
                break

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
        self.rejects.append(reject(problem, self.position, text))


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


# --- values ------------------------------------------------------------------------------------

# Accents and commands are kept: the repair of titles and names handles them everywhere.

MOST_TEXT = 1_000_000
"""Characters of one value with macros expanded."""

_MARK = re.compile(r"\\[A-Za-z]+\*?\s*|\\.|[{}$]", re.DOTALL)
_SIGN = re.compile(r"\\.|[{}\"]", re.DOTALL)
_BACKSLASH = re.compile(r"\s*\\")
_COMMAND = re.compile(r"\s*\\(?:[A-Za-z]{2,}(?:\{(?:[^{}]|\{[^{}]*\}){0,2000}\}){1,2}|[%&#_$])\s*")
_NO_WORD = frozenset('={}"')
_ESCAPED = re.compile(r"\\([_%&#$~^])(?:\{\})?")
_SIGN_NAMES = re.compile(r"\\(text(?:less|greater|asciitilde|underscore))(?:\{\}| )?|\$([<>])\$")


def value_of(raw: str, macros: Mapping[str, str]) -> str:
    """Return the text of a value such as `jan`, `2026`, `{A} # sep # "B"`; unknown macros are kept
    as text. Raises BadEntry for a malformed value, or one longer than `MOST_TEXT`."""
    parts: list[str] = []
    size = 0
    for part in _pieces(raw, macros):
        size += len(part)
        if size > MOST_TEXT:
            raise BadEntry(
                "too-long", marked("a value has more than %(all)s characters", all=MOST_TEXT)
            )
        parts.append(part)
    return "".join(parts)


def _pieces(raw: str, macros: Mapping[str, str]) -> Iterator[str]:
    """Yield the parts between `#`; raises BadEntry for another separator."""
    at = 0
    while at < len(raw):
        at = _skip_space(raw, at)
        if raw[at : at + 1] in {"{", '"'}:
            end = _closing_position(raw, at)
            yield raw[at + 1 : end]
            at = _skip_space(raw, end + 1)
            if at < len(raw) and raw[at] != "#":
                raise _missing_separator(raw)
        else:
            end = raw.find("#", at)
            word = raw[at : end if end >= 0 else len(raw)].strip()
            if not _NO_WORD.isdisjoint(word):
                raise _missing_separator(raw)
            yield macros.get(word.casefold(), word)
            at = end if end >= 0 else len(raw)
        at += 1


def _skip_space(raw: str, at: int) -> int:
    while at < len(raw) and raw[at].isspace():
        at += 1
    return at


def _missing_separator(raw: str) -> BadEntry:
    shown = " ".join(raw[:60].split())
    return BadEntry(
        "bad-bibtex", marked("the values in %(given)s need a comma or # between them", given=shown)
    )


def _closing_position(raw: str, start: int) -> int:
    """Return where the brace or quote at `start` closes; the end of the text if it does not."""
    closes = '"' if raw[start] == '"' else "}"
    depth = 0
    for match in _SIGN.finditer(raw, start + 1):
        sign = match[0]
        if sign == closes and depth == 0:
            return match.start()
        depth += {"{": 1, "}": -1}.get(sign, 0)
    return len(raw)


def unbraced(text: str) -> str:
    r"""Return `text` without the braces that protect capitals: `{BERT}` is BERT.

    Braces are kept in mathematics, around the argument of a command (`\emph{x}`), and around a
    command that they end (`{\"U}`, `{\em so}`). Text with unbalanced braces is unchanged.
    """
    if "{" not in text:
        return text
    dropped = _protective_braces(text)
    return "".join(sign for at, sign in enumerate(text) if at not in dropped)


def _protective_braces(text: str) -> set[int]:
    """Return the positions of protective braces; none when braces are unbalanced."""
    dropped: set[int] = set()
    opened: list[tuple[int, bool]] = []
    after_command, in_math = -1, False  # the start of a command's argument
    for match in _MARK.finditer(text):
        sign, at = match[0], match.start()
        if sign == "$":
            in_math = not in_math
        elif sign == "{":
            opened.append((at, in_math or at == after_command))
        elif sign == "}":
            if not opened:
                return set()
            start, is_needed = opened.pop()
            # Keep a group that ends the command it begins with; a whole `\command{...}` needs none.
            begins = _BACKSLASH.match(text, start + 1, at)
            runs_on = begins and not _COMMAND.fullmatch(text, start + 1, at)
            if not is_needed and not runs_on:
                dropped |= {start, at}
            after_command = at + 1 if is_needed else after_command
        else:
            after_command = match.end()
    return set() if opened else dropped


def verbatim(text: str) -> str:
    r"""Decode an address or an identifier: `a{\_}b` is `a_b`, `\url{x}` is `x`."""
    text = text.strip().removeprefix("\\url").removeprefix("\\href")
    text = _SIGN_NAMES.sub(lambda match: match[2] or IN_TEXT[match[1]], text)
    return _ESCAPED.sub(r"\1", text.replace("{", "").replace("}", "")).strip()
