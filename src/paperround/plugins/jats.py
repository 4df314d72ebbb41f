"""Convert titles and abstracts in JATS, the markup publishers send to Crossref, to readable text.

`<jats:title>`, `<jats:sec>` and `<jats:p>` separate the text; the heading `Abstract` is dropped,
others end with a colon. `<sub>` and `<sup>` are kept for the repair of texts; MathML is reduced to
its symbols, and a formula that is only in TeX to its TeX. PubMed and OpenAlex use the same
elements, which are those of https://jats.nlm.nih.gov (Journal Publishing) and of MathML 3.
"""

import re
from collections.abc import Iterator

from paperround.core.errors import UnreadableFile
from paperround.feeds.formats.entries import storable
from paperround.feeds.formats.xml import Node, read_xml

_MOST = 200_000
_NAMESPACES = " ".join(f'xmlns:{name}="{name}"' for name in ("jats", "mml", "xlink", "ali", "m"))
_TAG = re.compile(r"<(/?)(?:(?:jats|mml|m):)?([A-Za-z][A-Za-z0-9-]{0,30})(?:\s[^<>]{0,2000})?/?>")
_BLOCKS = frozenset(
    "p sec title list list-item def-list def-item disp-formula disp-quote break br div li ul ol "
    "table tr td th caption label abstract DispFormula".split()
)
_SILENT = frozenset({"annotation", "annotation-xml", "graphic", "inline-graphic"})
_SCRIPTS = {"sub": "sub", "sup": "sup", "inf": "sub"}
_RAISED = {"msub": ("sub",), "msup": ("sup",), "msubsup": ("sub", "sup")}
_FORMULAS = frozenset({"math", "mrow", "mstyle", "semantics", "mpadded", "mfenced"})
_TEX_DOCUMENT = re.compile(r"\\begin\{document\}(.*?)\\end\{document\}", re.DOTALL)
_IN_TEX = ("$", "\\(", "\\[", "\\begin{")
_ENDS = (".", ":", "?", "!")
_HEADINGS = frozenset({"abstract", "abstract:", "abstract."})


def text_of_jats(text: str) -> str:
    """The readable text of some JATS; if it is not well formed, its tags are removed."""
    text = storable(text[:_MOST])
    if "<" not in text:
        return " ".join(text.split())
    try:
        root = read_xml(f"<x {_NAMESPACES}>{text}</x>".encode())
    except UnreadableFile:
        return " ".join(_TAG.sub(_untagged, text).split())
    return text_in(root)


def text_in(node: Node) -> str:
    """The readable text in an element of JATS, MathML or PubMed's markup, on one line."""
    return " ".join("".join(_parts(node)).split())


def _untagged(match: re.Match[str]) -> str:
    end, name = match[1], match[2].lower()
    if name in _SCRIPTS:
        return f"<{end}{_SCRIPTS[name]}>"
    return " " if name in _BLOCKS else ""


def _parts(node: Node) -> Iterator[str]:
    for part in node.content:
        if isinstance(part, str):
            yield part
        elif not _is_skipped(part, node):
            yield _text_of(part)


def _is_skipped(part: Node, parent: Node) -> bool:
    """Whether an element has no content, or repeats in TeX what its neighbour has in MathML."""
    if part.name != "tex-math":
        return part.name in _SILENT
    return any(math.text.strip() for math in parent.all("math"))


def _text_of(node: Node) -> str:
    if (formula := _formula(node)) is not None:
        return formula
    inner = "".join(_parts(node))
    if node.name in _SCRIPTS and inner.strip():
        tag = _SCRIPTS[node.name]
        return f"<{tag}>{inner.strip()}</{tag}>"
    if node.name == "title":
        text = inner.strip()
        if not text or text.casefold() in _HEADINGS:
            return " "
        return f" {text} " if text.endswith(_ENDS) else f" {text}: "
    if node.name in _FORMULAS:
        return "".join(_children(node)) or inner.strip()
    return f" {inner} " if node.name in _BLOCKS else inner


def _tex(text: str) -> str:
    """A formula in dollars; publishers may send a whole document around it."""
    document = _TEX_DOCUMENT.search(text)
    formula = (document[1] if document else text).strip()
    return formula if not formula or formula.startswith(_IN_TEX) else f"${formula}$"


def _formula(node: Node) -> str | None:
    """The text of an element of a formula; None if it is read like any other element."""
    if node.name in _RAISED:
        # A base with a subscript and a superscript.
        base, *scripts = _children(node) or [""]
        tagged = zip(_RAISED[node.name], scripts, strict=False)
        return base + "".join(f"<{tag}>{one}</{tag}>" for tag, one in tagged if one)
    if node.name == "mfrac":  # on one line
        return "/".join(_children(node)[:2])
    if node.name == "alternatives":  # the first with content
        return next(filter(None, _children(node)), "")
    return _tex(node.text) if node.name == "tex-math" else None


def _children(node: Node) -> list[str]:
    inner = (part for part in node.content if isinstance(part, Node))
    return ["" if _is_skipped(part, node) else _text_of(part).strip() for part in inner]
