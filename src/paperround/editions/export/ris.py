"""Write papers as RIS, the format of reference managers: one tag per line, CRLF line ends."""

import re
from collections.abc import Iterator, Sequence

from paperround.editions.citations import Citation
from paperround.papers.formatting import web_address

MEDIA_TYPE = "application/x-research-info-systems"

_LINE_ENDS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")
_SUFFIXES = frozenset({"jr", "jr.", "sr", "sr.", "ii", "iii", "iv"})


def write_ris(citations: Sequence[Citation]) -> bytes:
    """Return a reference for each citation, in order."""
    references = (
        "".join(f"{tag}  - {text}\r\n" for tag, text in _fields(one) if text or tag == "ER")
        for one in citations
    )
    return "\r\n".join(references).encode("utf-8", "replace")


def _fields(one: Citation) -> Iterator[tuple[str, str]]:
    paper = one.paper
    arxiv = paper.identifiers.get("arxiv")
    yield "TY", "JOUR" if "doi" in paper.identifiers else "UNPB"
    yield "TI", _line(paper.title)
    yield from (("AU", _family_first(_line(name))) for name in paper.authors)
    yield "PY", f"{one.dated:%Y}"
    yield "DA", f"{one.dated:%Y/%m/%d/}"
    yield "AN", f"arXiv:{arxiv}" if arxiv else ""
    yield "DO", _line(one.doi)
    yield "UR", web_address(one.url)
    yield "L1", web_address(one.links.get("pdf", ""))
    yield from (("KW", _line(word)) for word in (*paper.categories, *paper.keywords))
    yield "AB", _line(one.abstract)
    yield "N1", "Withdrawn" if paper.withdrawn else ""
    yield "ER", ""


def _line(text: str) -> str:
    return _LINE_ENDS.sub(" ", text).strip()


def _family_first(name: str) -> str:
    """Return `Ada Lovelace` as `Lovelace, Ada`; names of one word or with a comma unchanged."""
    words = name.split()
    if len(words) < 2 or "," in name:
        return name
    if len(words) > 2 and words[-1].lower() in _SUFFIXES:
        return f"{words[-2]}, {' '.join(words[:-2])}, {words[-1]}"
    return f"{words[-1]}, {' '.join(words[:-1])}"
