"""Feeds as OPML 2.0 (opml.org/spec2.opml), the file that feed readers exchange.

Every outline carries the whole feed as JSON in an attribute of our own namespace, so that an export
is imported as it was. Beside it stands what other readers understand: an address with a feed where
the source has a public one (`type="rss"`), else a page (`type="link"`).

Of files that others wrote, an outline with an address is a feed, one without is a folder and is
looked into. Nothing that a file names is fetched.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, quote_plus, urldefrag, urlencode, urlsplit
from xml.sax.saxutils import quoteattr

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.xml import Node, read_xml
from paperround.feeds.model import DescribedFeed, NewFeed, feed_as_json
from paperround.feeds.sources.arxiv_categories import categories
from paperround.papers.text import clean

NAMESPACE = "urn:paperround:feeds"
FEED = "feed"
"""The name, in that namespace, of the attribute that holds a feed as JSON."""

_LONGEST_NAME = 50
_LONGEST_LABEL = 200
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_NAME = re.compile(r"[^a-z0-9.]+")
_ARXIV = frozenset({"rss.arxiv.org", "export.arxiv.org", "arxiv.org", "www.arxiv.org"})
_ARXIV_PATH = re.compile(r"/(?:rss|atom)/([A-Za-z.+-]{2,1000})/?", re.ASCII)


# --- out ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Public:
    """Where others find what a feed reads: the address of a feed, that of a page."""

    feed: str | None = None
    page: str | None = None


_BEGINNING = (
    "<?xml version='1.0' encoding='UTF-8'?>\n"
    f'<opml xmlns:pr="{NAMESPACE}" version="2.0">\n'
    "  <head>\n    <title>Feeds of Paperround</title>\n  </head>\n  <body>\n"
)
_END = "  </body>\n</opml>\n"


def write_opml(feeds: Iterable[NewFeed]) -> Iterator[str]:
    """The pieces of an OPML file of `feeds` in their order, a feed at a time, to be written in
    UTF-8; the same feeds make the same file."""
    yield _BEGINNING
    for feed in feeds:
        known = PUBLIC.get(feed.kind)
        public = known(feed) if known else Public(page=feed.url)
        said = {
            "text": feed.name,
            "title": feed.name,
            "type": "rss" if public.feed else "link",
            "xmlUrl": public.feed,
            "htmlUrl" if public.feed else "url": public.page,
            f"pr:{FEED}": json.dumps(feed_as_json(feed)),
        }
        stated = {name: _NOT_XML.sub("\ufffd", text) for name, text in said.items() if text}
        shown = " ".join(f"{name}={quoteattr(text)}" for name, text in stated.items())
        yield f"    <outline {shown}/>\n"
    yield _END


def _arxiv_oai(feed: NewFeed) -> Public:
    """A set names its category at its end: `cs:cs:LG`, `physics:hep-th`, `cs`."""
    parts = (one.split(":") for one in _listed(feed.settings.get("sets", "")))
    return _of_categories([".".join(part[1:]) or part[0] for part in parts])


def _of_categories(named: list[str]) -> Public:
    if not named:
        return Public(page="https://arxiv.org/")
    return Public(
        feed=f"https://rss.arxiv.org/atom/{'+'.join(map(quote_plus, named))}",
        page=f"https://arxiv.org/list/{quote_plus(named[0])}/new",
    )


def _biorxiv(feed: NewFeed) -> Public:
    server = (_listed(feed.settings.get("server", "").lower()) or ["biorxiv"])[0]
    subjects = [one.replace(" ", "_") for one in _listed(feed.settings.get("categories", ""))]
    asked = "+".join(map(quote_plus, subjects)) or "all"
    return Public(
        feed=f"https://connect.{quote_plus(server)}.org/{quote_plus(server)}_xml.php?subject={asked}",
        page=f"https://www.{quote_plus(server)}.org/",
    )


def _openalex(feed: NewFeed) -> Public:
    """OpenAlex's own pages have the words of a search among the filters."""
    words = feed.settings.get("search", "").replace(",", " ").strip()
    parts = _listed(feed.settings.get("filter", ""))
    parts += [f"default.search:{words}"] if words else []
    return Public(page=_asking("https://openalex.org/works", {"filter": ",".join(parts)}))


def _crossref(feed: NewFeed) -> Public:
    """Only words can be searched for on a page of Crossref; what filters find is an answer."""
    asked = {key: feed.settings.get(key, "").strip() for key in ("filter", "query")}
    if asked["filter"]:
        return Public(page=_asking("https://api.crossref.org/works", asked))
    return Public(page=_asking("https://search.crossref.org/", {"q": asked["query"]}))


def _asking(page: str, arguments: Mapping[str, str]) -> str:
    said = {name: text.strip() for name, text in arguments.items() if text.strip()}
    return f"{page}?{urlencode(said, safe=':,|', errors='replace')}" if said else page


