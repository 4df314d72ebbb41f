"""Child process that parses a malformed feed with feedparser: text in, items as JSON out.

    python -m paperround.feeds.formats.wild_feed_child MEMORY SECONDS < feed > items

Limits are set before anything is read. It gets text, never an address; feedparser neither cleans
HTML nor resolves addresses here, because the reader of the items does both.
"""

import html
import json
import resource
import sys
from contextlib import suppress
from io import BytesIO
from typing import Any

_XHTML = "application/xhtml+xml"
_STATED = ("prism_doi", "dc_identifier")
_DATES = ("published", "prism_publicationdate")
_UTF_8 = {"content-type": "application/xml; charset=utf-8"}


def main() -> None:
    """Read a feed from standard input and write its items to standard output."""
    memory, seconds = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with suppress(ValueError, OSError):  # macOS defines this limit but rejects it
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    sys.stdout.write(json.dumps(items_of(sys.stdin.buffer.read())))


def items_of(content: bytes) -> list[dict[str, Any]]:
    """Return the items of a feed in UTF-8, with the keys `feed_items` uses."""
    import feedparser  # type: ignore[import-untyped]

    feed = feedparser.parse(
        BytesIO(content),
        response_headers=_UTF_8,
        resolve_relative_uris=False,
        sanitize_html=False,
    )
    is_atom = str(feed.version).startswith("atom")
    return [_item(entry, is_atom=is_atom) for entry in feed.entries]


def _item(entry: Any, *, is_atom: bool) -> dict[str, Any]:
    # feedparser reports dc:date, the only date of some RSS feeds, as `updated`.
    dates = _DATES if is_atom else (*_DATES, "updated")
    names = [one.get("name") or "" for one in entry.get("authors") or ()]
    if len(names) <= 1 and entry.get("author"):
        names = [entry["author"]]  # unparsed, because feedparser splits its address badly
    return {
        "title": _text(entry.get("title_detail")),
        "texts": [_text(entry.get("summary_detail")), *map(_text, entry.get("content") or ())],
        "link": entry.get("link") or "",
        "guid": entry.get("id") or "",
        "stated": [entry[key] for key in _STATED if entry.get(key)],
        "names": names,
        "keywords": [one.get("term") or "" for one in entry.get("tags") or ()],
        "published": next((entry[key] for key in dates if entry.get(key)), None),
        "updated": entry.get("updated") if is_atom else None,
        "cover": entry.get("prism_coverdate"),
    }


def _text(detail: Any) -> str:
    """Return the text as HTML; XHTML is unescaped, because feedparser escapes it."""
    value = (detail or {}).get("value") or ""
    return html.unescape(value) if (detail or {}).get("type") == _XHTML else value


if __name__ == "__main__":
    main()
