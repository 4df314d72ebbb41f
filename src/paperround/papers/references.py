"""Names of the works that a paper cites.

A reference is (kind, value): `arxiv`, `doi`, `biorxiv` or `pmid` as of a paper, `openalex` for a
work by its number there, and `title` for a hash of its title.
"""

from collections.abc import Iterable
from functools import lru_cache

from paperround.papers.identifiers import folded, title_key
from paperround.papers.model import PaperId

CitedName = tuple[str, str]

Reference = tuple[PaperId, CitedName, PaperId | None]
"""A paper, the name of a work that it cites, and the id of that work if we have it."""

OPENALEX = "openalex"
TITLE = "title"

MOST_REFERENCES = 200
"""The number of cited works stored per paper, the first ones: few papers cite more."""

_LEAST_WORDS = 3
"""The fewest words of a title that identifies a work: two papers may be called "Deep Learning"."""


@lru_cache(maxsize=16384)
def title_name(title: str) -> CitedName | None:
    """The name of a work known by its title; None for a title that several works may have."""
    if len(folded(title).split()) < _LEAST_WORDS:
        return None
    return TITLE, title_key(title, (), None)


def names_of_works(works: Iterable[Iterable[CitedName]]) -> tuple[CitedName, ...]:
    """The names of the first MOST_REFERENCES `works` that have any, each name once."""
    names: dict[CitedName, None] = {}
    count = 0
    for work in works:
        named = tuple(work)
        count += bool(named)
        if count > MOST_REFERENCES:
            break
        names.update(dict.fromkeys(named))
    return tuple(names)


_SPOKEN = {"arxiv": "arXiv:", "pmid": "PubMed "}


def spoken_name(name: CitedName) -> str:
    """A name as a reader writes it: `arXiv:2601.00001`, `10.1000/182`."""
    kind, value = name
    return f"{_SPOKEN.get(kind, '')}{value}"
