"""Parse feeds that are not well-formed XML with feedparser, in a child process.

    text ─► closed root, no document type, not too large ─► child ─► items
                                                              └─ limits of memory, time

The child gets only the import path of this process, and no address: it reads text and writes JSON.
A truncated document is an error, never a shorter feed: the root must close at the end, and all
items that begin must be found.
"""

import html
import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from paperround.core.errors import UnreadableFile

MOST_BYTES = 4 * 1024 * 1024
"""feedparser takes seconds for a megabyte in the worst case."""
MOST_TAGS = 100_000

CHILD = "paperround.feeds.formats.wild_feed"
_ITEMS = {"rss": "item", "rdf": "item", "feed": "entry"}
_HEAD = re.compile(r"(?:\s|\ufeff|<\?[^>]{0,1000}\?>|<!--.{0,5000}?-->)*", re.DOTALL)
_ROOT = re.compile(r"<(?:[\w.-]{1,60}:)?(rss|rdf|feed)(?=[\s>])", re.IGNORECASE)
_TAIL = re.compile(r"</(?:[\w.-]{1,60}:)?(rss|rdf|feed)\s*>\s*\Z", re.IGNORECASE)
_QUOTED = re.compile(r"<!\[CDATA\[|<!--")
_ENDS = {"<![CDATA[": "]]>", "<!--": "-->"}
_DECLARATION = re.compile(r"<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParserLimits:
    """Limits of a child: bytes of memory, seconds of CPU time, seconds of real time."""

    memory: int = 512 * 1024 * 1024
    cpu_seconds: int = 10
    timeout: float = 15.0


LIMITS = ParserLimits()


def wild_items(text: str, limits: ParserLimits | None = None) -> list[Mapping[str, Any]]:
    """Return the items feedparser finds in `text`, as the child writes them.

    Raises UnreadableFile for anything but a complete feed, and when the child exceeds a limit.
    """
    content = text.encode("utf-8", "replace")
    if len(content) > MOST_BYTES or text.count("<") > MOST_TAGS:
        raise UnreadableFile("a feed this large is only read if it is well-formed XML")
    markup = _strip_quoted(text)
    if _DECLARATION.search(markup):
        raise UnreadableFile("the XML declares a document type (DOCTYPE), which feeds do not need")
    expected = _count_items(text, markup)
    try:
        found = json.loads(_run_child(content, limits or LIMITS))
    except ValueError:
        raise UnreadableFile("reading it failed") from None
    found = [one for one in found if isinstance(one, dict)]
    if len(found) != expected:
        raise UnreadableFile(
            f"{expected:,} items begin in the feed and only {len(found):,} can be told apart"
        )
    return found


def _strip_quoted(text: str) -> str:
    """Return the text without comments and CDATA; raises UnreadableFile when one is unclosed."""
    parts, at = [], 0
    for match in _QUOTED.finditer(text):
        if match.start() < at:
            continue
        parts.append(text[at : match.start()])
        close = _ENDS[match[0]]
        end = text.find(close, match.end())
        if end < 0:
            raise UnreadableFile("a part of the feed does not end")
        at = end + len(close)
    return "".join([*parts, text[at:]])


def _count_items(text: str, markup: str) -> int:
    """Return the number of items that begin; raises UnreadableFile for a truncated feed."""
    head = _HEAD.match(text)
    root = _ROOT.match(text, head.end() if head else 0)
    if root is None:
        raise UnreadableFile("the XML is not a feed")
    end = _TAIL.search(markup.rstrip()[-200:])
    if end is None or end[1].casefold() != root[1].casefold():
        raise UnreadableFile("the feed ends too early")
    name = _ITEMS[root[1].casefold()]
    return len(re.findall(rf"<(?:[\w.-]{{1,60}}:)?{name}(?=[\s/>])", markup, re.IGNORECASE))


def _run_child(content: bytes, limits: ParserLimits) -> bytes:
    """Return the output of the child, which gets none of our environment or directories."""
    path = os.pathsep.join(one for one in sys.path if one)
    command = [sys.executable, "-P", "-s", "-m", CHILD, str(limits.memory), str(limits.cpu_seconds)]
    try:
        done = subprocess.run(  # noqa: S603
            command,
            input=content,
            capture_output=True,
            env={"PYTHONPATH": path},
            timeout=limits.timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnreadableFile("reading it took too long") from None
    if done.returncode:
        raise UnreadableFile("reading it took too much memory or time, or failed")
    return done.stdout


# --- the child process -------------------------------------------------------------------------

# `python -m paperround.feeds.formats.wild_feed MEMORY SECONDS < feed > items` sets limits before
# it reads anything. feedparser neither cleans HTML nor resolves addresses here, because the reader
# of the items does both.

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
    import feedparser  # type: ignore[import-untyped]  # slow, and only the child needs it

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
