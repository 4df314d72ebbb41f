r"""Write papers as BibTeX, in UTF-8, with TeX commands escaped and braces balanced.

arXiv papers have `eprint`, `archiveprefix` and `primaryclass`, as on arXiv. Words with inner
capitals are in braces, so that no style turns BERT into bert.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, count, islice, product
from string import ascii_lowercase

from paperround.editions.citations import Citation
from paperround.papers.formatting import web_address

MEDIA_TYPE = "application/x-bibtex"

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "#$%&_"},
}
"""BibTeX counts even an escaped brace, so `\\{` would unbalance a value."""

_ESCAPED = str.maketrans(_SPECIAL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")
_SEVERAL = re.compile(r"\band\b|,", re.IGNORECASE)


def write_bibtex(citations: Sequence[Citation]) -> bytes:
    """Return an entry for each citation, in order, with unique keys."""
    entries = map(_entry, _keys(citations), citations)
    return "\n".join(entries).encode("utf-8", "replace")


def _keys(citations: Sequence[Citation]) -> Iterator[str]:
    """Yield the keys; of equal ones the second gets the suffix `b`, the third `c`."""
    taken: set[str] = set()
    for one in citations:
        letters = ("".join(it) for size in count(1) for it in product(ascii_lowercase, repeat=size))
        suffixes = chain([""], islice(letters, 1, None))  # "", b to z, aa to zz, and so on
        key = next(key for suffix in suffixes if (key := one.key + suffix) not in taken)
        taken.add(key)
        yield key


def _entry(key: str, one: Citation) -> str:
    paper, dated = one.paper, one.dated
    arxiv = paper.identifiers.get("arxiv", "")
    fields = {
        "title": _protected(paper.title),
        "author": " and ".join(filter(None, map(_name, paper.authors))),
        "year": str(dated.year),
        "month": _MONTHS[dated.month - 1],
        "eprint": arxiv,
        "archiveprefix": "arXiv" if arxiv else "",
        "primaryclass": escaped(paper.categories[0]) if arxiv and paper.categories else "",
        "doi": escaped(one.doi),
        "url": web_address(one.url),
        "keywords": escaped(", ".join(paper.keywords)),
        "note": "Withdrawn" if paper.withdrawn else "",
        "abstract": escaped(one.abstract),
    }
    values = {name: f"{{{text}}}" for name, text in fields.items() if text}
    values["month"] = fields["month"]  # a BibTeX macro, so without braces
    lines = [f"  {name} = {value}," for name, value in values.items()]
    return "\n".join([f"@misc{{{key},", *lines, "}", ""])


def escaped(text: str) -> str:
    """Return `text` on one line, escaped for TeX."""
    return _CONTROL.sub(" ", text).strip().translate(_ESCAPED)


def _protected(text: str) -> str:
    """Return `text` escaped, with words that have inner capitals in braces."""
    words = _CONTROL.sub(" ", text).split()
    return " ".join(
        f"{{{escaped(one)}}}" if any(map(str.isupper, one[1:])) else escaped(one) for one in words
    )


def _name(name: str) -> str:
    """Return a name, in braces if BibTeX would split it or change its order."""
    text = escaped(name)
    return f"{{{text}}}" if _SEVERAL.search(text) else text
