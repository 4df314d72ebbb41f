"""Parse RIS, the exchange format of reference managers: lines of a tag and a text, from TY to ER.

    TY  - JOUR
    AU  - Lovelace, Ada
    TI  - On tides
    ER  -

A line without a tag continues the text before it. An entry ends at ER or, without one, at the next
TY. Two spaces follow a tag; an entry whose TY has another number uses that number throughout. Tags
that exporters use differently are read in all their meanings.
"""

import re
from collections.abc import Iterator

from paperround.core.errors import UnreadableFile
from paperround.core.languages import marked
from paperround.feeds.formats.charsets import text_of_bytes
from paperround.feeds.formats.dates import period_of
from paperround.feeds.formats.entries import MOST_BYTES, BadEntry, batch_of
from paperround.feeds.formats.references import (
    Reference,
    arxiv_name,
    given_name_first,
    reference_record,
    require_utf8,
    split_dois,
    strip_volatile_notes,
)
from paperround.papers.model import ParsedBatch, Record

Fields = dict[str, list[str]]

START = re.compile(r"^TY(?:  - | {1,3}- ?[A-Z])", re.MULTILINE)
"""The beginning of an entry."""

_LINE = re.compile(r"([A-Z][A-Z0-9])  -(?: (.*)|\s*)", re.ASCII)
_LOOSE_LINE = re.compile(
    r"(TY|ER|A[1-4BDNUV]|B[1T]|C[1-8ANPTY]|D[ABOPS]|E[DPT]|I[DS]|J[12AFO]|KW|L[1-4ABK]|M[1-3]|N[12V]|"
    r"OP|P[BDPY]|R[INP]|S[ENPTV]|T[1-3AIT]|U[1-5]|UR|V[LO]|Y[12]) {1,3}-(?: (.*)|\s*)",
    re.ASCII,
)
_LOOSE_END = re.compile(r"(ER) {1,3}-\s*(\Z)")
_START, _END = "TY", "ER"
_EACH_LINE = frozenset({"AU", "A1", "KW"})
"""Tags whose continuation lines are further values."""

_MEDLINE = re.compile(r"pubmed|medline|\bnlm\b", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]{3}")
_VOLATILE = frozenset({"Y2"})
"""Tags of the access date."""


def read_ris(content: bytes) -> ParsedBatch:
    """Return the papers, and a reject for each entry that is none. Entries count from 1.

    Raises UnreadableFile for text without an entry.
    """
    text = text_of_bytes(content)
    batch = batch_of(
        _entries(text),
        lambda lines: [_record(lines)],
        "\n".join,
    )
    if text.strip() and not batch.records and not batch.rejects:
        raise UnreadableFile("the file has no entry that begins with TY: it is not a RIS file")
    return batch


def _entries(text: str) -> Iterator[list[str]]:
    """Yield the lines of each entry, without those between entries that have no tag."""
    lines: list[str] = []
    # Unlike `splitlines`, split only at LF, CRLF or CR.
    all_lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for raw_line in all_lines:
        line = raw_line.lstrip("\ufeff")
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


def _match_line(line: str, *, is_loose: bool) -> re.Match[str] | None:
    """Match the tag and text of a line; None for a continuation line."""
    if match := _LINE.fullmatch(line) or _LOOSE_END.fullmatch(line):
        return match
    return _LOOSE_LINE.fullmatch(line) if is_loose or START.match(line) else None


def _tag(line: str) -> str | None:
    match = _match_line(line, is_loose=False)
    return match[1] if match else None


def _record(lines: list[str]) -> Record:
    if _tag(lines[0]) != _START:
        raise BadEntry("no-type", marked("the entry does not begin with TY"))
    if sum(map(len, lines)) > MOST_BYTES:
        raise BadEntry(
            "too-long", marked("the entry has more than %(all)s characters", all=MOST_BYTES)
        )
    for line in lines:
        require_utf8(line)
    return reference_record(_reference(_fields(lines)))


def _fields(lines: list[str]) -> Fields:
    fields: Fields = {}
    tag, is_loose = _START, _LINE.fullmatch(lines[0]) is None
    for line in lines:
        match = _match_line(line, is_loose=is_loose)
        tag = match[1] if match else tag
        text = ((match[2] or "") if match else line).strip()
        if text:
            fields.setdefault(tag, []).append(text if match or tag in _EACH_LINE else f"\n{text}")
    return {tag: _join_lines(texts) for tag, texts in fields.items()}


def _join_lines(texts: list[str]) -> list[str]:
    """Join continuation lines, which begin with a line break here, to the line before."""
    starts = [at for at, text in enumerate(texts) if at == 0 or not text.startswith("\n")]
    ends = [*starts[1:], len(texts)]
    return ["".join(texts[a:b]).strip() for a, b in zip(starts, ends, strict=True)]


def _reference(fields: Fields) -> Reference:
    def values(*tags: str) -> tuple[str, ...]:
        return tuple(text for tag in tags for text in fields.get(tag, ()))

    def first(*tags: str) -> str:
        return next(iter(values(*tags)), "")

    # Leave out what changes with every export.
    stable = {tag: texts for tag, texts in fields.items() if tag not in _VOLATILE}
    if "N1" in fields:
        stable["N1"] = [strip_volatile_notes(text) for text in fields["N1"]]
    names: list[str] = []
    for text in values("AU", "A1"):  # some exporters put all authors into one line
        names += [text] if "&" in text else filter(str.strip, text.split(";"))
    year = first("PY", "Y1")[:4]
    days = (text for text in values("PD", "DA") if period_of(text) is None)  # MAY 10, Jan 8
    return Reference(
        title=first("TI", "T1", "CT", "BT"),
        abstract=first("AB", "N2"),
        authors=tuple(map(given_name_first, names)),
        names=(
            *(one for text in values("DO", "M3", "C7") for one in split_dois(text)),
            *values("N1"),
            *_accession_ids(fields),
            *(text for text in values("JO", "JF", "T2", "VL", "SP") if arxiv_name(text)),
        ),
        addresses=values("UR", "LK", "L2"),
        pdfs=values("L1"),
        keywords=values("KW"),
        dates=(
            *values("DA", "Y1", "PY"),
            *(f"{year} {text}" for text in days if _LETTERS.search(text)),
        ),
        journal=first("JO", "JF", "T2", "JA", "J2"),
        content=stable,
    )


def _accession_ids(fields: Fields) -> tuple[str, ...]:
    """Return accession numbers, as PubMed ids when the entry names PubMed as its source."""
    numbers = fields.get("AN", [])
    preprints = tuple(text for text in numbers if arxiv_name(text))
    if not any(_MEDLINE.search(text[:100]) for tag in ("DB", "DP") for text in fields.get(tag, ())):
        return preprints
    return (*preprints, *(f"PMID: {text}" for text in numbers if text.isdecimal()))
