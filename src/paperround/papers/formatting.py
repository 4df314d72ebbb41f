"""Choose the authors, links and text of a paper to show, in every format."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote, urlsplit

from paperround.core.languages import marked
from paperround.papers.gist import choose_gist
from paperround.papers.model import Paper, Show

_NAME_LENGTH = 50
_MOST_NAMES = 4
_LINKS = {
    "abstract": marked("Abstract"),
    "pdf": marked("PDF"),
    "code": marked("Code"),
    "project": marked("Project page"),
    "discussion": marked("Discussion"),
}
_ARXIV = marked("arXiv abstract")
_PRINTABLE = "!#$%&'()*+,/:;=?@[]~"
_MOST_ADDRESSES = 4096
"""Addresses in the cache, about 300 bytes each: a message uses each of its own several times."""
_UNSAFE = re.compile(r"[\s\"'<>\\`{|}^\x00-\x1f]")


class Linked(Protocol):
    """Has links by kind."""

    @property
    def links(self) -> Mapping[str, str]: ...


def shortened(text: str, length: int) -> str:
    """`text` in at most `length` characters, cut after a word if one ends in the second half."""
    if len(text) <= length:
        return text
    head = text[: length - 1]
    space = head.rfind(" ")
    return head[: space if space > length // 2 else None].rstrip(" ,;:.-–—\u200d") + "…"


_TITLE_LENGTH = 48


def title_in_reason(title: str) -> str:
    """The title of another paper in a reason: the name before its colon, else its first words."""
    name, colon, _ = title.partition(": ")
    return name if colon and len(name) <= _TITLE_LENGTH else shortened(title, _TITLE_LENGTH)


def labels_of(paper: Paper) -> tuple[str, ...]:
    """The categories of a paper, then its keywords, each once."""
    return tuple(dict.fromkeys(filter(str.strip, (*paper.categories, *paper.keywords))))


def first_authors(names: tuple[str, ...]) -> tuple[list[str], int]:
    """Up to four names and 0, or three names and how many more there are.

    "and 1 more" would take as much space as the fourth name.
    """
    shown = shown_authors(names)
    return [shortened(name, _NAME_LENGTH) for name in shown], sum(map(bool, names)) - len(shown)


def shown_authors(names: tuple[str, ...]) -> tuple[str, ...]:
    """The full names that `first_authors` shows shortened."""
    named = tuple(filter(None, names))
    return named if len(named) <= _MOST_NAMES else named[: _MOST_NAMES - 1]


def with_author_shown(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The names, with `name` moved to the last place shown if it comes later."""
    shown = shown_authors(names)
    if name in shown or name not in names:
        return names
    others = [one for one in names if one and one != name]
    return (*others[: len(shown) - 1], name, *others[len(shown) - 1 :])


@lru_cache(maxsize=_MOST_ADDRESSES)
def web_address(url: str) -> str:
    """`url` in ASCII if it is a plain http(s) address without a user name, else empty."""
    if _UNSAFE.search(url):
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host or not parts.netloc.isascii():
        return ""
    if "@" in parts.netloc:
        return ""
    return quote(url, safe=_PRINTABLE)


def paper_links(paper: Linked) -> list[tuple[str, str]]:
    """The (label, address) pairs to show, in a fixed order."""
    shown = []
    for kind, label in _LINKS.items():
        url = web_address(paper.links.get(kind, ""))
        if url:
            is_of_arxiv = f".{urlsplit(url).hostname}".endswith(".arxiv.org")
            shown.append((_ARXIV if kind == "abstract" and is_of_arxiv else label, url))
    return list({url: (label, url) for label, url in reversed(shown)}.values())[::-1]


def shown_text(paper: Paper) -> tuple[str, bool]:
    """As much of the abstract as its source allows, and whether that is only the gist."""
    match paper.show:
        case Show.FULL:
            return paper.abstract, False
        case Show.GIST:
            return choose_gist(paper.title, paper.abstract), True
        case Show.LINK:
            return "", False
