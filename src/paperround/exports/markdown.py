"""Papers and editions as Markdown (CommonMark): whatever a title holds, it stays text."""

import re
from collections.abc import Sequence

from paperround.domain.citations import Citation
from paperround.domain.editions import Edition
from paperround.domain.telling import long_date, paper_links, short_authors
from paperround.exports.entry_html import WITHDRAWN
from paperround.languages.localize import english_reason

MEDIA_TYPE = "text/markdown"

_SIGNS = re.compile(r"[\\`*_{}\[\]<>#|~^$!]|&(?=#?\w+;)")
_AT_START = re.compile(r"^(?:([-+=:])|(\d{1,9})([.)])(?=\s|$))")
_NAMES = {"arxiv": "arXiv", "doi": "DOI", "biorxiv": "bioRxiv", "pmid": "PubMed"}


def escaped(text: str) -> str:
    """`text` on one line, as Markdown shows it."""
    plain = _SIGNS.sub(r"\\\g<0>", " ".join(text.split()))
    return _AT_START.sub(_not_a_mark, plain)


def _not_a_mark(match: re.Match[str]) -> str:
    sign, number, point = match.groups()
    return f"\\{sign}" if sign else f"{number}\\{point}"


def write_paper(one: Citation) -> bytes:
    """One paper: its title, authors, what its source lets us show, and where it can be read."""
    paper = one.paper
    heading = "In short" if one.is_gist else "Abstract"
    blocks = [
        f"# {escaped(paper.title)}",
        escaped(", ".join(paper.authors)),
        f"**{WITHDRAWN}**" if paper.withdrawn else "",
        f"## {heading}\n\n{escaped(one.text)}" if one.text else "",
        "\n".join(_facts(one)),
    ]
    return _written(blocks)


def _facts(one: Citation) -> list[str]:
    paper = one.paper
    known = [f"- {_NAMES[kind]}: {escaped(it)}" for kind, it in _named(one)]
    listed = [f"- Listed: {paper.listed_on}"] if paper.listed_on else []
    categories = [f"- Categories: {escaped(', '.join(paper.categories))}"]
    links = [f"- {label}: <{url}>" for label, url in paper_links(one)]
    return [*known, *listed, *(categories if paper.categories else []), *links, _page(one)]


def _page(one: Citation) -> str:
    return f"- Page: <{one.page}>"


def _named(one: Citation) -> list[tuple[str, str]]:
    return [(kind, it) for kind, it in one.paper.identifiers.items() if kind in _NAMES]


def write_edition(title: str, edition: Edition, quiet: str, pages: Sequence[str]) -> bytes:
    """An edition: its papers in order, each with why it is there. `pages` are their addresses."""
    blocks = [f"# {escaped(title)}, {long_date(edition.day)}", escaped(quiet)]
    for paper, page in zip(edition.papers, pages, strict=True):
        links = [f"[{label}](<{url}>)" for label, url in paper_links(paper)]
        blocks += [
            f"## {paper.position}\\. [{escaped(paper.title)}](<{page}>)",
            f"**{WITHDRAWN}**" if paper.withdrawn else "",
            escaped(short_authors(paper.authors)),
            f"*{escaped(english_reason(paper.reason))}*" if paper.reason else "",
            escaped(paper.gist),
            " · ".join(links),
        ]
    return _written(blocks)


def _written(blocks: Sequence[str]) -> bytes:
    return ("\n\n".join(filter(None, blocks)) + "\n").encode("utf-8", "replace")
