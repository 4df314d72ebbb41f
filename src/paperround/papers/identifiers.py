"""Normalise identifiers, and compute the title key that merges papers across sources.

Kinds: `arxiv` (base id, no version), `doi` (lower case, no resolver), `biorxiv` (the DOI under
10.1101 or 10.64898), `pmid` (digits), `url`, `local` (`feed:id`), and `title_key`, a hash of
title, first author and year. Two different ids of one kind never merge by title.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

from paperround.papers.model import PaperId

ARXIV = re.compile(
    r"(?:arxiv:|https?://(?:www\.|export\.)?arxiv\.org/(?:abs|pdf|html)/|oai:arxiv\.org:)?"
    r"(\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{7})(v\d+)?(?:\.pdf)?",
    re.IGNORECASE,
)
DOI = re.compile(r"(?:doi:|https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
_ARXIV_DOI = "10.48550/arxiv."
_PREPRINT_PREFIXES = ("10.1101/", "10.64898/")
KINDS_BY_TRUST = ("arxiv", "doi", "biorxiv", "pmid", "url", "local", "title_key")
_NOT_WORD = re.compile(r"[\W_]+")


def arxiv_id(text: str) -> tuple[str, int | None] | None:
    """(base id, version or None) of an arXiv id or address; None if it is not one."""
    match = ARXIV.fullmatch(text.strip())
    if match is None:
        return None
    return match[1].lower(), int(match[2][1:]) if match[2] else None


def doi_identifier(text: str) -> tuple[str, str] | None:
    """(kind, value) of a DOI: `arxiv` for arXiv's DOIs, `biorxiv` for bioRxiv's, else `doi`; None
    if it is not one."""
    match = DOI.fullmatch(text.strip())
    if match is None:
        return None
    doi = match[1].lower().rstrip(".,;")
    if doi.startswith(_ARXIV_DOI):
        found = arxiv_id(doi.removeprefix(_ARXIV_DOI))
        return ("arxiv", found[0]) if found else None
    return ("biorxiv" if doi.startswith(_PREPRINT_PREFIXES) else "doi", doi)


def identifier(text: str, feed: str) -> tuple[str, str]:
    """(kind, value) of any id of a source; an unknown scheme is `local`."""
    found = arxiv_id(text)
    if found is not None:
        return "arxiv", found[0]
    return doi_identifier(text) or ("local", f"{feed}:{text.strip()}")


def folded(text: str) -> str:
    """Lower-case letters and digits without accents: for comparison, never for display."""
    apart = unicodedata.normalize("NFKD", text)
    text = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return _NOT_WORD.sub(" ", text.casefold()).strip()


@lru_cache(maxsize=16384)
def author_key(name: str) -> str:
    """A name for comparison: `Lovelace, Ada` equals `Ada Lovelace`."""
    last, comma, first = name.partition(",")
    return folded(f"{first} {last}" if comma else name) or name


def title_key(title: str, authors: Sequence[str], year: int | None) -> str:
    """A hash of the title, the first author's last name and the year; unknown parts are empty.

    A title of symbols alone folds to nothing, so it is hashed as written.
    """
    surname = folded(authors[0]).split()[-1:] if authors else []
    text = "\0".join([folded(title) or title, *surname, str(year or "")])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def canonical(identifiers: Mapping[str, str]) -> str:
    """The most trusted identifier as `kind:value`, the stable tie-break of every order.

    Raises ValueError for a paper without identifiers.
    """
    for kind in KINDS_BY_TRUST:
        if kind in identifiers:
            return f"{kind}:{identifiers[kind]}"
    raise ValueError("a paper needs at least one identifier")


def addresses_of(identifiers: Mapping[str, str]) -> dict[str, str]:
    """Addresses of a paper built from its identifiers: keys `abstract` and `pdf`."""
    if "arxiv" in identifiers:
        base = "https://arxiv.org"
        found = identifiers["arxiv"]
        return {"abstract": f"{base}/abs/{found}", "pdf": f"{base}/pdf/{found}"}
    for kind in ("biorxiv", "doi"):
        if kind in identifiers:
            return {"abstract": f"https://doi.org/{identifiers[kind]}"}
    if "pmid" in identifiers:
        return {"abstract": f"https://pubmed.ncbi.nlm.nih.gov/{identifiers['pmid']}/"}
    return {}


def page_name(identifiers: Mapping[str, str], paper: PaperId) -> str:
    """The name of a paper's page: its arXiv id, else our own id."""
    return identifiers.get("arxiv") or str(paper)
