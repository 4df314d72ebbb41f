"""Format a digest as text for all kinds of channels, cut to the limits of each service.

Texts come from elsewhere. Line ends and control characters are removed here; each kind of channel
escapes the markup of its own service.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from unicodedata import category

from paperround.core.i18n.locale import locale_for
from paperround.core.i18n.localize import english_reason
from paperround.core.reasons import counted
from paperround.digests.model import DigestPaper, DigestView, title_address
from paperround.editions.labels import localized_authors, localized_counts
from paperround.papers.formatting import paper_links, shortened, web_address
from paperround.plugins.channels.sender import Message

LONGEST_LINK = 400
"""Most characters of a URL that is shown beside others."""

LONGEST_TITLE_LINK = 800


Fullness = tuple[int, int, int, int]
FULLNESS: tuple[Fullness, ...] = (
    (300, 250, 1200, 300),
    (250, 200, 600, 250),
    (200, 120, 250, 150),
    (120, 60, 0, 80),
)
"""Most characters of title, authors, gist and reason, from many to few: the first that fits is
used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelItem:
    """A paper as a channel shows it, without markup. `links` are the labels and URLs of pages that
    the title does not lead to."""

    number: int
    title: str
    url: str
    authors: str
    gist: str
    why: str
    votes: str
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """The markup of a service: how it escapes text and writes links, and the formats of a title and
    of a less important line."""

    escape: Callable[[str], str]
    link: Callable[[str, str], str]
    strong: str
    light: str = "{}"

    def papers(self, view: DigestView, limit: int) -> list[str]:
        """Return the text of each paper of the digest."""
        numbered = enumerate(view.papers, start=1)
        return [fitting(number, one, self._paper, limit=limit)[1] for number, one in numbered]

    def _paper(self, item: ChannelItem) -> str:
        title = f"{item.number}. {self.link(item.url, item.title)}"
        return f"{self.strong.format(title)}\n{self.below_title(item)}".rstrip()

    def below_title(self, item: ChannelItem) -> str:
        """Return authors, gist, reason, and votes with links: a line each."""
        links = [self.link(to, label) for label, to in item.links]
        lines = (
            self.light.format(self.escape(item.authors)) if item.authors else "",
            self.escape(item.gist),
            self.escape(item.why),
            " · ".join(filter(None, (self.escape(item.votes), *links))),
        )
        return "\n".join(filter(None, lines))

    def foot(self, view: DigestView, limit: int) -> list[str]:
        """Return the papers withdrawn since they were posted, if any, then the link to the edition
        with the acknowledgements."""
        titles = [
            f"• {self.link(web_address(one.url), shortened(plain(one.title), 150))}"
            for one in view.withdrawn
        ]
        head = self.strong.format("Withdrawn since it was posted:")
        edition = self.link(web_address(view.web_url), edition_words(view))
        thanks = (self.escape(plain(one)) for one in view.acknowledgements)
        last = within([edition, *thanks], limit, by=" · ")
        return [within([head, *titles], limit), last] if titles else [last]


def item_of(number: int, paper: DigestPaper, fullness: Fullness) -> ChannelItem:
    """Return the paper with its texts cut to `fullness`."""
    title, authors, gist, reason = fullness
    url = title_address(paper)
    links = [*paper_links(paper), ("Details", web_address(paper.page_url))]
    why = shortened(plain(english_reason(paper.reason)), reason)
    return ChannelItem(
        number=number,
        title=shortened(plain(paper.title), title),
        url=url if len(url) <= LONGEST_TITLE_LINK else "",
        authors=shortened(plain(localized_authors(locale_for(), paper.authors)), authors),
        gist=shortened(plain(paper.gist), gist) if gist else "",
        why=f"Why: {why}" if why else "",
        votes=localized_counts(locale_for(), paper),
        links=tuple((name, to) for name, to in links if to != url and 0 < len(to) <= LONGEST_LINK),
    )


def fitting(
    number: int, paper: DigestPaper, tell: Callable[[ChannelItem], str], *, limit: int
) -> tuple[ChannelItem, str]:
    """Return the paper, formatted by `tell` as fully as fits into `limit` units of UTF-16. Only a
    text with hundreds of characters to escape is cut down to its title."""
    for fullness in FULLNESS:
        item = item_of(number, paper, fullness)
        text = tell(item)
        if units(text) <= limit:
            return item, text
    bare = replace(item, title=shortened(item.title, 40), authors="", gist="", why="", links=())
    return bare, tell(bare)


def units(text: str) -> int:
    """Return the length of a text in units of UTF-16, as these services count it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def plain(text: str) -> str:
    """Return a text on one line, without control characters and lone surrogates."""
    told = (" " if category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign for sign in text)
    return " ".join("".join(told).split())


def headline(view: DigestView) -> str:
    """Return the title of a post: the list and the date."""
    return f"{plain(view.list_title)} · {locale_for().long_date(view.local_date)}"


def summary(view: DigestView) -> str:
    """Return the text of a notification: the headline, the number of papers, and the first one."""
    papers = counted(len(view.papers), "paper")
    first = f": {shortened(plain(view.papers[0].title), 120)}" if view.papers else ""
    return f"{headline(view)} · {papers}{first}"


def edition_words(view: DigestView) -> str:
    """Return the text of the link to the edition: how many more papers it has."""
    if not view.more_papers:
        return "The edition on the web"
    return f"{counted(view.more_papers, 'more paper')} in the whole edition"


def within(lines: Sequence[str], limit: int, *, by: str = "\n") -> str:
    """Return the first lines that fit into `limit` units; the first one is cut if necessary."""
    text = lines[0][:limit]
    for line in lines[1:]:
        longer = f"{text}{by}{line}"
        if units(longer) <= limit:
            text = longer
    return text


def group_by_size(sizes: Sequence[int], *, most: int, limit: int) -> list[range]:
    """Group neighbours: at most `most` in a group, with a total size of at most `limit`. A larger
    one is a group of its own."""
    groups: list[range] = []
    start = total = 0
    for place, size in enumerate(sizes):
        if place > start and (place - start >= most or total + size > limit):
            groups.append(range(start, place))
            start, total = place, 0
        total += size
    return [*groups, range(start, len(sizes))] if sizes else []


def json_message(
    content: Mapping[str, Any], *, papers: int = 0, headers: Mapping[str, str] | None = None
) -> Message:
    """Return a message with `content` as its JSON body."""
    body = json.dumps(content, ensure_ascii=False).encode()
    return Message(body=body, papers=papers, headers=headers or {})
