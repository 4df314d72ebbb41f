"""Parse RSS 2.0, RSS 1.0 (RDF), Atom 1.0 and JSON Feed into records of papers.

    bytes ─► XML or JSON ─► items ─► _FeedItem ─► Record, or a Reject with its reason
              └─ not well-formed XML ─► wild_feed ─┘

Supports what journals add: Dublin Core (`dc:creator`, `dc:identifier`, `dc:date`), PRISM
(`prism:doi`, `prism:publicationDate`, `prism:coverDate`) and `content:encoded`. Unreadable dates
are dropped, so that no paper is lost for one. Addresses are resolved against the feed's.

An item is listed on its own publication date, so that the backlog of a new feed is not news; for a
month or a year on its last day. Without one, the update date is used, since publication was no
later. The cover date of an issue is no listing date. Of several dates over time the earliest is
kept (see `merge`).
"""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from paperround.core.errors import InvalidInput, UnreadableFile
from paperround.feeds.formats.charsets import text_of_xml
from paperround.feeds.formats.dates import StatedDate, read_date
from paperround.feeds.formats.entries import (
    MOST_BYTES,
    BadEntry,
    batch_of,
    fingerprint,
    links_of,
    reject,
    storable,
)
from paperround.feeds.formats.feed_authors import authors_of
from paperround.feeds.formats.feed_names import absolute, names_of
from paperround.feeds.formats.wild_feed import wild_items
from paperround.feeds.formats.xml import Node, NotWellFormed, read_xml
from paperround.papers.model import ParsedBatch, Record, Show
from paperround.papers.text import ABSTRACT_LIMIT, clean

MOST_ITEMS = 10_000
"""Items read from one feed."""

_HEAD = 1000
_WEB_PAGES = (b"<!doctype html", b"<html")
_WEB_PAGE = "this is a web page, not a feed: find the address of its feed on the page"
_LONGEST_TITLE = 200
_MOST_NAMES = 1000
_SUMMARIES = ("description", "summary", "encoded", "content")
_PUBLISHED = ("pubDate", "published", "publicationDate", "date", "issued")
_MEDIA_NAMESPACES = (
    "http://search.yahoo.com/mrss",
    "https://search.yahoo.com/mrss",
    "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "http://www.google.com/schemas/play-podcasts",
)
"""Prefixes of the namespaces of Media RSS and podcasts. What describes a picture or a sound is
ignored: `media:title` is not the title of the paper, `dc:title` may be."""
_ITEM_LINKS = (None, "", "alternate")


@dataclass(slots=True, kw_only=True)
class _FeedItem:
    title: str = ""
    text: str = ""
    link: str | None = None
    guid: str = ""
    stated: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    published: str | None = None
    updated: str | None = None
    cover: str | None = None


def read_feed(content: bytes, address: str) -> ParsedBatch:
    """Return the papers of a feed read from `address`; raises UnreadableFile when it is no feed.

    An empty address means a file; the address the feed states of itself is used instead.
    """
    found = _json_items(content, address) if _is_object(content) else _xml_items(content, address)
    items = list(islice(found, MOST_ITEMS + 1))
    batch = batch_of(items[:MOST_ITEMS], lambda item: [_record(item, address)], _excerpt)
    if len(items) <= MOST_ITEMS:
        return batch
    problem = BadEntry("feed-cut", f"only the first {MOST_ITEMS:,} items are read")
    return replace(batch, rejects=(*batch.rejects, reject(problem, len(items), "")))


def _excerpt(item: "_FeedItem | BadEntry") -> str:
    return f"{item.guid} {item.text}" if isinstance(item, _FeedItem) else item.detail


def read_rss(content: bytes) -> ParsedBatch:
    """The papers of a saved feed: RSS 2.0, RSS 1.0 (RDF) or Atom."""
    if _is_object(content):
        raise UnreadableFile("the file holds JSON, not RSS or Atom: read it as jsonfeed")
    return read_feed(content, "")


def read_jsonfeed(content: bytes) -> ParsedBatch:
    """The papers of a saved JSON Feed."""
    if not _is_object(content):
        raise UnreadableFile("the file has no JSON object: it is not a JSON Feed")
    return read_feed(content, "")


