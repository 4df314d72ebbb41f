"""Find identifiers of a feed item: DOI, arXiv id or PubMed number, else address or guid."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urljoin, urlsplit, urlunsplit

from paperround.feeds.formats.entries import FEED
from paperround.papers.identifiers import arxiv_id, doi_identifier

_LONGEST = 500
_SCHEMES = ("arxiv:", "oai:arxiv.org:", "http://", "https://")
_HF_PAPER = re.compile(r"https?://huggingface\.co/papers/(\d{4}\.\d{4,5})", re.IGNORECASE)
_DOI_PATH = re.compile(
    r"https?://[^/]+/(?:doi/(?:(?:abs|full|pdf|epdf|abstract)/)?|content/|article/)"
    r"(10\.\d{4,9}/[^?#]+)",
    re.IGNORECASE,
)
_PREPRINT_VERSION = re.compile(r"(10\.(?:1101|64898)/[\d.]+)v\d+\S*", re.IGNORECASE)
PUBMED = re.compile(
    r"(?:(?:pmid|pubmed)(?:\s+id)?\s*:?\s*"
    r"|https?://(?:pubmed\.ncbi\.nlm\.nih\.gov|(?:www\.)?ncbi\.nlm\.nih\.gov/pubmed)/)"
    r"0*([1-9]\d{0,9})[/.]?",
    re.IGNORECASE | re.ASCII,
)
"""A PubMed number with its label, or its address."""

_TRACKING = re.compile(r"utm_\w+|rss|af|fbclid|gclid|dgcid", re.IGNORECASE)


def absolute(address: str, base: str) -> str | None:
    """Resolve `address` against `base`; None when the result is no http(s) address."""
    if not address.strip():
        return None
    try:
        found = urljoin(base, address.strip())
    except ValueError:
        return None
    parts = split_http(found)
    return found if parts and "@" not in parts.netloc and found.isprintable() else None


def split_http(address: str) -> SplitResult | None:
    """Split an http(s) address; None when it is not valid."""
    try:
        parts = urlsplit(address)
        is_valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if is_valid else None


def names_of(stated: Sequence[str], *, guid: str, link: str | None, feed: str) -> dict[str, str]:
    """Return the identifiers of an item, by kind. `stated` are the values of `prism:doi` and the
    like.

    A DOI, an arXiv id and a PubMed number are all kept. An address or a guid is used only without
    any of them. A guid is prefixed with the host of its feed, whose address is empty for a file
    without one.
    """
    found: dict[str, str] = {}
    for text in (*stated, guid, link or ""):
        for kind, value in _find_identifiers(text.strip()):
            found.setdefault(kind, value)
    if found:
        return found
    if link is not None:
        return {"url": _shorten(_normalize(link))}
    host = urlsplit(feed).hostname or FEED
    return {"local": _shorten(f"{host}:{guid}")} if guid else {}


def _normalize(link: str) -> str:
    """Normalize an address: no fragment, default port or tracking parameters."""
    parts = urlsplit(link)
    port = f":{parts.port}" if parts.port not in {None, 80, 443} else ""
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode([pair for pair in pairs if not _TRACKING.fullmatch(pair[0])])
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return urlunsplit((parts.scheme, f"{host}{port}", parts.path or "/", query, ""))


def _find_identifiers(text: str) -> Iterator[tuple[str, str]]:
    if not text or len(text) > 2000:
        return
    bare = re.split(r"[?#]", text, maxsplit=1)[0] if text.startswith("http") else text
    pubmed = PUBMED.fullmatch(bare)
    if pubmed:
        yield "pmid", pubmed[1]
        return
    paper = _HF_PAPER.fullmatch(bare)
    # A bare number may be anything: an arXiv id needs a prefix or an address of arXiv.
    found = arxiv_id(bare) if bare.lower().startswith(_SCHEMES) else None
    if paper or found:
        yield "arxiv", paper[1] if paper else found[0] if found else ""
        return
    in_path = _DOI_PATH.match(unquote(text))
    doi = in_path[1] if in_path else unquote(bare) if bare.startswith("http") else bare
    version = _PREPRINT_VERSION.fullmatch(doi)
    named = doi_identifier(version[1] if version else doi)
    if named is not None and len(named[1]) <= _LONGEST and named[1].isprintable():
        yield named


def _shorten(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return text[:400] + hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
