"""How a paper is told in a few words, whatever the way it goes out: short authors, which links
are shown, votes, dates."""

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote, urlsplit

from paperround.domain.digests import DigestPaper
from paperround.domain.languages import marked
from paperround.domain.reasons import tells_votes
from paperround.domain.text import counted

_NAME_LENGTH = 50
_MOST_NAMES = 4
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
_LINKS = {
    "abstract": marked("Abstract"),
    "pdf": marked("PDF"),
    "code": marked("Code"),
    "project": marked("Project page"),
    "discussion": marked("Discussion"),
}
_PRINTABLE = "!#$%&'()*+,/:;=?@[]~"
_MOST_ADDRESSES = 4096
"""Addresses kept, about 300 bytes each: a mail asks several times for each of its own."""
_UNSAFE = re.compile(r"[\s\"'<>\\`{|}^\x00-\x1f]")


class Linked(Protocol):
    """What has links, by kind."""

    @property
    def links(self) -> Mapping[str, str]: ...


def shortened(text: str, length: int) -> str:
    """`text` in at most `length` characters, cut after a word where one ends in its second half."""
    if len(text) <= length:
        return text
    head = text[: length - 1]
    space = head.rfind(" ")
    return head[: space if space > length // 2 else None].rstrip(" ,;:.-–—\u200d") + "…"


def first_authors(names: tuple[str, ...]) -> tuple[list[str], int]:
    """Up to four names, and how many more there are; of more than four, three and the rest.

    "and 1 more" would take the room of the fourth name.
    """
    named = [shortened(name, _NAME_LENGTH) for name in names if name]
    shown = named[: _names_shown(len(named))]
    return shown, len(named) - len(shown)


def _names_shown(count: int) -> int:
    return count if count <= _MOST_NAMES else _MOST_NAMES - 1


def shown_authors(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of which `first_authors` shows the start."""
    named = tuple(filter(None, names))
    return named[: _names_shown(len(named))]


def with_author_shown(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The names, of which `name` moves to the last place that is shown where it is further back."""
    shown = shown_authors(names)
    if name in shown or name not in names:
        return names
    others = [one for one in names if one and one != name]
    return (*others[: len(shown) - 1], name, *others[len(shown) - 1 :])


def short_authors(names: tuple[str, ...]) -> str:
    """The first authors in words: `A. Author, B. Author, C. Author and 7 more`."""
    shown, left = first_authors(names)
    if left:
        return f"{', '.join(shown)} and {left} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


@lru_cache(maxsize=_MOST_ADDRESSES)
def web_address(url: str) -> str:
    """`url` in ASCII when it is a plain http(s) address without a user name, else empty."""
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
    """(label, address) of the links to show, in a fixed order."""
    known = [(label, web_address(paper.links.get(kind, ""))) for kind, label in _LINKS.items()]
    shown = [(_label(label, url), url) for label, url in known if url]
    return list({url: (label, url) for label, url in reversed(shown)}.values())[::-1]


@lru_cache(maxsize=_MOST_ADDRESSES)
def _label(label: str, url: str) -> str:
    host = urlsplit(url).hostname or ""
    of_arxiv = host == "arxiv.org" or host.endswith(".arxiv.org")
    return marked("arXiv abstract") if of_arxiv and label == "Abstract" else label


def title_address(paper: DigestPaper) -> str:
    """Where the title leads: the abstract, else the paper's page."""
    return web_address(paper.links.get("abstract", "")) or web_address(paper.page_url)


def tally(paper: DigestPaper) -> str:
    """Votes where they are known (null is not 0) and the reason has not told them; comments."""
    untold = paper.votes is not None and not tells_votes(paper.reason, paper.votes)
    votes = counted(paper.votes or 0, "vote") if untold else ""
    comments = counted(paper.comments, "comment") if paper.comments else ""
    return ", ".join(filter(None, (votes, comments)))


def long_date(day: date) -> str:
    """`Friday 30 January 2026`, in English whatever the locale."""
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def short_date(day: date) -> str:
    """`Fri 30 Jan`."""
    return f"{_DAYS[day.weekday()][:3]} {day.day} {_MONTHS[day.month - 1][:3]}"
