"""Parse untrusted XML into plain nodes; nothing is fetched, opened or expanded.

    bytes ─► text: byte order mark, else declared charset, else UTF-8, else windows-1252
          ─► guard (limits) ─► parser ─► Node
               └─ not well-formed ─► repaired once (HTML entities, bare &, controls) ─► guard

Document types are refused: feeds do not need them, and entities, external files and entity bombs
depend on them. A truncated document is an error, never a shorter feed.
"""

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from html.entities import html5
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from paperround.core.errors import UnreadableFile
from paperround.feeds.formats.charsets import text_of_xml
from paperround.papers.text import clean

MOST_BYTES = 16 * 1024 * 1024
DEEPEST = 64
MOST_ELEMENTS = 300_000
MOST_ATTRIBUTES = 100
"""Attributes of one element, including namespaces."""

_MOST_REFERENCES = 500_000
"""References that may be repaired."""

_TOO_MANY = "the XML has more elements or attributes than any feed"
_LONGEST_REASON = 200
_ATTRIBUTE = r"""\s++[^\s<>"'=]++\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+')"""
_CROWDED = re.compile(rf"""<[^\s<>/!?"'=]++(?>{_ATTRIBUTE}){{{MOST_ATTRIBUTES + 1}}}""")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_AMPERSAND = re.compile(r"&(?:#(?:(\d{1,7})|[xX]([0-9A-Fa-f]{1,6}));|(\w{1,31};))?", re.ASCII)
_XML_NAMES = frozenset({"amp;", "lt;", "gt;", "quot;", "apos;"})


class NotWellFormed(UnreadableFile):
    """The text is within the limits of a feed, but not well-formed XML."""


class Node:
    """An element: name and attributes without prefixes, texts and elements in order.

    A lazy view of the parsed document.
    """

    __slots__ = ("_by_name", "_element")

    def __init__(self, element: Any) -> None:
        self._element = element
        self._by_name: dict[str, list[Any]] | None = None

    @property
    def name(self) -> str:
        """The name without a prefix."""
        return _local(self._element.tag)

    @property
    def namespace(self) -> str:
        """The namespace of its prefix; empty without one."""
        return _namespace(self._element.tag)

    @property
    def attributes(self) -> Mapping[str, str]:
        """The attributes by name, without prefixes."""
        return {_local(key): value for key, value in self._element.items()}

    @property
    def content(self) -> tuple["str | Node", ...]:
        """The texts and elements directly inside, in order, without empty texts."""
        element = self._element
        parts: list[str | Node] = [element.text]
        for inner in element:
            parts += [Node(inner), inner.tail]
        return tuple(filter(None, parts))

    @property
    def text(self) -> str:
        """All the text inside, including that of inner elements."""
        return _text(self._element)

    def all(self, name: str) -> Iterator["Node"]:
        """Return the child elements called `name`."""
        return map(Node, self._children(name))

    def said(self, name: str) -> str | None:
        """Return the text of the first child called `name` with any; None without."""
        for element in self._children(name):
            if text := _text(element).strip():
                return text
        return None

    def own_first(self, *, without: tuple[str, ...]) -> "Node":
        """Return a view in which `all` and `said` prefer the element's own namespace among children
        of the same name, and ignore namespaces that begin with one of `without`."""
        own = self.namespace
        spaces = [(element, _namespace(element.tag)) for element in self._element]
        kept = [(element, space) for element, space in spaces if not space.startswith(without)]
        kept.sort(key=lambda one: one[1] != own)
        view = Node(self._element)
        view._by_name = _by_name(element for element, _ in kept)
        return view

    def _children(self, name: str) -> Sequence[Any]:
        """Return the children called `name`, indexed once: readers look up a dozen names."""
        if self._by_name is None:
            self._by_name = _by_name(self._element)
        return self._by_name.get(name, ())


EMPTY = Node(etree.Element("empty"))
"""An empty element, for one that is missing."""


def _by_name(elements: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for element in elements:
        found.setdefault(_local(element.tag), []).append(element)
    return found


def _text(element: Any) -> str:
    if len(element):
        return "".join(element.itertext())
    text: str | None = element.text
    return text or ""


class _Guard:
    """Receives parser events and stops at what no feed contains, before anything is built."""

    def __init__(self) -> None:
        self._depth = self._elements = 0

    def doctype(self, *_: object) -> None:
        raise UnreadableFile("the XML declares a document type (DOCTYPE), which feeds do not need")

    def start(self, _: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        self._depth += 1
        if self._depth > DEEPEST:
            raise UnreadableFile(f"the XML is nested more than {DEEPEST} deep")
        if self._elements > MOST_ELEMENTS or len(attributes) > MOST_ATTRIBUTES:
            raise UnreadableFile(_TOO_MANY)

    def end(self, _: str) -> None:
        self._depth -= 1

    def close(self) -> None:
        """Do nothing: nothing was built."""


def read_xml(content: bytes) -> Node:
    """Return the root of an XML document. Raises UnreadableFile for a hostile one or another
    format, and NotWellFormed for one that may be a badly written feed."""
    if len(content) > MOST_BYTES:
        raise UnreadableFile(f"the XML has more than {MOST_BYTES:,} bytes: too long for a feed")
    text = text_of_xml(content)
    try:
        return _parse(text)
    except etree.XMLSyntaxError:
        pass
    if text.count("&") <= _MOST_REFERENCES:
        text = _AMPERSAND.sub(_mend_reference, _CONTROLS.sub("", text))
    try:
        return _parse(text)
    except etree.XMLSyntaxError as error:
        problem = f"the XML cannot be read ({clean(str(error.msg), limit=_LONGEST_REASON)})"
        raise NotWellFormed(f"{problem}: fetch it again") from None


def _parse(text: str) -> Node:
    # The parser builds a whole element before the guard sees it: a million attributes take hundreds
    # of megabytes.
    if _CROWDED.search(text):
        raise UnreadableFile(_TOO_MANY)
    content = text.encode("utf-8", "replace")
    etree.fromstring(content, _parser(_Guard()))
    return Node(etree.fromstring(content, _parser(None)))


def _parser(target: _Guard | None) -> etree.XMLParser:
    """Return a parser that builds a document, or one that only sends events to `target`."""
    return etree.XMLParser(
        target=target,
        encoding="utf-8",  # ours, whatever the document declares
        resolve_entities="internal",  # False leaves &#38; for & in attributes; there is no DTD
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=target is None,  # after the guard only namespace errors remain
        remove_comments=True,
        remove_pis=True,
    )


@lru_cache(maxsize=1024)
def _local(name: str) -> str:
    """Return the name without its namespace, or without an undeclared prefix."""
    _, namespace, local = name.rpartition("}")
    parts = local.split(":")
    return parts[1] if len(parts) == 2 and all(parts) and not namespace else local


@lru_cache(maxsize=1024)
def _namespace(name: str) -> str:
    return name.rpartition("}")[0][1:]


def _mend_reference(match: re.Match[str]) -> str:
    """Return a reference valid in XML; a bare ampersand is escaped."""
    decimal, hexadecimal, name = match.groups()
    if name in _XML_NAMES:
        return match[0]
    if name in html5:
        return html.escape(html5[name])
    if decimal or hexadecimal:
        code = int(decimal) if decimal else int(hexadecimal, 16)
        return match[0] if _is_character(code) else ""
    return f"&amp;{name or ''}"


def _is_character(code: int) -> bool:
    if code < 0x20:
        return code in (0x9, 0xA, 0xD)
    return code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
