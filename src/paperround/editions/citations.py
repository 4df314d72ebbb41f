"""Define citations of papers and editions, and write them as BibTeX, RIS, Markdown and JSON-LD.

A file contains a whole abstract only if its source lets us show it.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, count, islice, product
from string import ascii_lowercase
from typing import Any, NamedTuple

from paperround.core.i18n.locale import locale_for
from paperround.core.i18n.localize import english_reason
from paperround.editions.labels import WITHDRAWN, localized_authors
from paperround.editions.model import Edition
from paperround.papers.formatting import labels_of, paper_links, web_address
from paperround.papers.identifiers import addresses_of
from paperround.papers.model import Paper

_EMPTY_WORDS = frozenset(
    "a an the on of for in to and with towards toward via from by is are".split()
)
_NOT_KEY = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A paper to cite.

    `text` is the part of the abstract that we may show, the whole one unless `is_gist`. `page` is
    the paper's URL on this site, `note` the note of the reader who saved it.
    """

    paper: Paper
    text: str
    is_gist: bool
    page: str
    note: str = ""

    @property
    def abstract(self) -> str:
        """The whole abstract; empty if it may not be shown."""
        return "" if self.is_gist else self.text

    @property
    def dated(self) -> date:
        """The day it was published, else listed, else first read here."""
        paper = self.paper
        if paper.published_at is not None:
            return paper.published_at.date()
        return paper.listed_on or paper.counts_from.date()

    @property
    def links(self) -> Mapping[str, str]:
        """The paper's URLs, by kind."""
        return {**addresses_of(self.paper.identifiers), **self.paper.links}

    @property
    def url(self) -> str:
        """The URL of the publication, else of its page here."""
        return self.links.get("abstract") or self.paper.identifiers.get("url") or self.page

    @property
    def doi(self) -> str:
        """The DOI, including bioRxiv's and medRxiv's; empty without one."""
        known = self.paper.identifiers
        return known.get("doi") or known.get("biorxiv") or ""

    @property
    def registered_doi(self) -> str:
        """The DOI, or the one that arXiv registers for each of its papers; empty without both."""
        arxiv = self.paper.identifiers.get("arxiv")
        return self.doi or (f"10.48550/arXiv.{arxiv}" if arxiv else "")

    @property
    def is_preprint(self) -> bool:
        """Whether it is on a preprint server and in no journal."""
        known = self.paper.identifiers
        return "doi" not in known and not known.keys().isdisjoint({"arxiv", "biorxiv"})

    @property
    def labels(self) -> tuple[str, ...]:
        """The categories and keywords."""
        return labels_of(self.paper)

    @property
    def key(self) -> str:
        """A BibTeX key in the usual form: `ring2026dense`."""
        first = self.paper.authors[0].split()[-1:] if self.paper.authors else []
        words = [word for word in map(_key_part, self.paper.title.split()) if word]
        significant = [word for word in words if word not in _EMPTY_WORDS] or words
        name = _key_part("".join(first)) or "anonymous"
        return f"{name}{self.dated.year}{''.join(significant[:1])}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedEdition:
    """An edition to export: its papers as frozen, and their current citations."""

    title: str
    edition: Edition
    quiet: str
    page: str
    citations: tuple[Citation, ...]


def _key_part(text: str) -> str:
    return _NOT_KEY.sub("", unicodedata.normalize("NFKD", text).lower())


# BibTeX, in UTF-8, with TeX commands escaped and braces balanced.
#
# arXiv papers have `eprint`, `archiveprefix` and `primaryclass`, as on arXiv. Words with inner
# capitals are in braces, so that no style turns BERT into bert.

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TEX_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\textbraceleft{}",
        "}": r"\textbraceright{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{sign: f"\\{sign}" for sign in "#$%&_"},
    }
)
"""BibTeX counts even an escaped brace, so `\\{` would unbalance a value."""

_BLANKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")
_SEVERAL_NAMES = re.compile(r"\band\b|,", re.IGNORECASE)


def write_bibtex(citations: Sequence[Citation]) -> bytes:
    """Return a BibTeX entry for each citation, in order, with unique keys."""
    entries = map(_bibtex_entry, _keys(citations), citations)
    return "\n".join(entries).encode("utf-8", "replace")


def _keys(citations: Sequence[Citation]) -> Iterator[str]:
    """Yield the keys; among equal keys the second gets the suffix `b`, the third `c`."""
    taken: set[str] = set()
    for one in citations:
        letters = ("".join(it) for size in count(1) for it in product(ascii_lowercase, repeat=size))
        suffixes = chain([""], islice(letters, 1, None))  # "", b to z, aa to zz, and so on
        key = next(key for suffix in suffixes if (key := one.key + suffix) not in taken)
        taken.add(key)
        yield key


