"""Titles and abstracts in JATS, the markup publishers send to Crossref, as readable text.

`<jats:title>`, `<jats:sec>` and `<jats:p>` part the text; the heading `Abstract` goes, others end
with a colon. `<sub>` and `<sup>` stay for whoever repairs the text; of MathML its signs stay.
Elements are those of https://jats.nlm.nih.gov (Journal Publishing) and of MathML 3.
"""

import re
from collections.abc import Iterator

from paperround.domain.errors import UnreadableFile
from paperround.sources.entries import storable
from paperround.sources.xml import Node, read_xml

_MOST = 200_000
_NAMESPACES = " ".join(f'xmlns:{name}="{name}"' for name in ("jats", "mml", "xlink", "ali", "m"))
_TAG = re.compile(r"<(/?)(?:(?:jats|mml|m):)?([A-Za-z][A-Za-z0-9-]{0,30})(?:\s[^<>]{0,2000})?/?>")
_BLOCKS = frozenset(
    "p sec title list list-item def-list def-item disp-formula disp-quote break br div li ul ol "
    "table tr td th caption label abstract".split()
)
_SILENT = frozenset({"annotation", "annotation-xml", "tex-math", "graphic", "inline-graphic"})
_SCRIPTS = {"sub": "sub", "sup": "sup", "inf": "sub"}
_RAISED = {"msub": ("sub",), "msup": ("sup",), "msubsup": ("sub", "sup")}
_FORMULAS = frozenset({"math", "mrow", "mstyle", "semantics", "mpadded", "mfenced"})
_ENDS = (".", ":", "?", "!")
_HEADINGS = frozenset({"abstract", "abstract:", "abstract."})


def text_of_jats(text: str) -> str:
    """The readable text of some JATS; what is not well formed loses its tags."""
    text = storable(text[:_MOST])
    if "<" not in text:
        return " ".join(text.split())
    try:
        root = read_xml(f"<x {_NAMESPACES}>{text}</x>".encode())
    except UnreadableFile:
        return " ".join(_TAG.sub(_untagged, text).split())
    return " ".join("".join(_parts(root)).split())


def _untagged(match: re.Match[str]) -> str:
    end, name = match[1], match[2].lower()
    if name in _SCRIPTS:
        return f"<{end}{_SCRIPTS[name]}>"
    return " " if name in _BLOCKS else ""


def _parts(node: Node) -> Iterator[str]:
    for part in node.content:
        if isinstance(part, str):
            yield part
        elif part.name not in _SILENT:
            yield _said(part)


def _said(node: Node) -> str:
    if node.name in _RAISED:
        return _raised(node)
    if node.name in {"mfrac", "alternatives"}:
        return _chosen(node)
    inner = "".join(_parts(node))
    if node.name in _SCRIPTS and inner.strip():
        tag = _SCRIPTS[node.name]
        return f"<{tag}>{inner.strip()}</{tag}>"
    if node.name == "title":
        return _heading(inner.strip())
    if node.name in _FORMULAS:
        return "".join(_children(node)) or inner.strip()
    return f" {inner} " if node.name in _BLOCKS else inner


def _heading(text: str) -> str:
    if not text or text.casefold() in _HEADINGS:
        return " "
    return f" {text} " if text.endswith(_ENDS) else f" {text}: "


def _raised(node: Node) -> str:
    """A base with what stands below and above it."""
    base, *scripts = _children(node) or [""]
    tags = _RAISED[node.name]
    return base + "".join(
        f"<{tag}>{one}</{tag}>" for tag, one in zip(tags, scripts, strict=False) if one
    )


def _chosen(node: Node) -> str:
    """A fraction on one line; of alternatives the first that says something."""
    children = _children(node)
    if node.name == "mfrac":
        return "/".join(children[:2])
    return next((one for one in children if one), "")


def _children(node: Node) -> list[str]:
    inner = (part for part in node.content if isinstance(part, Node))
    return [_said(part).strip() if part.name not in _SILENT else "" for part in inner]
