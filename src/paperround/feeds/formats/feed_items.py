"""RSS 2.0, RSS 1.0 (RDF), Atom 1.0 and JSON Feed as records of papers.

    bytes ─► XML or JSON ─► items ─► _Item ─► Record, or a Reject with its reason
              └─ no well-formed XML ─► wild_feed ─┘

Understands what journals add: Dublin Core (`dc:creator`, `dc:identifier`, `dc:date`), PRISM
(`prism:doi`, `prism:publicationDate`, `prism:coverDate`) and `content:encoded`. Dates that cannot
be read are left out: they are no reason to lose a paper. Addresses are resolved against the feed's.

An item is listed when it was published, by its own word, so that the backlog of a new feed is no
news, and of a month or a year on its last day; where only an update is dated, then, because it was
published no later. The date on the cover of an issue lists nothing. Of several dates an item had
over time the earliest stays (see `merge`).
"""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from paperround.core.errors import InvalidInput, UnreadableFile
from paperround.feeds.formats.dates import StatedDate, read_date
from paperround.feeds.formats.entries import (
    MOST_BYTES,
    BadEntry,
    fingerprint,
    links_of,
    reject,
    storable,
)
from paperround.feeds.formats.feed_authors import authors_of
from paperround.feeds.formats.feed_names import absolute, names_of
from paperround.feeds.formats.wild_feed import wild_items
from paperround.feeds.formats.xml import Node, NotWellFormed, decoded, read_xml
from paperround.papers.model import ParsedBatch, Record, Reject, Show
from paperround.papers.text import ABSTRACT_LIMIT, clean

MOST_ITEMS = 10_000
"""Items of one feed that are read."""

_HEAD = 1000
_WEB_PAGES = (b"<!doctype html", b"<html")
_A_WEB_PAGE = "this is a web page, no feed: look on it for the address of its feed"
_TITLE = 200
_MOST_NAMES = 1000
_SUMMARIES = ("description", "summary", "encoded", "content")
_PUBLISHED = ("pubDate", "published", "publicationDate", "date", "issued")
_OF_MEDIA = (
    "http://search.yahoo.com/mrss",
    "https://search.yahoo.com/mrss",
    "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "http://www.google.com/schemas/play-podcasts",
)
"""How the namespaces of Media RSS and of podcasts begin. What describes a picture or a sound in an
entry is left out: `media:title` is not the title of the paper, and `dc:title` is, if no other."""
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
    """The papers of one feed read from `address`; raises UnreadableFile for what is no feed.

    An empty address is that of a file: the one the feed states of itself is taken in its place.
    """
    head = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    found = _json_items(content, address) if head == b"{" else _xml_items(content, address)
    records: list[Record] = []
    rejects: list[Reject] = []
    for position, item in enumerate(found, start=1):
        if position > MOST_ITEMS:
            problem = BadEntry("feed-cut", f"only the first {MOST_ITEMS:,} items are read")
            rejects.append(reject(problem, position, ""))
            break
        try:
            records.append(_record(item, address))
        except BadEntry as problem:
            said = f"{item.guid} {item.text}" if isinstance(item, _FeedItem) else item.detail
            rejects.append(reject(problem, position, said))
    return ParsedBatch(records=tuple(records), rejects=tuple(rejects))


def _record(item: "_FeedItem | BadEntry", address: str) -> Record:
    if isinstance(item, BadEntry):
        raise item
    text = plain(item.text)
    title = plain(item.title) or (text[:_TITLE] if item.link else "")
    published, updated = _date(item.published), _date(item.updated)
    listed, dated = published or updated, published or _date(item.cover)
    if not title:
        raise BadEntry("no-title", "the item has no title")
    said = [item.title, item.text, item.link, item.guid, *item.stated, *item.authors]
    said += [*item.keywords, item.published or item.cover, item.updated]
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
        show=Show.LINK,  # whose abstract it is, a feed does not say
        fingerprint=fingerprint(json.dumps(said).encode()),
    )


# --- XML ---------------------------------------------------------------------------------------


