"""Define the citations of papers and editions."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from paperround.editions.model import Edition
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
    the paper's URL on this site.
    """

    paper: Paper
    text: str
    is_gist: bool
    page: str

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
