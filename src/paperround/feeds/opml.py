"""Feeds as OPML 2.0 (opml.org/spec2.opml), the file that feed readers exchange.

Every outline carries the whole feed as JSON in an attribute of our own namespace, so that an export
is imported as it was. The other attributes are for other readers: the address of a feed if the
source has a public one (`type="rss"`), else that of a page (`type="link"`).

In files of other programs, an outline with an address is a feed, and one without is a folder of
outlines. Nothing that a file names is fetched.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any
from urllib.parse import urldefrag
from xml.sax.saxutils import quoteattr

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.feed_names import split_http
from paperround.feeds.formats.xml import Node, read_xml
from paperround.feeds.model import DescribedFeed, NewFeed, PublicAddress
from paperround.feeds.sources.arxiv_categories import categories
from paperround.feeds.sources.registry import SOURCES
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


# --- export ------------------------------------------------------------------------------------


_BEGINNING = (
    "<?xml version='1.0' encoding='UTF-8'?>\n"
    f'<opml xmlns:pr="{NAMESPACE}" version="2.0">\n'
    "  <head>\n    <title>Feeds of Paperround</title>\n  </head>\n  <body>\n"
)
_END = "  </body>\n</opml>\n"


def write_opml(feeds: Iterable[NewFeed]) -> Iterator[str]:
    """Yield the pieces of an OPML file of `feeds` in their order, one feed at a time, to be written
    in UTF-8. The same feeds make the same file."""
    yield _BEGINNING
    for feed in feeds:
        source = SOURCES.get(feed.kind)
        public = source.public(feed) if source else PublicAddress(page=feed.url)
        said = {
            "text": feed.name,
            "title": feed.name,
            "type": "rss" if public.feed else "link",
            "xmlUrl": public.feed,
            "htmlUrl" if public.feed else "url": public.page,
            f"pr:{FEED}": json.dumps(asdict(feed)),
        }
        stated = {name: _NOT_XML.sub("\ufffd", text) for name, text in said.items() if text}
        shown = " ".join(f"{name}={quoteattr(text)}" for name, text in stated.items())
        yield f"    <outline {shown}/>\n"
    yield _END


# --- import ------------------------------------------------------------------------------------


def read_opml(content: bytes) -> tuple[DescribedFeed, ...]:
    """The feeds of an OPML file, including those in folders, in the order of the file.

    An entry that cannot become a feed has a problem: `no-address`, `duplicate` (of an earlier
    address) or `feed` (invalid JSON). Raises InvalidInput if the content is not OPML.
    """
    root = read_xml(content)
    if root.name.lower() != "opml":
        raise InvalidInput(f"the XML is not OPML: it begins with {root.name!r:.60}")
    seen: dict[str, int] = {}
    leaves = (leaf for body in root.all("body") for leaf in _leaves(body))
    return tuple(
        _described(position, outline, seen) for position, outline in enumerate(leaves, start=1)
    )


def _leaves(node: Node) -> Iterator[Node]:
    """Yield the outlines that are not folders. `read_xml` limits their depth."""
    for outline in node.all("outline"):
        said = _attributes(outline)
        if said.get("xmlurl") or said.get(FEED) or not any(outline.all("outline")):
            yield outline
        yield from _leaves(outline)


def _attributes(outline: Node) -> dict[str, str]:
    """The attributes by their names in lower case: readers differ in case."""
    return {name.lower(): value.strip() for name, value in outline.attributes.items()}


def _described(position: int, outline: Node, seen: dict[str, int]) -> DescribedFeed:
    said = _attributes(outline)
    label = clean(said.get("title") or said.get("text") or "", limit=_LONGEST_LABEL)
    if said.get(FEED, "").startswith("{"):
        return _from_export(position, label, said[FEED])
    address = _address(said.get("xmlurl", ""))
    label = label or address[:_LONGEST_LABEL]
    parts = split_http(address)
    host = (parts.hostname or "") if parts else ""
    # A valid name: from the Latin letters and digits of the label, else from the host.
    value: dict[str, Any] = {"name": _plain(label) or _plain(host) or FEED}
    if named := _arxiv_categories(address):
        # arXiv's own feeds use the source `arxiv`, which recognises replacements.
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


def _from_export(position: int, label: str, text: str) -> DescribedFeed:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        problem = ("feed", "its description of the feed is not JSON: export it again")
        return DescribedFeed(position=position, label=label, value=text[:500], problem=problem)
    return DescribedFeed(position=position, label=label, value=value)


def _address(url: str) -> str:
    """The address to request: without a fragment, and without the scheme `feed` of old readers."""
    if url.startswith("feed:"):
        rest = url.removeprefix("feed:")
        url = f"http:{rest}" if rest.startswith("//") else rest
    try:
        return urldefrag(url).url
    except ValueError:
        return url


def _arxiv_categories(address: str) -> list[str]:
    parts = split_http(address)
    path = _ARXIV_PATH.fullmatch(parts.path) if parts and parts.hostname in _ARXIV else None
    named = path[1].split("+") if path else []
    return named if all(one in categories() for one in named) else []


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text[: _LONGEST_NAME * 4]).casefold()
    bare = "".join(one for one in folded if not unicodedata.combining(one))
    return _NOT_NAME.sub("-", bare).strip("-.")[:_LONGEST_NAME].strip("-.")
