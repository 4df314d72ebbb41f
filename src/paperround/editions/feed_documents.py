"""Define the content of feeds, and write it as Atom, RSS and JSON Feed. URLs are absolute.

A writer returns the same bytes for the same feed.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Any, NamedTuple

from lxml import etree  # type: ignore[import-untyped]

from paperround.core.i18n.locale import locale_for
from paperround.core.times import format_instant, require_utc
from paperround.editions.labels import WITHDRAWN, localized_authors
from paperround.papers.formatting import paper_links, web_address

_ATOM = "application/atom+xml"
_ATOM_NAMESPACE = "http://www.w3.org/2005/Atom"
_RSS = "application/rss+xml"
_RSS_TTL = "60"
"""How many minutes clients may cache a feed."""
_DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
_JSON_FEED = "https://jsonfeed.org/version/1.1"
_GENERATOR = "Paperround"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_NOT_XML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """A paper in a feed.

    `id` is a permanent URI, `page` the URL to show, empty for none. `text` is what we may show of
    the abstract, `reason` why the paper is in the feed. `categories` are the paper's, followed by
    its keywords. `published` is when it entered the feed, `updated` when the entry last changed.
    `links` are by kind, like a paper's.
    """

    id: str
    page: str
    title: str
    authors: tuple[str, ...] = ()
    reason: str = ""
    text: str = ""
    categories: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    published: datetime
    updated: datetime
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedDocument:
    """A feed, its newest entries first.

    `address` is its URL without the extension of a format, `page` the same content as a web page.
    A feed in a reader's own file has a URN and no page, which only Atom can express.
    `subtitle` describes the content, or why it is empty. `publisher` is the operator of the site.
    `updated` is when it last got an entry, `changed` when anything in it last changed, such as the
    categories of a paper; None if unknown. An `is_private` feed has a secret URL for one person.
    """

    title: str
    subtitle: str
    address: str
    page: str
    publisher: str
    updated: datetime
    changed: datetime | None
    entries: tuple[FeedEntry, ...]
    is_private: bool = False


def write_atom(feed: FeedDocument) -> bytes:
    """Return the feed as Atom (RFC 4287)."""
    root = etree.Element("feed", {_LANGUAGE: "en"}, nsmap={None: _ATOM_NAMESPACE})
    own = f"{feed.address}.atom" if web_address(feed.address) else feed.address
    _add(root, "id", own)
    _add(root, "title", feed.title)
    _add(root, "subtitle", feed.subtitle)
    _add(root, "updated", format_instant(feed.updated))
    if feed.page:
        _add(root, "link", rel="self", type=_ATOM, href=own)
        _add(root, "link", rel="alternate", type="text/html", href=feed.page)
    _add(_add(root, "author"), "name", feed.publisher)
    _add(root, "generator", _GENERATOR)
    for entry in feed.entries:
        _add_atom_entry(root, entry)
    return _serialize(root)


def _add_atom_entry(root: object, entry: FeedEntry) -> None:
    item = _add(root, "entry")
    _add(item, "id", entry.id)
    _add(item, "title", entry.title)
    _add(item, "published", format_instant(entry.published))
    _add(item, "updated", format_instant(entry.updated))
    if entry.page:
        _add(item, "link", rel="alternate", type="text/html", href=entry.page)
    related = web_address(entry.links.get("abstract", ""))
    if related:
        _add(item, "link", rel="related", href=related)
    for name in filter(str.strip, entry.authors):
        _add(_add(item, "author"), "name", name)
    for category in entry.categories:
        _add(item, "category", term=category)
    _add(item, "content", _entry_html(entry), type="html")


def write_rss(feed: FeedDocument) -> bytes:
    """Return the feed as RSS 2.0, following the RSS Advisory Board's Best Practices Profile."""
    namespaces = {"atom": _ATOM_NAMESPACE, "dc": _DUBLIN_CORE}
    root = etree.Element("rss", {"version": "2.0"}, nsmap=namespaces)
    channel = _add(root, "channel")
    _add(channel, "title", feed.title)
    _add(channel, "link", feed.page)
    _add(channel, "description", feed.subtitle)
    _add(channel, "language", "en")
    _add(channel, "lastBuildDate", _rfc_822(feed.updated))
    _add(channel, "generator", _GENERATOR)
    _add(channel, "ttl", _RSS_TTL)
    own = f"{feed.address}.rss"
    _add(channel, f"{{{_ATOM_NAMESPACE}}}link", rel="self", type=_RSS, href=own)
    for entry in feed.entries:
        _add_rss_item(channel, entry)
    return _serialize(root)