PUBLIC: Mapping[str, Callable[[NewFeed], Public]] = MappingProxyType(
    {
        "feed": lambda feed: Public(feed=feed.url),
        "arxiv": lambda feed: _of_categories(_listed(feed.settings.get("categories", ""))),
        "arxiv-oai": _arxiv_oai,
        "biorxiv": _biorxiv,
        "hf-daily": lambda _: Public(page="https://huggingface.co/papers"),
        "openalex": _openalex,
        "crossref": _crossref,
        "semantic-scholar": lambda feed: Public(
            page=_asking(
                "https://www.semanticscholar.org/search",
                {"q": feed.settings.get("query", ""), "sort": "pub-date"},
            )
        ),
        # PubMed makes a feed of a search only for whoever asks for one on its page.
        "pubmed": lambda feed: Public(
            page=_asking(
                "https://pubmed.ncbi.nlm.nih.gov/",
                {"term": feed.settings.get("query", ""), "sort": "date"},
            )
        ),
    }
)
"""Where others find what a feed of each kind reads; other kinds stand with their own address."""


def _listed(text: str) -> list[str]:
    return [part for part in (one.strip() for one in text.split(",")) if part]


# --- in ----------------------------------------------------------------------------------------


def read_opml(content: bytes) -> tuple[DescribedFeed, ...]:
    """The feeds of an OPML file, those in folders too, in the order of the file.

    What no feed can be made of carries its problem: `no-address`, `duplicate` (the same address
    stands before), `feed`. Raises InvalidInput when the content is no OPML.
    """
    root = read_xml(content)
    if root.name.lower() != "opml":
        raise InvalidInput(f"the XML is no OPML: it begins with {root.name!r:.60}")
    seen: dict[str, int] = {}
    leaves = (leaf for body in root.all("body") for leaf in _inner(body))
    return tuple(
        _described(position, outline, seen) for position, outline in enumerate(leaves, start=1)
    )


def _inner(node: Node) -> Iterator[Node]:
    """Outlines that are no folders; the reader of XML has bounded how deep they stand."""
    for outline in node.all("outline"):
        said = _said(outline)
        if said.get("xmlurl") or said.get(FEED) or not any(outline.all("outline")):
            yield outline
        yield from _inner(outline)


def _said(outline: Node) -> dict[str, str]:
    """The attributes, whatever the case of their names: readers differ in it."""
    return {name.lower(): value.strip() for name, value in outline.attributes.items()}


def _described(position: int, outline: Node, seen: dict[str, int]) -> DescribedFeed:
    said = _said(outline)
    label = clean(said.get("title") or said.get("text") or "", limit=_LONGEST_LABEL)
    if said.get(FEED, "").startswith("{"):
        return _ours(position, label, said[FEED])
    address = _address(said.get("xmlurl", ""))
    label = label or address[:_LONGEST_LABEL]
    host = _parted(address).hostname or ""
    # A name that a feed can have: of the label's Latin letters and digits, else of the host.
    value: dict[str, Any] = {"name": _plain(label) or _plain(host) or FEED}
    if named := _arxiv_categories(address):
        # arXiv's own feeds are read by the source that knows them: it sees what is a replacement.
        value |= {"kind": "arxiv", "settings": {"categories": ",".join(named)}}
    else:
        value |= {"kind": "feed", "url": address}
    problem = None
    if not address:
        problem = "no-address", "the outline has no address (xmlUrl), so there is nothing to read"
    elif address in seen:
        problem = "duplicate", f"the outline {seen[address]} has the same address"
    seen.setdefault(address, position)
    return DescribedFeed(
        position=position, label=label, value=value, is_named=False, problem=problem
    )


def _ours(position: int, label: str, text: str) -> DescribedFeed:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        problem = ("feed", "what it says of the feed is no JSON: export it again")
        return DescribedFeed(position=position, label=label, value=text[:500], problem=problem)
    return DescribedFeed(position=position, label=label, value=value)


def _address(url: str) -> str:
    """What would be asked: without a fragment, and without the scheme `feed` of old readers."""
    if url.startswith("feed:"):
        rest = url.removeprefix("feed:")
        url = f"http:{rest}" if rest.startswith("//") else rest
    try:
        return urldefrag(url).url
    except ValueError:
        return url


def _parted(address: str) -> SplitResult:
    """The parts of an address, empty ones for what is none."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _arxiv_categories(address: str) -> list[str]:
    parts = _parted(address)
    path = _ARXIV_PATH.fullmatch(parts.path)
    named = path[1].split("+") if path and parts.hostname in _ARXIV else []
    return named if all(one in categories() for one in named) else []


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text[: _LONGEST_NAME * 4]).casefold()
    bare = "".join(one for one in folded if not unicodedata.combining(one))
    return _NOT_NAME.sub("-", bare).strip("-.")[:_LONGEST_NAME].strip("-.")
