"""Write feeds as JSON Feed 1.1 (jsonfeed.org/version/1.1)."""

import json
from typing import Any

from paperround.core.times import format_instant
from paperround.editions.export.entry_html import entry_html, entry_text
from paperround.editions.feed_documents import FeedDocument, FeedEntry
from paperround.papers.formatting import web_address

MEDIA_TYPE = "application/feed+json"
VERSION = "https://jsonfeed.org/version/1.1"


def write_json_feed(feed: FeedDocument) -> bytes:
    """Return the feed as a JSON Feed; the same feed gives the same bytes."""
    value = {
        "version": VERSION,
        "title": feed.title,
        "description": feed.subtitle,
        "home_page_url": feed.page,
        "feed_url": f"{feed.address}.json",
        "language": "en",
        "authors": [{"name": feed.publisher}],
        "items": [_item(entry) for entry in feed.entries],
    }
    return json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _item(entry: FeedEntry) -> dict[str, Any]:
    item = {
        "id": entry.id,
        "url": entry.page,
        "external_url": web_address(entry.links.get("abstract", "")),
        "title": entry.title,
        "summary": entry_text(entry),
        "content_html": entry_html(entry),
        "date_published": format_instant(entry.published),
        "date_modified": format_instant(entry.updated),
        "authors": [{"name": name} for name in entry.authors if name.strip()],
        "tags": list(entry.categories),
    }
    return {name: value for name, value in item.items() if value or name == "content_html"}