def _add_rss_item(channel: object, entry: FeedEntry) -> None:
    item = _add(channel, "item")
    _add(item, "title", entry.title)
    _add(item, "link", entry.page)
    _add(item, "guid", entry.id, isPermaLink="true")
    _add(item, "pubDate", _rfc_822(entry.published))
    for name in filter(str.strip, entry.authors):
        _add(item, f"{{{_DUBLIN_CORE}}}creator", name)
    for category in entry.categories:
        _add(item, "category", category)
    _add(item, "description", _entry_html(entry))


def _rfc_822(moment: datetime) -> str:
    return format_datetime(require_utc(moment), usegmt=True)


def _add(parent: Any, name: str, text: str = "", **attributes: str) -> Any:
    """Append an XML element to `parent`, without characters not allowed in XML; return it."""
    clean = {key: _NOT_XML.sub("", value) for key, value in attributes.items()}
    child = etree.SubElement(parent, name, clean)
    if text:
        child.text = _NOT_XML.sub("", text)
    return child


def _serialize(root: Any) -> bytes:
    document: bytes = etree.tostring(
        root, xml_declaration=True, encoding="UTF-8", pretty_print=True
    )
    return document


def write_json_feed(feed: FeedDocument) -> bytes:
    """Return the feed as JSON Feed 1.1."""
    value = {
        "version": _JSON_FEED,
        "title": feed.title,
        "description": feed.subtitle,
        "home_page_url": feed.page,
        "feed_url": f"{feed.address}.json",
        "language": "en",
        "authors": [{"name": feed.publisher}],
        "items": [_json_item(entry) for entry in feed.entries],
    }
    return json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _json_item(entry: FeedEntry) -> dict[str, Any]:
    item = {
        "id": entry.id,
        "url": entry.page,
        "external_url": web_address(entry.links.get("abstract", "")),
        "title": entry.title,
        "summary": _entry_text(entry),
        "content_html": _entry_html(entry),
        "date_published": format_instant(entry.published),
        "date_modified": format_instant(entry.updated),
        "authors": [{"name": name} for name in entry.authors if name.strip()],
        "tags": list(entry.categories),
    }
    return {name: value for name, value in item.items() if value or name == "content_html"}


def _entry_html(entry: FeedEntry) -> str:
    """Return an entry's authors, reason, text and links as HTML, escaped and without scripts or
    external resources."""
    anchors = [f'<a href="{escape(url)}">{escape(name)}</a>' for name, url in paper_links(entry)]
    inner = (
        f"<strong>{WITHDRAWN}</strong>" if entry.withdrawn else "",
        escape(localized_authors(locale_for(), entry.authors)),
        f"<em>{escape(entry.reason)}</em>" if entry.reason else "",
        escape(entry.text),
        " · ".join(anchors),
    )
    return "\n".join(f"<p>{one}</p>" for one in inner if one)


def _entry_text(entry: FeedEntry) -> str:
    """Return an entry's text, else its reason, as a line of plain text."""
    return " ".join(
        filter(None, (WITHDRAWN if entry.withdrawn else "", entry.text or entry.reason))
    )


class FeedFormat(NamedTuple):
    """A feed format: its media type and its writer."""

    media_type: str
    write: Callable[[FeedDocument], bytes]


FEED_FORMATS: Mapping[str, FeedFormat] = {
    "atom": FeedFormat(_ATOM, write_atom),
    "rss": FeedFormat(_RSS, write_rss),
    "json": FeedFormat("application/feed+json", write_json_feed),
}
"""By the extension of URLs."""