def _bibtex_entry(key: str, one: Citation) -> str:
    paper, dated = one.paper, one.dated
    arxiv = paper.identifiers.get("arxiv", "")
    fields = {
        "title": _protected_tex(paper.title),
        "author": " and ".join(filter(None, map(_tex_name, paper.authors))),
        "year": str(dated.year),
        "month": _MONTHS[dated.month - 1],
        "eprint": arxiv,
        "archiveprefix": "arXiv" if arxiv else "",
        "primaryclass": _tex(paper.categories[0]) if arxiv and paper.categories else "",
        "doi": _tex(one.doi),
        "url": web_address(one.url),
        "keywords": _tex(", ".join(paper.keywords)),
        "note": "Withdrawn" if paper.withdrawn else "",
        "abstract": _tex(one.abstract),
        "annote": _tex(one.note),
    }
    values = {name: f"{{{text}}}" for name, text in fields.items() if text}
    values["month"] = fields["month"]  # a BibTeX macro, so without braces
    lines = [f"  {name} = {value}," for name, value in values.items()]
    return "\n".join([f"@misc{{{key},", *lines, "}", ""])


def _line(text: str) -> str:
    return _BLANKS.sub(" ", text).strip()


def _tex(text: str) -> str:
    """Return `text` on one line, escaped for TeX."""
    return _line(text).translate(_TEX_ESCAPES)


def _protected_tex(text: str) -> str:
    """Return `text` escaped for TeX, with words that have inner capitals in braces."""
    return " ".join(
        f"{{{_tex(one)}}}" if any(map(str.isupper, one[1:])) else _tex(one)
        for one in _line(text).split()
    )


def _tex_name(name: str) -> str:
    """Return a name, in braces if BibTeX would split it or change its order."""
    text = _tex(name)
    return f"{{{text}}}" if _SEVERAL_NAMES.search(text) else text


# RIS, the format of reference managers: one tag per line, CRLF line ends.

_SUFFIXES = frozenset({"jr", "jr.", "sr", "sr.", "ii", "iii", "iv"})


def write_ris(citations: Sequence[Citation]) -> bytes:
    """Return a RIS reference for each citation, in order."""
    references = (
        "".join(f"{tag}  - {text}\r\n" for tag, text in _ris_fields(one) if text or tag == "ER")
        for one in citations
    )
    return "\r\n".join(references).encode("utf-8", "replace")


def _ris_fields(one: Citation) -> Iterator[tuple[str, str]]:
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
    yield from (("KW", _line(word)) for word in one.labels)
    yield "AB", _line(one.abstract)
    yield "N1", "Withdrawn" if paper.withdrawn else ""
    yield "N1", _line(one.note)
    yield "ER", ""


def _family_first(name: str) -> str:
    """Return `Ada Lovelace` as `Lovelace, Ada`; names of one word or with a comma unchanged."""
    words = name.split()
    if len(words) < 2 or "," in name:
        return name
    if len(words) > 2 and words[-1].lower() in _SUFFIXES:
        return f"{words[-2]}, {' '.join(words[:-2])}, {words[-1]}"
    return f"{words[-1]}, {' '.join(words[:-1])}"


# Markdown (CommonMark), with all text escaped.

_MARKDOWN_SIGNS = re.compile(r"[\\`*_{}\[\]<>#|~^$!]|&(?=#?\w+;)")
_AT_START = re.compile(r"^(?:([-+=:])|(\d{1,9})([.)])(?=\s|$))")
_IDENTIFIERS = {"arxiv": "arXiv", "doi": "DOI", "biorxiv": "bioRxiv", "pmid": "PubMed"}


def _markdown_paper(one: Citation) -> bytes:
    """Return a paper: title, authors, the text we may show, and links."""
    paper = one.paper
    heading = "In short" if one.is_gist else "Abstract"
    known = paper.identifiers.items()
    facts = [
        f"- {_IDENTIFIERS[kind]}: {markdown(it)}" for kind, it in known if kind in _IDENTIFIERS
    ]
    if paper.listed_on:
        facts.append(f"- Listed: {paper.listed_on}")
    if paper.categories:
        facts.append(f"- Categories: {markdown(', '.join(paper.categories))}")
    facts += [f"- {label}: <{url}>" for label, url in paper_links(one)]
    facts.append(f"- Page: <{one.page}>")
    blocks = [
        f"# {markdown(paper.title)}",
        markdown(", ".join(paper.authors)),
        f"**{WITHDRAWN}**" if paper.withdrawn else "",
        f"## {heading}\n\n{markdown(one.text)}" if one.text else "",
        "\n".join(facts),
    ]
    return markdown_blocks(blocks)


