"""Parse feeds that are not well-formed XML with feedparser, in a child process.

    text ─► closed root, no document type, not too large ─► child ─► items
                                                              └─ limits of memory, time

The child gets only the import path of this process, and no address: it reads text and writes JSON.
A truncated document is an error, never a shorter feed: the root must close at the end, and all
items that begin must be found.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paperround.core.errors import UnreadableFile

MOST_BYTES = 4 * 1024 * 1024
"""feedparser takes seconds for a megabyte in the worst case."""
MOST_TAGS = 100_000

CHILD = "paperround.feeds.formats.wild_feed_child"
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
        raise UnreadableFile("a feed that is no well-formed XML is not read when it is this large")
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
        raise UnreadableFile("the XML is no feed")
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
