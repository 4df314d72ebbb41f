"""Finds words that a template shows and that are not marked for translation."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from jinja2 import Environment, nodes

NAMES = re.compile(
    r"\b(?:Paperround|arXiv|bioRxiv|DOI|PubMed|PDF|BibTeX|RIS|Markdown|JSON(?: Feed|-LD)?)\b"
    r"|\b(?:UTC|HTML|Atom|RSS)\b|[\w.+-]+@[\w.-]+|https?://\S+|&\w+;|Europe/Berlin|/\w+\?\S*|10\.1000/\w+"
    r"|aria-[a-z]+=\"[^\"]*\""
)
"""What is called so in every language, and addresses."""

EXAMPLES = re.compile(
    r"dense retrieval|sensor fusion|protein folding|Ada Lovelace|graph AND attention NOT survey"
    r"|blockchain\nauthor:|category:cs\.CR|cs\.[A-Z]{2}"
)
"""What a reader might look for: most papers are in English."""

_MARKING = frozenset({"_", "gettext", "ngettext"})
_STYLES = frozenset({"dark"})
"""Blocks within a style sheet."""
_HOLE = "\x01"
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_SENTENCE = re.compile(r"[A-Z][a-z]+|[a-z]+ [a-z]+")
_STAYS = frozenset({("translate", "no"), ("lang", "en")})
_SHOWN = frozenset({"alt", "aria-label", "placeholder", "title"})
_HIDDEN = frozenset({"code", "pre", "script", "style"})


def unmarked(source: str, name: str) -> list[str]:
    """The words of a template that readers see and no catalogue has."""
    environment = Environment(  # noqa: S701 - only read
        extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True
    )
    environment.policies["ext.i18n.trimmed"] = True
    pieces = list(_pieces(environment.parse(source)))
    said = [piece for piece, is_text in pieces if not is_text and _SENTENCE.search(_bare(piece))]
    text = "".join(piece if is_text else _HOLE for piece, is_text in pieces)
    seen = _Seen(text).words if name.endswith(".html") else text.splitlines()
    return [*said, *(one.strip() for one in seen if _LETTERS.search(_bare(one)))]


def _bare(text: str) -> str:
    return EXAMPLES.sub("", NAMES.sub("", text))


def _pieces(node: nodes.Node) -> Iterator[tuple[str, bool]]:
    """Each text of a template (True), and each string of its expressions that is not marked."""
    if isinstance(node, nodes.TemplateData):
        yield node.data, True
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value, False
        return
    if isinstance(node, nodes.Expr):
        yield "", False
    for child in _looked_into(node):
        yield from _pieces(child)


def _looked_into(node: nodes.Node) -> Iterator[nodes.Node]:
    """The parts of a node that may be shown: not what a filter is told, nor what is marked."""
    match node:
        case nodes.Filter() | nodes.Test() | nodes.Getitem():
            if node.node is not None:
                yield node.node
        case nodes.Block(name=name) if name in _STYLES:
            return
        case nodes.Call(node=nodes.Name(name=name)) if name in _MARKING:
            yield from node.kwargs
        case _:
            yield from node.iter_child_nodes()


class _Seen(HTMLParser):
    """The texts of a page, and the attributes that are read out or shown; not those of an element
    that says that it stays as it is, or that it is in English."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0
        self._staying: str | None = None
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _HIDDEN
        if _STAYS.intersection(attrs):
            self._staying = tag
        described = ("name", "description") in attrs
        for name, value in attrs:
            if name in _SHOWN or (described and name == "content"):
                self.words.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _HIDDEN
        if tag == self._staying:
            self._staying = None

    def handle_data(self, data: str) -> None:
        if not self._hidden and self._staying is None:
            self.words.append(data)