def _is_object(content: bytes) -> bool:
    return content[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"


def _record(item: "_FeedItem | BadEntry", address: str) -> Record:
    if isinstance(item, BadEntry):
        raise item
    text = plain(item.text)
    title = plain(item.title) or (text[:_LONGEST_TITLE] if item.link else "")
    published, updated = _date(item.published), _date(item.updated)
    listed, dated = published or updated, published or _date(item.cover)
    if not title:
        raise BadEntry("no-title", "the item has no title")
    content = [item.title, item.text, item.link, item.guid, *item.stated, *item.authors]
    content += [*item.keywords, item.published or item.cover, item.updated]
    return Record(
        title=title,
        abstract=text,
        identifiers=names_of(item.stated, guid=item.guid, link=item.link, feed=address),
        authors=tuple(item.authors[:_MOST_NAMES]),
        keywords=tuple(item.keywords[:_MOST_NAMES]),
        links=links_of({"abstract": item.link}),
        listed_on=listed.period.last if listed else None,
        listed_at=listed.at if listed else None,
        published_at=dated.start if dated else None,
        updated_at=updated.start if updated else None,
        show=Show.LINK,  # a feed does not say who owns the abstract
        fingerprint=fingerprint(json.dumps(content).encode()),
    )


def _xml_items(content: bytes, address: str) -> Iterator["_FeedItem | BadEntry"]:
    head = content[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not head:
        raise UnreadableFile("the feed is empty, without even a head")
    if head.startswith(_WEB_PAGES):
        raise UnreadableFile(_WEB_PAGE)
    try:
        root = read_xml(content)
    except NotWellFormed as problem:
        return _wild_items(content, address, problem)
    if root.name == "feed":
        address = address or _own_address(root)
        return (_atom_item(entry, root, address) for entry in root.all("entry"))
    channel = next(root.all("channel"), None)
    if root.name.lower() == "html":
        raise UnreadableFile(_WEB_PAGE)
    if root.name not in {"rss", "RDF"} or channel is None:
        raise UnreadableFile(f"the XML is not a feed: it is <{root.name[:40]}>")
    address = address or _own_address(channel)
    # RSS 1.0 has its items beside the channel, RSS 2.0 in it.
    return (_rss_item(item, address) for part in (channel, root) for item in part.all("item"))


def _own_address(holder: Node) -> str:
    """Return the feed's own address, else its site's; empty when it states neither."""
    links = list(holder.all("link"))
    own = [one.attributes.get("href", "") for one in links if one.attributes.get("rel") == "self"]
    site = [one.text or one.attributes.get("href", "") for one in links]
    return next((found for one in (*own, *site) if (found := absolute(one, ""))), "")


def _rss_item(entry: Node, address: str) -> _FeedItem:
    entry = entry.own_first(without=_MEDIA_NAMESPACES)
    guid = entry.said("guid") or ""
    is_address = any(one.attributes.get("isPermaLink") != "false" for one in entry.all("guid"))
    link = absolute(entry.said("link") or "", address)
    if link is None and is_address and guid.startswith(("http://", "https://")):
        link = absolute(guid, address)
    kinds = ("creator", "author", "authors")
    names = next(filter(None, ([one.text for one in entry.all(kind)] for kind in kinds)), [])
    keywords = [one.text for kind in ("category", "subject") for one in entry.all(kind)]
    return _make_item(entry, link=link, guid=guid, names=names, keywords=keywords)


def _atom_item(entry: Node, root: Node, address: str) -> _FeedItem:
    entry = entry.own_first(without=_MEDIA_NAMESPACES)
    hrefs = [
        one.attributes.get("href", "")
        for one in entry.all("link")
        if one.attributes.get("rel") in _ITEM_LINKS
    ]
    base = absolute(root.attributes.get("base", ""), address) or address
    base = absolute(entry.attributes.get("base", ""), base) or base
    link = next((found for href in hrefs if (found := absolute(href, base))), None)
    names = [one.said("name") or "" for one in entry.all("author")]
    keywords = [one.attributes.get("term", "") for one in entry.all("category")]
    item = _make_item(entry, link=link, guid=entry.said("id") or "", names=names, keywords=keywords)
    item.updated = entry.said("updated")
    return item


def _make_item(
    entry: Node, *, link: str | None, guid: str, names: list[str], keywords: list[str]
) -> _FeedItem:
    stated = [one.text for kind in ("doi", "identifier") for one in entry.all(kind)]
    return _FeedItem(
        title=entry.said("title") or "",
        text=next((text for name in _SUMMARIES if (text := entry.said(name)) and plain(text)), ""),
        link=link,
        guid=storable(guid),
        stated=[storable(text) for text in stated],
        authors=authors_of(names),
        keywords=_clean_all(keywords),
        published=next((text for name in _PUBLISHED if (text := entry.said(name))), None),
        cover=entry.said("coverDate"),
    )


def _clean_all(texts: list[str]) -> list[str]:
    return [storable(text) for one in texts if (text := " ".join(one.split()))]


def _wild_items(content: bytes, address: str, problem: NotWellFormed) -> Iterator[_FeedItem]:
    """Return the items of a malformed feed; raises UnreadableFile when it cannot be read."""
    try:
        found = wild_items(text_of_xml(content))
    except UnreadableFile as error:
        raise UnreadableFile(f"{problem}; a lenient reading fails too: {error}") from None
    return (
        _FeedItem(
            title=storable(item["title"]),
            text=next((text for one in item["texts"] if plain(text := storable(one))), ""),
            link=absolute(storable(item["link"]), address),
            guid=storable(item["guid"]),
            stated=[storable(text) for text in item["stated"]],
            authors=authors_of(item["names"]),
            keywords=_clean_all(item["keywords"]),
            published=item["published"],
            updated=item["updated"],
            cover=item["cover"],
        )
        for item in found
    )


def _json_items(content: bytes, address: str) -> Iterator["_FeedItem | BadEntry"]:
    if len(content) > MOST_BYTES:
        raise UnreadableFile(f"the JSON has more than {MOST_BYTES:,} bytes: too long for a feed")
    try:
        feed = json.loads(content.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        raise UnreadableFile("the JSON cannot be read: fetch it again") from None
    items = feed.get("items") if isinstance(feed, dict) else None
    version = feed.get("version") if isinstance(feed, dict) else None
    is_feed = isinstance(version, str) and "jsonfeed.org/version/" in version
    if not isinstance(items, list) or not is_feed:
        raise UnreadableFile("the JSON is not a JSON Feed: it has no version or no items")
    stated = (feed.get(key) for key in ("feed_url", "home_page_url"))
    own = (absolute(storable(one), "") for one in stated if isinstance(one, str))
    base = address or next(filter(None, own), "")
    return (_json_item(item, base) for item in items)


def _json_item(item: object, address: str) -> "_FeedItem | BadEntry":
    if not isinstance(item, dict):
        return BadEntry("wrong-type", "an item must be an object")
    texts = {key: storable(value) for key, value in item.items() if isinstance(value, str)}
    number = item.get("id")
    guid = texts.get("id") or (str(number) if type(number) is int and abs(number) < 2**63 else "")
    bodies = (texts.get(key, "") for key in ("content_text", "content_html", "summary"))
    people = item.get("authors")
    people = people if isinstance(people, list) else [item.get("author")]
    names = [one.get("name") for one in people if isinstance(one, dict)]
    tags = item.get("tags")
    return _FeedItem(
        title=texts.get("title", ""),
        text=next((text for text in bodies if text.strip()), ""),
        link=absolute(texts.get("url", ""), address)
        or (absolute(guid, address) if guid.startswith(("http://", "https://")) else None),
        guid=guid,
        authors=authors_of([name for name in names if isinstance(name, str)]),
        keywords=_clean_all([tag for tag in tags if isinstance(tag, str)])
        if isinstance(tags, list)
        else [],
        published=texts.get("date_published"),
        updated=texts.get("date_modified"),
    )


def _date(text: str | None) -> StatedDate | None:
    try:
        return read_date(text) if text else None
    except InvalidInput:
        return None


_LONGEST_TEXT = 200_000
_HIDDEN = re.compile(r"<(script|style)\b[^<>]{0,400}>.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:a|abbr|article|b|blockquote|br|center|cite|code|dd|div|dl|dt|em|figcaption|figure|font"
    r"|h[1-6]|hr|i|iframe|img|inline-formula|li|ol|p|pre|scp?|section|small|span|strong|table"
    r"|tbody|td|tex-math|th|thead|tr|u|ul)(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
_BLOCK = re.compile(
    r"</?(?:p|div|br|li|h\d|t[drh]|table|blockquote|ul|ol|section)\b", re.IGNORECASE
)
_LOWERED = re.compile(r"(</?)inf>", re.IGNORECASE)
_HEADING = re.compile(r"ABSTRACT(?::\s*|\s+(?=[A-Z]))|Abstract:\s+")
_PUBLISHER_LINE = re.compile(
    r"Publication date: [^,]{3,40}?,? ?Source: "
    r"(?:[^.?!]{1,200}|.{1,300}?,? ?Author\(s\): .{0,5000})"
    r"|[^.:;?!]{0,120} DOI: ?10\.\d{4,9}/\S{1,200}",
    re.DOTALL,
)


def plain(text: str) -> str:
    """Return the readable text in `text`; empty when nothing is left.

    A lone publisher's line and the heading `ABSTRACT` are removed.
    """
    text = _HIDDEN.sub(" ", storable(text[:_LONGEST_TEXT]))
    text = _LOWERED.sub(r"\1sub>", text)
    text = _TAG.sub(lambda tag: " " if _BLOCK.match(tag[0]) else "", text)
    text = clean(html.unescape(text), limit=ABSTRACT_LIMIT)
    if _PUBLISHER_LINE.fullmatch(text):
        return ""
    return _HEADING.sub("", text, count=1) if _HEADING.match(text) else text
