"""Write feeds as RSS 2.0, following the RSS Advisory Board's Best Practices Profile."""

from datetime import datetime
from email.utils import format_datetime

from lxml import etree  # type: ignore[import-untyped]

from paperround.core.times import require_utc
from paperround.editions.export.atom import GENERATOR, NAMESPACE, add, serialize
from paperround.editions.export.entry_html import entry_html
from paperround.editions.feed_documents import FeedDocument, FeedEntry

MEDIA_TYPE = "application/rss+xml"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
MINUTES = "60"
"""How long clients may cache a feed."""


def write_rss(feed: FeedDocument) -> bytes:
    """Return the feed as an RSS document; the same feed gives the same bytes."""
    root = etree.Element("rss", {"version": "2.0"}, nsmap={"atom": NAMESPACE, "dc": DUBLIN_CORE})
    channel = add(root, "channel")
    add(channel, "title", feed.title)
    add(channel, "link", feed.page)
    add(channel, "description", feed.subtitle)
    add(channel, "language", "en")
    add(channel, "lastBuildDate", _rfc_822(feed.updated))
    add(channel, "generator", GENERATOR)
    add(channel, "ttl", MINUTES)
    own = f"{feed.address}.rss"
    add(channel, f"{{{NAMESPACE}}}link", rel="self", type=MEDIA_TYPE, href=own)
    for entry in feed.entries:
        _add_item(channel, entry)
    return serialize(root)


def _add_item(channel: object, entry: FeedEntry) -> None:
    item = add(channel, "item")
    add(item, "title", entry.title)
    add(item, "link", entry.page)
    add(item, "guid", entry.id, isPermaLink="true")
    add(item, "pubDate", _rfc_822(entry.published))
    for name in filter(str.strip, entry.authors):
        add(item, f"{{{DUBLIN_CORE}}}creator", name)
    for category in entry.categories:
        add(item, "category", category)
    add(item, "description", entry_html(entry))


def _rfc_822(moment: datetime) -> str:
    return format_datetime(require_utc(moment), usegmt=True)
