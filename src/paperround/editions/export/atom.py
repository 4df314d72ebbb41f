"""Write feeds as Atom (RFC 4287)."""

import re
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from paperround.core.times import format_instant
from paperround.editions.export.entry_html import entry_html
from paperround.editions.feed_documents import FeedDocument, FeedEntry
from paperround.papers.formatting import web_address

NAMESPACE = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml"
GENERATOR = "Paperround"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def write_atom(feed: FeedDocument) -> bytes:
    """Return the feed as an Atom document; the same feed gives the same bytes."""
    root = etree.Element("feed", {_LANGUAGE: "en"}, nsmap={None: NAMESPACE})
    own = f"{feed.address}.atom"
    add(root, "id", own)
    add(root, "title", feed.title)
    add(root, "subtitle", feed.subtitle)
    add(root, "updated", format_instant(feed.updated))
    add(root, "link", rel="self", type=MEDIA_TYPE, href=own)
    add(root, "link", rel="alternate", type="text/html", href=feed.page)
    add(add(root, "author"), "name", feed.publisher)
    add(root, "generator", GENERATOR)
    for entry in feed.entries:
        _add_entry(root, entry)
    return serialize(root)


def _add_entry(root: object, entry: FeedEntry) -> None:
    item = add(root, "entry")
    add(item, "id", entry.id)
    add(item, "title", entry.title)
    add(item, "published", format_instant(entry.published))
    add(item, "updated", format_instant(entry.updated))
    add(item, "link", rel="alternate", type="text/html", href=entry.page)
    related = web_address(entry.links.get("abstract", ""))
    if related:
        add(item, "link", rel="related", href=related)
    for name in filter(str.strip, entry.authors):
        add(add(item, "author"), "name", name)
    for category in entry.categories:
        add(item, "category", term=category)
    add(item, "content", entry_html(entry), type="html")


_NOT_XML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Return `text` without control characters and those not allowed in XML."""
    return _NOT_XML.sub("", text)


def add(parent: Any, name: str, text: str = "", **attributes: str) -> Any:
    """Append a child to `parent` and return it."""
    cleaned = {key: xml_text(value) for key, value in attributes.items()}
    child = etree.SubElement(parent, name, cleaned)
    if text:
        child.text = xml_text(text)
    return child


def serialize(root: Any) -> bytes:
    """Return the document with this root, in UTF-8."""
    document: bytes = etree.tostring(
        root, xml_declaration=True, encoding="UTF-8", pretty_print=True
    )
    return document
