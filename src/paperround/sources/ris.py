"""RIS, the exchange format of reference managers: lines of a tag and a text, from TY to ER.

    TY  - JOUR
    AU  - Lovelace, Ada
    TI  - On tides
    ER  -

A line without a tag goes on with the text before it. An entry ends at ER, and where that is
missing at the next TY. Tags that the producers use differently are read as all of them use them.
"""

import re
from collections.abc import Iterator

from paperround.domain.errors import UnreadableFile
from paperround.domain.papers import ParsedBatch, Record, Reject
from paperround.sources.entries import MOST_BYTES, BadEntry, reject
from paperround.sources.references import Reference, in_order, readable, reference_record

Fields = dict[str, list[str]]

_LINE = re.compile(r"([A-Z][A-Z0-9])  -(?: (.*)|\s*)", re.ASCII)
_START, _END = "TY", "ER"
_EACH_LINE = frozenset({"AU", "A1", "KW"})
"""Tags whose further lines are further values."""

_MEDLINE = re.compile(r"pubmed|medline|\bnlm\b", re.IGNORECASE)
_EXCERPT = 1000


def read_ris(content: bytes) -> ParsedBatch:
    """Every entry that is a paper, and a reject for each that is not. Entries count from 1.

    Raises UnreadableFile for a text without a single entry.
    """
    text = content.decode("utf-8-sig", "surrogateescape")
    records: list[Record] = []
    rejects: list[Reject] = []
    for position, lines in enumerate(_entries(text), start=1):
        try:
            records.append(_record(lines))
        except BadEntry as problem:
            rejects.append(reject(problem, position, "\n".join(lines)[:_EXCERPT]))
    if text.strip() and not records and not rejects:
        raise UnreadableFile("the file has no entry that begins with TY: it is no RIS file")
    return ParsedBatch(records=tuple(records), rejects=tuple(rejects))


def _entries(text: str) -> Iterator[list[str]]:
    """The lines of each entry; lines between entries are no part of any, unless they have tags."""
    lines: list[str] = []
    for line in _lines(text):
        tag = _tag(line)
        if tag == _START and lines:
            yield lines
            lines = []
        if tag == _END:
            if lines:
                yield lines
            lines = []
        elif lines or tag:
            lines.append(line)
    if lines:
        yield lines


def _lines(text: str) -> Iterator[str]:
    """The lines, whether they end with LF, CRLF or CR; other characters end none."""
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        yield line.lstrip("\ufeff")


def _tag(line: str) -> str | None:
    match = _LINE.fullmatch(line)
    return match[1] if match else None


def _record(lines: list[str]) -> Record:
    if _tag(lines[0]) != _START:
        raise BadEntry("no-type", "the entry does not begin with TY")
    if sum(map(len, lines)) > MOST_BYTES:
        raise BadEntry("too-long", f"the entry has more than {MOST_BYTES:,} characters")
    for line in lines:
        readable(line)
    return reference_record(_reference(_fields(lines)))


def _fields(lines: list[str]) -> Fields:
    fields: Fields = {}
    tag = _START
    for line in lines:
        match = _LINE.fullmatch(line)
        tag = match[1] if match else tag
        text = ((match[2] or "") if match else line).strip()
        if text:
            fields.setdefault(tag, []).append(text if match or tag in _EACH_LINE else f"\n{text}")
    return {tag: _joined(texts) for tag, texts in fields.items()}


def _joined(texts: list[str]) -> list[str]:
    """Lines that go on, which begin with a line's end here, joined to the one before."""
    starts = [at for at, text in enumerate(texts) if at == 0 or not text.startswith("\n")]
    ends = [*starts[1:], len(texts)]
    return ["".join(texts[a:b]).strip() for a, b in zip(starts, ends, strict=True)]


def _reference(fields: Fields) -> Reference:
    def every(*tags: str) -> tuple[str, ...]:
        return tuple(text for tag in tags for text in fields.get(tag, ()))

    def first(*tags: str) -> str:
        return next(iter(every(*tags)), "")

    return Reference(
        title=first("TI", "T1", "CT", "BT"),
        abstract=first("AB", "N2"),
        authors=tuple(map(in_order, every("AU", "A1"))),
        names=(*every("DO", "M3", "C7", "N1"), *_accessions(fields)),
        addresses=every("UR", "LK", "L2"),
        pdfs=every("L1"),
        keywords=every("KW"),
        dates=every("DA", "Y1", "PY"),
        journal=first("JO", "JF", "T2", "JA", "J2"),
        said=fields,
    )


def _accessions(fields: Fields) -> tuple[str, ...]:
    """Accession numbers are PubMed's where the entry says that it comes from there."""
    if not any(_MEDLINE.search(text[:100]) for tag in ("DB", "DP") for text in fields.get(tag, ())):
        return ()
    return tuple(f"PMID: {text}" for text in fields.get("AN", ()) if text.isdecimal())
