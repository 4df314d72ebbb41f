"""Write papers and editions as Markdown (CommonMark), with all text escaped."""

import re
from collections.abc import Sequence

from paperround.core.i18n.locale import locale_for
from paperround.core.i18n.localize import english_reason
from paperround.editions.citations import Citation, CitedEdition
from paperround.editions.export.entry_html import WITHDRAWN
from paperround.editions.labels import localized_authors
from paperround.papers.formatting import paper_links

MEDIA_TYPE = "text/markdown"

_SIGNS = re.compile(r"[\\`*_{}\[\]<>#|~^$!]|&(?=#?\w+;)")
_AT_START = re.compile(r"^(?:([-+=:])|(\d{1,9})([.)])(?=\s|$))")
_NAMES = {"arxiv": "arXiv", "doi": "DOI", "biorxiv": "bioRxiv", "pmid": "PubMed"}


def escaped(text: str) -> str:
    """Return `text` on one line, escaped for Markdown."""
    plain = _SIGNS.sub(r"\\\g<0>", " ".join(text.split()))
    return _AT_START.sub(_escape_start, plain)


def _escape_start(match: re.Match[str]) -> str:
    sign, number, point = match.groups()
    return f"\\{sign}" if sign else f"{number}\\{point}"


def write_paper(one: Citation) -> bytes:
    """Return a paper: title, authors, the text we may show, and links."""
    paper = one.paper
    heading = "In short" if one.is_gist else "Abstract"
    known = paper.identifiers.items()
    facts = [f"- {_NAMES[kind]}: {escaped(it)}" for kind, it in known if kind in _NAMES]
    if paper.listed_on:
        facts.append(f"- Listed: {paper.listed_on}")
    if paper.categories:
        facts.append(f"- Categories: {escaped(', '.join(paper.categories))}")
    facts += [f"- {label}: <{url}>" for label, url in paper_links(one)]
    facts.append(f"- Page: <{one.page}>")
    blocks = [
        f"# {escaped(paper.title)}",
        escaped(", ".join(paper.authors)),
        f"**{WITHDRAWN}**" if paper.withdrawn else "",
        f"## {heading}\n\n{escaped(one.text)}" if one.text else "",
        "\n".join(facts),
    ]
    return _join(blocks)


def write_edition(cited: CitedEdition) -> bytes:
    """Return an edition: its papers in order, with their reasons."""
    blocks = [
        f"# {escaped(cited.title)}, {locale_for().long_date(cited.edition.day)}",
        escaped(cited.quiet),
    ]
    for paper, citation in zip(cited.edition.papers, cited.citations, strict=True):
        links = [f"[{label}](<{url}>)" for label, url in paper_links(paper)]
        blocks += [
            f"## {paper.position}\\. [{escaped(paper.title)}](<{citation.page}>)",
            f"**{WITHDRAWN}**" if paper.withdrawn else "",
            escaped(localized_authors(locale_for(), paper.authors)),
            f"*{escaped(english_reason(paper.reason))}*" if paper.reason else "",
            escaped(paper.gist),
            " · ".join(links),
        ]
    return _join(blocks)


def _join(blocks: Sequence[str]) -> bytes:
    return ("\n\n".join(filter(None, blocks)) + "\n").encode("utf-8", "replace")
