"""Feeds that are no well-formed XML, read by feedparser in a process of its own.

    text ─► has a root that closes, no document type, not too large ─► child ─► items
                                                                         └─ limits of memory, time

The child gets nothing of this process but its import path, and no address: it reads a text and
writes JSON. A document that ends too early stays an error, never a shorter feed: the root must
close at the end, and as many items come out as begin in it.
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
"""feedparser takes seconds for a megabyte of the worst."""
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
    """What one child may take: bytes of memory, seconds of work, seconds by the clock."""

    memory: int = 512 * 1024 * 1024
    work: int = 10
    patience: float = 15.0


LIMITS = ParserLimits()


def wild_items(text: str, limits: ParserLimits | None = None) -> list[Mapping[str, Any]]:
    """The items feedparser finds in `text`, as the child writes them.

    Raises UnreadableFile for what is no whole feed, and when the child meets one of its limits.
    """
    content = text.encode("utf-8", "replace")
    if len(content) > MOST_BYTES or text.count("<") > MOST_TAGS:
        raise UnreadableFile("a feed that is no well-formed XML is not read when it is this large")
    markup = _markup(text)
    if _DECLARATION.search(markup):
        raise UnreadableFile("the XML declares a document type (DOCTYPE), which feeds do not need")
    expected = _items_in(text, markup)
    try:
        found = json.loads(_run(content, limits or LIMITS))
    except ValueError:
        raise UnreadableFile("reading it failed") from None
    found = [one for one in found if isinstance(one, dict)]
    if len(found) != expected:
        raise UnreadableFile(
            f"{expected:,} items begin in the feed and only {len(found):,} can be told apart"
        )
    return found


def _markup(text: str) -> str:
    """The text without comments and CDATA sections; raises UnreadableFile when one has no end."""
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


def _items_in(text: str, markup: str) -> int:
    """How many items begin in the feed; raises UnreadableFile for what is none, or not whole."""
    head = _HEAD.match(text)
    root = _ROOT.match(text, head.end() if head else 0)
    if root is None:
        raise UnreadableFile("the XML is no feed")
    end = _TAIL.search(markup.rstrip()[-200:])
    if end is None or end[1].casefold() != root[1].casefold():
        raise UnreadableFile("the feed ends too early")
    name = _ITEMS[root[1].casefold()]
    return len(re.findall(rf"<(?:[\w.-]{{1,60}}:)?{name}(?=[\s/>])", markup, re.IGNORECASE))


def _run(content: bytes, limits: ParserLimits) -> bytes:
    """What the child writes; it sees no variable of our environment and no folder of ours."""
    path = os.pathsep.join(one for one in sys.path if one)
    command = [sys.executable, "-P", "-s", "-m", CHILD, str(limits.memory), str(limits.work)]
    try:
        done = subprocess.run(  # noqa: S603
            command,
            input=content,
            capture_output=True,
            env={"PYTHONPATH": path},
            timeout=limits.patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnreadableFile("reading it took too long") from None
    if done.returncode:
        raise UnreadableFile("reading it took too much memory or time, or failed")
    return done.stdout