def _xml_items(content: bytes, address: str) -> Iterator["_FeedItem | BadEntry"]:
    head = content[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not head:
        raise UnreadableFile("the feed is empty, without even a head")
    if head.startswith(_WEB_PAGES):
        raise UnreadableFile(_A_WEB_PAGE)
    try:
        root = read_xml(content)
    except NotWellFormed as problem:
        return _wild_items(content, address, problem)
    if root.name == "feed":
        address = address or _own_address(root)
        return (_atom(entry, root, address) for entry in root.all("entry"))
    channel = next(root.all("channel"), None)
    if root.name.lower() == "html":
        raise UnreadableFile(_A_WEB_PAGE)
    if root.name not in {"rss", "RDF"} or channel is None:
        raise UnreadableFile(f"the XML is no feed: it is <{root.name[:40]}>")
    address = address or _own_address(channel)
    # RSS 1.0 has its items beside the channel, RSS 2.0 in it.
    return (_rss(item, address) for part in (channel, root) for item in part.all("item"))


def _own_address(holder: Node) -> str:
    """What a feed says of where it is, else of where its site is; empty when it says neither."""
    links = list(holder.all("link"))
    own = [one.attributes.get("href", "") for one in links if one.attributes.get("rel") == "self"]
    site = [one.text or one.attributes.get("href", "") for one in links]
    return next((found for one in (*own, *site) if (found := absolute(one, ""))), "")


def _rss(entry: Node, address: str) -> _FeedItem:
    entry = entry.own_first(without=_OF_MEDIA)
    guid = entry.said("guid") or ""
    is_address = any(one.attributes.get("isPermaLink") != "false" for one in entry.all("guid"))
    link = absolute(entry.said("link") or "", address)
    if link is None and is_address and guid.startswith(("http://", "https://")):
        link = absolute(guid, address)
    kinds = ("creator", "author", "authors")
    names = next(filter(None, ([one.text for one in entry.all(kind)] for kind in kinds)), [])
    keywords = [one.text for kind in ("category", "subject") for one in entry.all(kind)]
    return _common(entry, link=link, guid=guid, names=names, keywords=keywords)


def _atom(entry: Node, root: Node, address: str) -> _FeedItem:
    entry = entry.own_first(without=_OF_MEDIA)
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
    item = _common(entry, link=link, guid=entry.said("id") or "", names=names, keywords=keywords)
    item.updated = entry.said("updated")
    return item


def _common(
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
        keywords=_filled(keywords),
        published=next((text for name in _PUBLISHED if (text := entry.said(name))), None),
        cover=entry.said("coverDate"),
    )


def _filled(texts: list[str]) -> list[str]:
    return [storable(text) for one in texts if (text := " ".join(one.split()))]


# --- what is neither ---------------------------------------------------------------------------


def _wild_items(content: bytes, address: str, problem: NotWellFormed) -> Iterator[_FeedItem]:
    """The items of a feed that somebody wrote badly; raises `problem` when it cannot be read."""
    try:
        found = wild_items(decoded(content))
    except UnreadableFile as error:
        raise UnreadableFile(f"{problem} (and by its words alone: {error})") from None
    return (
        _FeedItem(
            title=storable(said["title"]),
            text=next((text for one in said["texts"] if plain(text := storable(one))), ""),
            link=absolute(storable(said["link"]), address),
            guid=storable(said["guid"]),
            stated=[storable(text) for text in said["stated"]],
            authors=authors_of(said["names"]),
            keywords=_filled(said["keywords"]),
            published=said["published"],
            updated=said["updated"],
            cover=said["cover"],
        )
        for said in found
    )


# --- JSON --------------------------------------------------------------------------------------


def _json_items(content: bytes, address: str) -> Iterator["_FeedItem | BadEntry"]:
    if len(content) > MOST_BYTES:
        raise UnreadableFile(f"the JSON has more than {MOST_BYTES:,} bytes: no feed is that long")
    try:
        feed = json.loads(content.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        raise UnreadableFile("the JSON cannot be read: fetch it again") from None
    items = feed.get("items") if isinstance(feed, dict) else None
    version = feed.get("version") if isinstance(feed, dict) else None
    is_feed = isinstance(version, str) and "jsonfeed.org/version/" in version
    if not isinstance(items, list) or not is_feed:
        raise UnreadableFile("the JSON is no JSON Feed: it has no version or no items")
    stated = (feed.get(key) for key in ("feed_url", "home_page_url"))
    own = (absolute(storable(one), "") for one in stated if isinstance(one, str))
    base = address or next(filter(None, own), "")
    return (_json_item(item, base) for item in items)


def _json_item(item: object, address: str) -> "_FeedItem | BadEntry":
    if not isinstance(item, dict):
        return BadEntry("wrong-type", "an item must be an object")
    said = {key: storable(value) for key, value in item.items() if isinstance(value, str)}
    number = item.get("id")
    guid = said.get("id") or (str(number) if type(number) is int and abs(number) < 2**63 else "")
    texts = (said.get(key, "") for key in ("content_text", "content_html", "summary"))
    people = item.get("authors")
    people = people if isinstance(people, list) else [item.get("author")]
    names = [one.get("name") for one in people if isinstance(one, dict)]
    tags = item.get("tags")
    return _FeedItem(
        title=said.get("title", ""),
        text=next((text for text in texts if text.strip()), ""),
        link=absolute(said.get("url", ""), address)
        or (absolute(guid, address) if guid.startswith(("http://", "https://")) else None),
        guid=guid,
        authors=authors_of([name for name in names if isinstance(name, str)]),
        keywords=_filled([tag for tag in tags if isinstance(tag, str)])
        if isinstance(tags, list)
        else [],
        published=said.get("date_published"),
        updated=said.get("date_modified"),
    )


# --- dates -------------------------------------------------------------------------------------


def _date(text: str | None) -> StatedDate | None:
    try:
        return read_date(text) if text else None
    except InvalidInput:
        return None


_MOST = 200_000
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
    """The readable text in `text`; empty when nothing is left.

    A lone publisher's line and a heading `ABSTRACT` go: they say nothing of the paper.
    """
    text = _HIDDEN.sub(" ", storable(text[:_MOST]))
    text = _LOWERED.sub(r"\1sub>", text)
    text = _TAG.sub(lambda tag: " " if _BLOCK.match(tag[0]) else "", text)
    text = clean(html.unescape(text), limit=ABSTRACT_LIMIT)
    if _PUBLISHER_LINE.fullmatch(text):
        return ""
    return _HEADING.sub("", text, count=1) if _HEADING.match(text) else text
