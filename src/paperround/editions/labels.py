"""What is told of a paper beside its own words, in each language: authors, links, votes."""

from collections.abc import Sequence
from typing import Protocol

from paperround.core.i18n.locale import LIST_TITLES, Locale
from paperround.core.reasons import tells_votes
from paperround.papers.formatting import Linked, first_authors, paper_links, shortened


def authors_said(locale: Locale, names: tuple[str, ...]) -> str:
    """Up to four names; of more, three and the rest: `A. Author, B. Author and 7 more`."""
    shown, left = first_authors(names)
    if not left:
        return locale.listed(shown)
    return locale.gettext("%(names)s and %(left)s more", names=locale.row(shown), left=left)


def links_said(locale: Locale, paper: Linked) -> list[tuple[str, str]]:
    """(label, address) of the links to show, in a fixed order."""
    return [(locale.word(label), url) for label, url in paper_links(paper)]


class Tallied(Protocol):
    """What was counted of a paper, and the reason that may tell of it."""

    @property
    def reason(self) -> str: ...

    @property
    def votes(self) -> int | None: ...

    @property
    def comments(self) -> int | None: ...


def tally_said(locale: Locale, paper: Tallied) -> str:
    """Votes where they are known (null is not 0) and the reason, as it was frozen, has not told
    them; comments."""
    untold = paper.votes is not None and not tells_votes(paper.reason, paper.votes)
    votes = locale.counted(paper.votes or 0, "vote") if untold else ""
    comments = locale.counted(paper.comments, "comment") if paper.comments else ""
    if votes and comments:
        return locale.gettext("%(votes)s, %(comments)s", votes=votes, comments=comments)
    return votes or comments


def list_title_said(locale: Locale, title: str) -> str:
    """What a list is called: in the operator's words, but for a title that nobody chose."""
    return locale.word(title) if title in LIST_TITLES else title


def title_said(locale: Locale, title: str, length: int) -> str:
    """A paper's title in at most `length` characters; what a paper without one is called."""
    return shortened(title, length) or locale.gettext("Untitled")


def preheader_said(locale: Locale, titles: Sequence[str]) -> str:
    """What the start of a mail says after its subject: the titles of the next papers."""
    return locale.gettext("Also: %(titles)s", titles=" · ".join(titles))
