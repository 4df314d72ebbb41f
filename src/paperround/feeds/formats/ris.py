"""RIS, the exchange format of reference managers: lines of a tag and a text, from TY to ER.

    TY  - JOUR
    AU  - Lovelace, Ada
    TI  - On tides
    ER  -

A line without a tag goes on with the text before it. An entry ends at ER, and where that is
missing at the next TY. Two spaces follow a tag; an entry whose TY has another number of them is
written so throughout. Tags that the producers use differently are read as all of them use them.
"""

import re
from collections.abc import Iterator

from paperround.core.errors import UnreadableFile
from paperround.core.languages import marked
from paperround.feeds.formats.charsets import text_of_bytes
from paperround.feeds.formats.entries import MOST_BYTES, BadEntry, Line, batch_of
from paperround.feeds.formats.references import (
    Reference,
    arxiv_name,
    dois,
    in_order,
    lasting_note,
    readable,
    reference_record,
)
from paperround.feeds.formats.stated_dates import period_of
from paperround.papers.model import ParsedBatch, Record

Fields = dict[str, list[str]]

START = re.compile(r"^TY(?:  - | {1,3}- ?[A-Z])", re.MULTILINE)
"""Where an entry begins."""

_LINE = re.compile(r"([A-Z][A-Z0-9])  -(?: (.*)|\s*)", re.ASCII)
_LOOSE_LINE = re.compile(
    r"(TY|ER|A[1-4BDNUV]|B[1T]|C[1-8ANPTY]|D[ABOPS]|E[DPT]|I[DS]|J[12AFO]|KW|L[1-4ABK]|M[1-3]|N[12V]|"
    r"OP|P[BDPY]|R[INP]|S[ENPTV]|T[1-3AIT]|U[1-5]|UR|V[LO]|Y[12]) {1,3}-(?: (.*)|\s*)",
    re.ASCII,
)
_LOOSE_END = re.compile(r"(ER) {1,3}-\s*(\Z)")
_START, _END = "TY", "ER"
_EACH_LINE = frozenset({"AU", "A1", "KW"})
"""Tags whose further lines are further values."""

_MEDLINE = re.compile(r"pubmed|medline|\bnlm\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{3}")
_PASSING = frozenset({"Y2"})
"""Tags that say when somebody looked at the work."""

_EXCERPT = 1000


def read_ris(content: bytes) -> ParsedBatch:
    """Every entry that is a paper, and a reject for each that is not. Entries count from 1.

    Raises UnreadableFile for a text without a single entry.
    """
    return read_ris_and_rest(content)[0]


def read_ris_and_rest(content: bytes) -> tuple[ParsedBatch, tuple[Line, ...]]:
    """As `read_ris`, and the lines that are part of no entry, empty ones left out."""
    text = text_of_bytes(content)
    rest: list[Line] = []
    batch = batch_of(
        _entries(text, rest),
        lambda lines: [_record(lines)],
        lambda lines: "\n".join(lines)[:_EXCERPT],
    )
    if text.strip() and not batch.records and not batch.rejects:
        raise UnreadableFile("the file has no entry that begins with TY: it is no RIS file")
    return batch, tuple(rest)


def _entries(text: str, rest: list[Line]) -> Iterator[list[str]]:
    """The lines of each entry; lines between entries are no part of any, unless they have tags:
    they are added to `rest`."""
    lines: list[str] = []
    # Lines end with LF, CRLF or CR; other characters end none.
    every = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, marked_line in enumerate(every, start=1):
        line = marked_line.lstrip("\ufeff")
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
        elif line.strip():
            rest.append((number, line.strip()))
    if lines:
        yield lines


def _tagged(line: str, *, is_loose: bool) -> re.Match[str] | None:
    """The tag of a line and its text; None for one that goes on with the text before."""
    if match := _LINE.fullmatch(line) or _LOOSE_END.fullmatch(line):
        return match
    return _LOOSE_LINE.fullmatch(line) if is_loose or START.match(line) else None


def _tag(line: str) -> str | None:
    match = _tagged(line, is_loose=False)
    return match[1] if match else None


def _record(lines: list[str]) -> Record:
    if _tag(lines[0]) != _START:
        raise BadEntry("no-type", marked("the entry does not begin with TY"))
    if sum(map(len, lines)) > MOST_BYTES:
        raise BadEntry(
            "too-long", marked("the entry has more than %(all)s characters", all=MOST_BYTES)
        )
    for line in lines:
        readable(line)
    return reference_record(_reference(_fields(lines)))


def _fields(lines: list[str]) -> Fields:
    fields: Fields = {}
    tag, is_loose = _START, _LINE.fullmatch(lines[0]) is None
    for line in lines:
        match = _tagged(line, is_loose=is_loose)
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

    # What stays the same however often the work is exported.
    lasting = {tag: texts for tag, texts in fields.items() if tag not in _PASSING}
    if "N1" in fields:
        lasting["N1"] = [lasting_note(text) for text in fields["N1"]]
    return Reference(
        title=first("TI", "T1", "CT", "BT"),
        abstract=first("AB", "N2"),
        authors=tuple(in_order(name) for text in every("AU", "A1") for name in _people(text)),
        names=(
            *(one for text in every("DO", "M3", "C7") for one in dois(text)),
            *every("N1"),
            *_accessions(fields),
            *(text for text in every("JO", "JF", "T2", "VL", "SP") if arxiv_name(text)),
        ),
        addresses=every("UR", "LK", "L2"),
        pdfs=every("L1"),
        keywords=every("KW"),
        dates=(*every("DA", "Y1", "PY"), *_days(every("PD", "DA"), first("PY", "Y1"))),
        journal=first("JO", "JF", "T2", "JA", "J2"),
        said=lasting,
    )


def _people(text: str) -> list[str]:
    """The names of a line; some exporters put all authors into one."""
    return [text] if "&" in text else list(filter(str.strip, text.split(";")))


def _days(texts: tuple[str, ...], year: str) -> Iterator[str]:
    """Dates whose year stands under another tag, with it: `PD  - MAY 10`, `DA  - Jan 8`."""
    for text in texts:
        if period_of(text) is None and _WORD.search(text):
            yield f"{year[:4]} {text}"


def _accessions(fields: Fields) -> tuple[str, ...]:
    """Accession numbers are PubMed's where the entry says that it comes from there."""
    numbers = fields.get("AN", [])
    preprints = tuple(text for text in numbers if arxiv_name(text))
    if not any(_MEDLINE.search(text[:100]) for tag in ("DB", "DP") for text in fields.get(tag, ())):
        return preprints
    return (*preprints, *(f"PMID: {text}" for text in numbers if text.isdecimal()))