def _markdown_edition(cited: CitedEdition) -> bytes:
    """Return an edition: its papers in order, with their reasons."""
    blocks = [
        f"# {markdown(cited.title)}, {locale_for().long_date(cited.edition.day)}",
        markdown(cited.quiet),
    ]
    for paper, citation in zip(cited.edition.papers, cited.citations, strict=True):
        links = [f"[{label}](<{url}>)" for label, url in paper_links(paper)]
        blocks += [
            f"## {paper.position}\\. [{markdown(paper.title)}](<{citation.page}>)",
            f"**{WITHDRAWN}**" if paper.withdrawn else "",
            markdown(localized_authors(locale_for(), paper.authors)),
            f"*{markdown(english_reason(paper.reason))}*" if paper.reason else "",
            markdown(paper.gist),
            " · ".join(links),
        ]
    return markdown_blocks(blocks)


def markdown_blocks(blocks: Sequence[str]) -> bytes:
    """Return the blocks that are not empty as a file."""
    return ("\n\n".join(filter(None, blocks)) + "\n").encode("utf-8", "replace")


def markdown(text: str) -> str:
    """Return `text` on one line, escaped for Markdown."""
    plain = _MARKDOWN_SIGNS.sub(r"\\\g<0>", " ".join(text.split()))
    return _AT_START.sub(_escape_start, plain)


def _escape_start(match: re.Match[str]) -> str:
    sign, number, point = match.groups()
    return f"\\{sign}" if sign else f"{number}\\{point}"


# JSON-LD with the vocabulary of schema.org, for search engines and libraries.

_SCHEMA = "https://schema.org"
_SCHEMES = {"arxiv": "arXiv", "doi": "DOI", "biorxiv": "DOI", "pmid": "PMID"}


def _json_ld_edition(cited: CitedEdition) -> bytes:
    """Return an `ItemList` of the edition's papers, in order."""
    items = [
        {"@type": "ListItem", "position": position, "item": _article(one)}
        for position, one in enumerate(cited.citations, start=1)
    ]
    return _json_ld(
        {
            "@type": "ItemList",
            "@id": cited.page,
            "name": f"{cited.title}, {cited.edition.day}",
            "numberOfItems": len(items),
            "itemListOrder": f"{_SCHEMA}/ItemListOrderAscending",
            "itemListElement": items,
        }
    )


def _article(one: Citation) -> dict[str, Any]:
    """Return a `ScholarlyArticle`, without unknown values."""
    paper = one.paper
    value = {
        "@type": "ScholarlyArticle",
        "@id": one.page,
        "headline": paper.title,
        "name": paper.title,
        "author": [{"@type": "Person", "name": name} for name in paper.authors],
        "datePublished": one.dated.isoformat(),
        "dateModified": paper.updated_at.date().isoformat() if paper.updated_at else None,
        "identifier": [
            {"@type": "PropertyValue", "propertyID": _SCHEMES[kind], "value": it}
            for kind, it in paper.identifiers.items()
            if kind in _SCHEMES
        ],
        "url": web_address(one.url),
        "sameAs": sorted({web_address(url) for url in one.links.values()} - {""}),
        "abstract": one.abstract,
        "description": one.text if one.is_gist else "",
        "keywords": list(one.labels),
        "license": web_address(paper.licence or ""),
        "creativeWorkStatus": "Withdrawn" if paper.withdrawn else "",
        "version": paper.version,
    }
    return {name: known for name, known in value.items() if known}


def _json_ld(value: dict[str, Any]) -> bytes:
    text = json.dumps({"@context": _SCHEMA, **value}, ensure_ascii=False, indent=1)
    return f"{text}\n".encode("utf-8", "replace")


class FileFormat(NamedTuple):
    """The media type of a format, and how it writes a paper and an edition."""

    media_type: str
    paper: Callable[[Citation], bytes]
    edition: Callable[[CitedEdition], bytes]


def _of_citations(media_type: str, write: Callable[[Sequence[Citation]], bytes]) -> FileFormat:
    return FileFormat(media_type, lambda one: write([one]), lambda cited: write(cited.citations))


FILE_FORMATS: Mapping[str, FileFormat] = {
    "bib": _of_citations("application/x-bibtex", write_bibtex),
    "ris": _of_citations("application/x-research-info-systems", write_ris),
    "md": FileFormat("text/markdown", _markdown_paper, _markdown_edition),
    "jsonld": FileFormat(
        "application/ld+json", lambda one: _json_ld(_article(one)), _json_ld_edition
    ),
}
"""By the extension of URLs."""
